import { accept, type Decision, readJson, refuse } from '../kernel/index.ts'
import type { PartContent } from './message.ts'
import { decodeBase64Url } from './strict-jws.ts'

/** What one frame may hold at most. */
export const frameLimits = {
  messagesMax: 500,
  plainBytesMax: 4 * 1024 * 1024,
  wireBytesMax: 6 * 1024 * 1024,
} as const

/** The first bytes of a part in a frame are its salt. */
export const saltBytes = 16

/** One message in a frame, with its parts: base64url of salt ‖ bytes, by part name. */
export interface FrameEntry {
  readonly message: string
  readonly parts: Readonly<Record<string, string>>
}

export type FrameRefusal = { readonly code: 'exchange/frame-unreadable' }

/** Writes the plaintext of a frame: UTF-8 JSON `{messages: [{message, parts}]}`. */
export function writeFrame(entries: readonly FrameEntry[]): Buffer {
  return Buffer.from(JSON.stringify({ messages: entries.map(({ message, parts }) => ({ message, parts })) }))
}

/** How many bytes an entry adds to a frame's plaintext, at most. */
export function entryBytes(message: string, parts: readonly PartContent[]): number {
  return parts.reduce(
    (sum, part) => sum + part.name.length + 8 + Math.ceil(((part.bytes.length + saltBytes) * 4) / 3),
    message.length + 40,
  )
}

export function writeEntry(message: string, parts: readonly PartContent[]): FrameEntry {
  return {
    message,
    parts: Object.fromEntries(
      parts.map(({ name, salt, bytes }) => [name, Buffer.concat([salt, bytes]).toString('base64url')]),
    ),
  }
}

const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** Reads the plaintext of a frame strictly. What is inside an entry is judged entry by entry, later. */
export function readFrame(plain: Uint8Array): Decision<readonly FrameEntry[], FrameRefusal> {
  const unreadable = refuse({ code: 'exchange/frame-unreadable' as const })
  if (plain.length > frameLimits.plainBytesMax) return unreadable
  let text: string
  try {
    text = strictUtf8.decode(plain)
  } catch {
    return unreadable
  }
  const read = readJson(text, { lengthMax: frameLimits.plainBytesMax, depthMax: 4, otherNumbers: 'refuse' })
  if (!read.ok) return unreadable
  const frame = read.value
  if (frame === null || typeof frame !== 'object' || Array.isArray(frame)) return unreadable
  const { messages, ...others } = frame as { [name: string]: unknown }
  if (Object.keys(others).length > 0 || !Array.isArray(messages)) return unreadable
  if (messages.length === 0 || messages.length > frameLimits.messagesMax) return unreadable
  const entries: FrameEntry[] = []
  for (const entry of messages) {
    if (!isEntry(entry)) return unreadable
    entries.push(entry)
  }
  return accept(entries)
}

function isEntry(entry: unknown): entry is FrameEntry {
  if (entry === null || typeof entry !== 'object' || Array.isArray(entry)) return false
  const { message, parts, ...others } = entry as { [name: string]: unknown }
  return (
    Object.keys(others).length === 0 &&
    typeof message === 'string' &&
    parts !== null &&
    typeof parts === 'object' &&
    !Array.isArray(parts) &&
    Object.values(parts).every((value) => typeof value === 'string')
  )
}

/** Splits the wire form of a part into salt and bytes, or gives undefined when it is no such form. */
export function readPart(name: string, wire: string): PartContent | undefined {
  const bytes = decodeBase64Url(wire)
  if (!bytes || bytes.length < saltBytes) return undefined
  return { name, salt: bytes.subarray(0, saltBytes), bytes: bytes.subarray(saltBytes) }
}
