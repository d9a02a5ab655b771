/**
 * An administration whose keys fell into bad hands, or whose program is bad: it holds every key that counts and keeps no
 * rule. As a sender it writes what it likes; as a receiver it answers as it likes.
 */
import { randomBytes, randomUUID } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { v7 as uuidv7 } from 'uuid'
import { clearanceUse } from '../../src/clearance/index.ts'
import {
  type AnswerPayload,
  type AnswerResult,
  composeAnswer,
  composeMessage,
  composeReceipt,
  composeRequest,
  type FrameEntry,
  type MessageDraft,
  type Mode,
  openFrame,
  type ReadMessage,
  type RequestPayload,
  readFrame,
  readMessage,
  type Signer,
  sealFrame,
  sha256,
  writeEntry,
  writeFrame,
} from '../../src/exchange/index.ts'
import { PeerClient, type TlsIdentity } from '../../src/platform/peer/index.ts'
import type { JourneyNode } from './node.ts'

export interface WrittenMessage {
  readonly id: string
  readonly digest: string
  readonly compact: string
  readonly entry: FrameEntry
}

export interface PeerAnswer {
  readonly status: number
  readonly text: string
  /** The signed answer's payload, where one came. */
  readonly answer: AnswerPayload | undefined
}

export interface PostOptions {
  readonly mode?: Mode
  readonly request?: Partial<RequestPayload>
  readonly signer?: Signer
  readonly tls?: TlsIdentity
}

/** The content of a compact signed object, unproven. */
export function payloadOf<Payload>(compact: string): Payload {
  return JSON.parse(Buffer.from(compact.split('.')[1] ?? '', 'base64url').toString('utf8')) as Payload
}

/** Writes messages and requests of `self` to `other` with the true keys of `self`. */
export class HostileSender {
  private readonly self: JourneyNode
  private readonly other: JourneyNode
  private readonly clients: PeerClient[] = []

  constructor(self: JourneyNode, other: JourneyNode) {
    this.self = self
    this.other = other
  }

  /** A message that every check admits, but for what a test changes. */
  write(type: string, body: unknown, changes: Partial<MessageDraft> = {}, signer?: Signer): WrittenMessage {
    const now = Date.now()
    const mode = changes.mode ?? 'live'
    const bytes = Buffer.from(typeof body === 'string' ? body : JSON.stringify(body ?? null))
    const parts =
      body === undefined ? [] : [{ name: 'body', mediaType: 'application/json', salt: randomBytes(16), bytes }]
    const draft: MessageDraft = {
      id: uuidv7(),
      iss: this.self.id,
      aud: this.other.id,
      mode,
      agreement: { id: 'STOP-2021', conditions: '1.0' },
      type,
      version: 1,
      subject: randomUUID(),
      lane: randomUUID(),
      seq: 1,
      epoch: 1,
      issuedAt: new Date(now).toISOString(),
      expiresAt: new Date(now + 86_400_000).toISOString(),
      use: clearanceUse(false),
      parts,
      ...changes,
    }
    const { compact, digest } = composeMessage(draft, signer ?? this.self.services.keys.signer(mode))
    return { id: draft.id, digest, compact, entry: writeEntry(compact, draft.parts) }
  }

  /** The body of a POST that carries these messages. */
  async seal(messages: ReadonlyArray<Pick<WrittenMessage, 'entry'>>, options: PostOptions = {}): Promise<string> {
    const mode = options.mode ?? 'live'
    const partner = (await this.self.services.exchange.partners()).find(({ id }) => id === this.other.id)
    const recipient = partner?.keyrings[mode]?.decrypt[0]
    if (!recipient) throw new Error(`${this.other.id} has no key to seal for`)
    const frame = await sealFrame(writeFrame(messages.map(({ entry }) => entry)), recipient)
    return this.sign(frame, options)
  }

  /** A signed request around any text that stands for a frame. */
  sign(frame: string, { mode = 'live', request, signer }: PostOptions = {}): string {
    const payload: RequestPayload = {
      iss: this.self.id,
      aud: this.other.id,
      mode,
      iat: Math.floor(Date.now() / 1000),
      jti: randomUUID(),
      operation: 'frames',
      contentDigest: sha256(frame),
      ...request,
    }
    return JSON.stringify({
      request: composeRequest(payload, signer ?? this.self.services.keys.signer(mode)).compact,
      frame,
    })
  }

