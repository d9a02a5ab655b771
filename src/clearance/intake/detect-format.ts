/**
 * Tells by its content how a submission is to be split into records. File names are never asked.
 *
 * Why line by line: the decision must be the same however the bytes arrive, so it depends on the content up to the
 * deciding line and on nothing else; and a broken first line must not cost the good ones that follow it.
 */

export type Splitting = 'xml' | 'json-lines' | 'json-array' | 'json-document' | 'csv' | 'unknown' | 'empty' | 'utf-16'

const LF = 10
const OPEN_OBJECT = 0x7b
const OPEN_LIST = 0x5b
const isSpace = (byte: number | undefined): boolean => byte === 0x20 || byte === 0x09 || byte === LF || byte === 0x0d

const BOM = Buffer.from([0xef, 0xbb, 0xbf])

/** How many bytes of a UTF-8 byte order mark stand at the beginning. */
export function bomLength(bytes: Buffer): number {
  return bytes.length >= 3 && bytes.subarray(0, 3).equals(BOM) ? 3 : 0
}

/**
 * @param window the first bytes of the submission
 * @param isAll whether nothing follows them, or no more is looked at
 * @param isCsvHeader whether a line is the header of one of the documented tables
 * @returns undefined when more bytes are needed to tell
 */
export function detectSplitting(
  window: Buffer,
  isAll: boolean,
  isCsvHeader: (line: string) => boolean,
): Splitting | undefined {
  if (window.length < 4 && !isAll) return undefined
  if ((window[0] === 0xff && window[1] === 0xfe) || (window[0] === 0xfe && window[1] === 0xff)) return 'utf-16'
  const start = firstVisible(window, bomLength(window))
  if (start === window.length) return isAll ? 'empty' : undefined
  if (window[start] === 0x3c) {
    const next = window[start + 1]
    if (next === undefined && !isAll) return undefined
    if (next !== undefined && /[A-Za-z_?!]/.test(String.fromCharCode(next))) return 'xml'
  }
  const mayBeDocument = window[start] === OPEN_OBJECT || window[start] === OPEN_LIST
  let isFirst = true
  for (let at = start; at < window.length; ) {
    const newline = window.indexOf(LF, at)
    if (newline === -1 && !isAll) return undefined
    const end = newline === -1 ? window.length : newline
    if (isFirst && !mayBeDocument && isCsvHeader(window.subarray(at, end).toString('latin1'))) return 'csv'
    if (window[at] === OPEN_OBJECT && isWholeObject(window, at, end)) {
      // A document that begins with a whole object is over; only inside another one may something continue it.
      if (isFirst || !mayBeDocument) return 'json-lines'
      const after = firstVisible(window, Math.min(end + 1, window.length))
      if (after === window.length && !isAll) return undefined
      if (!continuesDocument(window[after])) return 'json-lines'
    }
    isFirst = false
    // The next line is looked at from its first byte, so that an indented object is not taken for a record.
    at = lineStart(window, end + 1)
  }
  if (!isAll) return undefined
  if (window[start] === OPEN_OBJECT) return 'json-document'
  return window[start] === OPEN_LIST ? 'json-array' : 'unknown'
}

function firstVisible(bytes: Buffer, from: number): number {
  let at = from
  while (at < bytes.length && isSpace(bytes[at])) at += 1
  return at
}

/** The start of the next line that is not blank. */
function lineStart(bytes: Buffer, from: number): number {
  const visible = firstVisible(bytes, Math.min(from, bytes.length))
  const newline = bytes.lastIndexOf(LF, visible - 1)
  return visible === bytes.length ? visible : Math.max(from, newline + 1)
}

/** Whether what follows a whole object goes on with a document that the object is only a part of. */
function continuesDocument(byte: number | undefined): boolean {
  return byte === 0x2c || byte === 0x5d || byte === 0x7d
}

/** Whether a line is one object from its first bracket to its last, by brackets and quotes alone. */
function isWholeObject(bytes: Buffer, from: number, to: number): boolean {
  let depth = 0
  let inString = false
  for (let at = from; at < to; at += 1) {
    const byte = bytes[at]
    if (inString) {
      if (byte === 0x5c) at += 1
      else if (byte === 0x22) inString = false
    } else if (byte === 0x22) inString = true
    else if (byte === OPEN_OBJECT || byte === OPEN_LIST) depth += 1
    else if (byte === 0x7d || byte === 0x5d) {
      depth -= 1
      if (depth === 0) return firstVisible(bytes.subarray(0, to), at + 1) === to
    }
  }
  return false
}