  async send(messages: ReadonlyArray<Pick<WrittenMessage, 'entry'>>, options: PostOptions = {}): Promise<PeerAnswer> {
    return await this.post(await this.seal(messages, options), options)
  }

  /** Sends one message and says what became of it. */
  async sendOne(message: Pick<WrittenMessage, 'entry'>): Promise<AnswerResult> {
    const { answer, text } = await this.send([message])
    const [result] = answer?.results ?? []
    if (!result) throw new Error(`no answer about the message: ${text}`)
    return result
  }

  /** Posts any text over mutual TLS, straight to the other's node. */
  async post(body: string, { tls = this.self.services.keys.tls }: PostOptions = {}): Promise<PeerAnswer> {
    const client = this.clientFor(tls)
    const endpoint = `https://127.0.0.1:${this.other.exchangePort}`
    const pins = [this.other.services.keys.tls.spkiSha256]
    const { status, body: text } = await client.post({ endpoint, pins }, '/exchange/v1/frames', body)
    return { status, text, answer: status === 200 ? payloadOf<AnswerPayload>(text) : undefined }
  }

  private readonly byTls = new Map<TlsIdentity, PeerClient>()
  private clientFor(tls: TlsIdentity): PeerClient {
    const client = this.byTls.get(tls) ?? new PeerClient(tls)
    this.byTls.set(tls, client)
    this.clients.push(client)
    return client
  }

  close(): void {
    for (const client of this.clients) client.close()
  }
}

/** One request as a hostile receiver finds it, opened with the true keys. */
export interface TakenRequest {
  readonly requestDigest: string
  readonly messages: readonly ReadMessage[]
}

export type Behaviour = (request: TakenRequest, response: ServerResponse, self: HostileReceiver) => void | Promise<void>

/** Stands where the node of `self` stood, with its true keys, and answers as the behaviour says. */
export class HostileReceiver {
  behaviour: Behaviour
  requests = 0
  private readonly self: JourneyNode
  private readonly sender: string
  private close_: (() => Promise<void>) | undefined
  port = 0

  constructor(self: JourneyNode, sender: JourneyNode, behaviour: Behaviour) {
    this.self = self
    this.sender = sender.id
    this.behaviour = behaviour
  }

  async open(tls: TlsIdentity = this.self.services.keys.tls): Promise<void> {
    const server = createServer(
      { key: tls.key, cert: tls.cert, requestCert: true, rejectUnauthorized: false },
      (request, response) => {
        this.take(request)
          .then((taken) => this.behaviour(taken, response, this))
          .catch(() => response.destroy())
      },
    )
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    this.port = (server.address() as AddressInfo).port
    this.close_ = () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      })
  }

  async close(): Promise<void> {
    await this.close_?.()
  }

  private async take(incoming: IncomingMessage): Promise<TakenRequest> {
    this.requests += 1
    const chunks: Buffer[] = []
    for await (const chunk of incoming) chunks.push(chunk as Buffer)
    const { request, frame } = JSON.parse(Buffer.concat(chunks).toString('utf8')) as { request: string; frame: string }
    const plain = await openFrame(frame, this.self.services.keys.decrypters('live'))
    const read = plain.ok ? readFrame(plain.value) : plain
    if (!read.ok) throw new Error('the frame is not for us')
    const messages = read.value.flatMap(({ message }) => {
      const one = readMessage(message)
      return one.ok ? [one.value] : []
    })
    return { requestDigest: sha256(request.slice(0, request.lastIndexOf('.'))), messages }
  }

  /** A signed answer with these results. */
  answer(
    response: ServerResponse,
    requestDigest: string,
    results: readonly AnswerResult[],
    changes: Partial<AnswerPayload> = {},
    signer: Signer = this.self.services.keys.signer('live'),
  ): void {
    const payload: AnswerPayload = {
      iss: this.self.id,
      aud: this.sender,
      mode: 'live',
      iat: Math.floor(Date.now() / 1000),
      requestDigest,
      outcome: 'OK',
      results: [...results],
      ...changes,
    }
    response.writeHead(200, { 'content-type': 'application/jose' }).end(composeAnswer(payload, signer))
  }

  /** A receipt by whoever's key. */
  receipt({ payload, jws }: ReadMessage, digest = jws.digest, signer = this.self.services.keys.signer('live')): string {
    return composeReceipt(payload, digest, new Date().toISOString(), signer)
  }
}
