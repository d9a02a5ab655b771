/**
 * The wire between two nodes: HTTPS with mutual TLS 1.3, where each side knows the other by the public key that its
 * keyset pins, not by a certificate authority.
 */
import { createHash } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { Agent, createServer, request as httpsRequest, type Server } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import { connect, type PeerCertificate, type TLSSocket } from 'node:tls'
import { Fault } from '../../kernel/index.ts'

export interface TlsIdentity {
  readonly key: string
  readonly cert: string
}

/** SHA-256 of the SubjectPublicKeyInfo of the key that the peer proved to hold, base64url. */
function pinOf(socket: TLSSocket): string | undefined {
  try {
    const certificate = socket.getPeerX509Certificate()
    if (!certificate) return undefined
    return createHash('sha256')
      .update(certificate.publicKey.export({ type: 'spki', format: 'der' }))
      .digest('base64url')
  } catch {
    // A certificate of a kind of key that this program cannot read is nobody's that we know.
    return undefined
  }
}

const tlsOptions = { minVersion: 'TLSv1.3', maxVersion: 'TLSv1.3' } as const

export interface PeerRequest {
  readonly peerPin: string | undefined
  readonly path: string
  readonly body: string
}

export interface PeerResponse {
  readonly status: number
  readonly contentType: string
  readonly body: string
  readonly retryAfterSeconds?: number | undefined
}

export interface PeerServerLimits {
  readonly bodyBytesMax: number
  /** A whole request must have come within this time: a slow sender is cut off. */
  readonly requestSecondsMax: number
  readonly connectionsMax: number
  /** Connections on which no partner has proven its key; beyond them the oldest makes room for the newest. */
  readonly strangersMax: number
  /** Requests of one key under way at once; what comes beyond them is told to come again. */
  readonly requestsPerPeerMax: number
}

/** What the server asks of the exchange. */
export interface PeerDesk {
  /** Whether a partner's keyset pins this key. Nothing of a stranger's body is read. */
  knows(pin: string): Promise<boolean>
  answer(request: PeerRequest): Promise<PeerResponse>
}

export interface PeerServer {
  readonly port: number
  /** Takes no new request and resolves when those under way were answered. */
  close(): Promise<void>
  /** Breaks off what is under way. */
  breakOff(): void
}

/** How long a refused sender may go on before it is cut off: an answer that meets unread bytes would be lost with them. */
const lingerMs = 2000
/** How soon a partner whose requests were too many at once comes again. */
const busySeconds = 5

/**
 * Listens for partners. Only POST is answered. In this order: size caps, the peer's key, how much of that peer is under
 * way; and only then is a body read, and refused while it comes when it grows over the limit. So what strangers can
 * make this process hold is a bounded number of connections, and a partner a bounded number of bodies.
 */
export async function openPeerServer(
  identity: TlsIdentity,
  address: { readonly host: string; readonly port: number },
  limits: PeerServerLimits,
  desk: PeerDesk,
): Promise<PeerServer> {
  const underWay = new Map<string, number>()
  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const pin = pinOf(request.socket as TLSSocket)
    if (request.method !== 'POST') return refuse(request, response, 405, 'exchange/request-invalid')
    if (Number(request.headers['content-length'] ?? 0) > limits.bodyBytesMax)
      return refuse(request, response, 413, 'exchange/frame-too-large')
    if (!pin || !(await desk.knows(pin))) return refuse(request, response, 403, 'exchange/peer-unknown')
    const others = underWay.get(pin) ?? 0
    if (others >= limits.requestsPerPeerMax) return refuse(request, response, 503, 'exchange/busy', busySeconds)
    underWay.set(pin, others + 1)
    try {
      const body = await readBody(request, limits.bodyBytesMax)
      if (!body) return refuse(request, response, 413, 'exchange/frame-too-large')
      const answered = await desk.answer({ peerPin: pin, path: request.url ?? '', body: body.toString('utf8') })
      response.writeHead(answered.status, {
        'content-type': answered.contentType,
        ...(answered.retryAfterSeconds !== undefined && { 'retry-after': String(answered.retryAfterSeconds) }),
      })
      response.end(answered.body)
    } finally {
      const left = (underWay.get(pin) ?? 1) - 1
      if (left > 0) underWay.set(pin, left)
      else underWay.delete(pin)
    }
  }
  const server: Server = createServer(
    {
      ...identity,
      ...tlsOptions,
      requestCert: true,
      // The partner's certificate is self-signed: its key is compared with the pins, and no authority is asked.
      rejectUnauthorized: false,
      handshakeTimeout: Math.min(10, limits.requestSecondsMax) * 1000,
      requestTimeout: limits.requestSecondsMax * 1000,
      headersTimeout: Math.min(10, limits.requestSecondsMax) * 1000,
      connectionsCheckingInterval: 500,
      maxHeaderSize: 8 * 1024,
    },
    (request, response) => {
      request.on('error', () => response.destroy())
      serve(request, response).catch(() => {
        // Nothing was stored: the partner keeps its messages and tries again.
        if (!request.destroyed || request.complete) refuse(request, response, 503, 'exchange/busy', busySeconds)
      })
    },
  )
  server.maxConnections = limits.connectionsMax
  server.keepAliveTimeout = 65_000
  keepStrangersFew(server, limits.strangersMax, desk)
  server.on('tlsClientError', (_error, socket) => socket.destroy())
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    if (!socket.writable || !error.code?.startsWith('HPE_')) return void socket.destroy()
    const body = problemText(400, 'exchange/request-invalid')
    socket.end(
      `HTTP/1.1 400 Bad Request\r\ncontent-type: ${problemType}\r\ncontent-length: ${body.length}\r\nconnection: close\r\n\r\n${body}`,
    )
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause) =>
      reject(
        new Fault('platform/port-unavailable', `cannot listen on ${address.host}:${address.port}`, {
          cause,
          facts: { host: address.host, port: address.port },
        }),
      ),
    )
    server.listen(address.port, address.host, resolve)
  })
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        const sweeping = setInterval(() => server.closeIdleConnections(), idleSweepMs)
        server.close(() => {
          clearInterval(sweeping)
          resolve()
        })
        server.closeIdleConnections()
      }),
    breakOff: () => server.closeAllConnections(),
  }
}

const problemType = 'application/problem+json'
const problemText = (status: number, code: string): string =>
  JSON.stringify({ type: `urn:dostyk:refusal:${code}`, status, code })

/**
 * Says no while the body may still be coming. The answer is written at once; what comes is thrown away for a moment,
 * and only then the connection ends: closing on unread bytes would reset it and the answer would be lost.
 */
function refuse(
  request: IncomingMessage,
  response: ServerResponse,
  status: number,
  code: string,
  retryAfterSeconds?: number,
): void {
  if (response.headersSent) return void response.destroy()
  const text = problemText(status, code)
  response.writeHead(status, {
    'content-type': problemType,
    'content-length': text.length,
    connection: 'close',
    ...(retryAfterSeconds !== undefined && { 'retry-after': String(retryAfterSeconds) }),
  })
  if (request.readableEnded) return void response.end(text)
  response.write(text)
  const cutOff = setTimeout(() => request.destroy(), lingerMs)
  request.once('end', () => response.end())
  request.once('close', () => clearTimeout(cutOff))
  request.resume()
}

/** @returns the whole body, or undefined as soon as it is longer than allowed; rejects when the sender breaks off */
function readBody(request: IncomingMessage, bytesMax: number): Promise<Buffer | undefined> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let bytes = 0
    const take = (chunk: Buffer): void => {
      bytes += chunk.length
      if (bytes <= bytesMax) chunks.push(chunk)
      else {
        request.off('data', take)
        resolve(undefined)
      }
    }
    request.on('data', take)
    request.once('end', () => resolve(Buffer.concat(chunks)))
    request.once('close', () => reject(new Error('the sender broke off')))
  })
}

/**
 * Counts connections until a partner proves its key on them. One too many ends the oldest, so that whoever holds
 * connections open keeps no partner out.
 */
function keepStrangersFew(server: Server, strangersMax: number, desk: PeerDesk): void {
  const strangers = new Map<string, Socket>()
  const nameOf = ({ remoteAddress, remotePort }: Socket): string => `${remoteAddress} ${remotePort}`
  server.on('connection', (socket: Socket) => {
    const name = nameOf(socket)
    strangers.set(name, socket)
    socket.once('close', () => {
      if (strangers.get(name) === socket) strangers.delete(name)
    })
    const [oldest] = strangers.values()
    if (strangers.size > strangersMax) oldest?.destroy()
  })
  server.on('secureConnection', (socket) => {
    const name = nameOf(socket)
    const pin = pinOf(socket)
    if (!pin) return
    desk.knows(pin).then(
      (known) => known && strangers.delete(name),
      () => {},
    )
  })
}

/** While the server closes, connections that have fallen idle are looked for this often. */
const idleSweepMs = 50

const answerBytesMax = 8 * 1024 * 1024

/** Where a partner is reached, and the keys it may hold there. */
interface Endpoint {
  readonly endpoint: string
  readonly pins: readonly string[]
}

interface HttpAnswer {
  readonly status: number
  readonly body: string
  readonly retryAfterSeconds?: number | undefined
}

/** Posts to partners over kept-alive connections. No byte of a body is written before the peer's key was compared. */
export class PeerClient {
  private readonly identity: TlsIdentity
  private readonly timeoutSeconds: number
  private readonly agents = new Map<string, Agent>()
  private readonly closing = new AbortController()

  constructor(identity: TlsIdentity, timeoutSeconds = 30) {
    this.identity = identity
    this.timeoutSeconds = timeoutSeconds
  }

  /**
   * @returns whatever HTTP answer came; no redirect is followed, nothing is unpacked
   * @throws Fault `exchange/peer-not-pinned`, or `exchange/peer-unreachable` for every way in which no whole answer came
   */
  async post(partner: Endpoint, path: string, body: string): Promise<HttpAnswer> {
    return await this.postOnce(partner, new URL(path, partner.endpoint), Buffer.from(body), false)
  }

  private postOnce(partner: Endpoint, url: URL, bytes: Buffer, again: boolean): Promise<HttpAnswer> {
    return new Promise((resolve, reject) => {
      let answered = false
      const fail = (cause: unknown): void =>
        reject(
          cause instanceof Fault
            ? cause
            : new Fault('exchange/peer-unreachable', `no answer from ${url.host}`, { retryable: true, cause }),
        )
      const request = httpsRequest(
        url,
        {
          method: 'POST',
          agent: this.agentFor(partner),
          headers: { 'content-type': 'application/json', 'content-length': bytes.length },
          signal: AbortSignal.any([this.closing.signal, AbortSignal.timeout(this.timeoutSeconds * 1000)]),
        },
        (response) => {
          answered = true
          const chunks: Buffer[] = []
          let length = 0
          response.on('data', (chunk: Buffer) => {
            length += chunk.length
            if (length > answerBytesMax) request.destroy(new Error('the answer is too large'))
            else chunks.push(chunk)
          })
          response.on('error', fail)
          response.on('end', () => {
            const after = Number(response.headers['retry-after'])
            resolve({
              status: response.statusCode ?? 0,
              body: Buffer.concat(chunks).toString('utf8'),
              retryAfterSeconds: Number.isInteger(after) && after >= 0 ? Math.min(after, 86_400) : undefined,
            })
          })
        },
      )
      request.on('error', (error: NodeJS.ErrnoException) => {
        // A connection kept from before died with the partner's restart: said once more, on another.
        const stale = request.reusedSocket && !answered && (error.code === 'ECONNRESET' || error.code === 'EPIPE')
        if (stale && !again) resolve(this.postOnce(partner, url, bytes, true))
        else fail(error)
      })
      request.end(bytes)
    })
  }

  /** Breaks off what is under way: the partner may have taken it, and will say so when it comes again. */
  close(): void {
    this.closing.abort()
    for (const agent of this.agents.values()) agent.destroy()
    this.agents.clear()
  }

  private agentFor({ endpoint, pins }: Endpoint): Agent {
    const key = `${endpoint} ${pins.join(' ')}`
    const known = this.agents.get(key)
    if (known) return known
    const agent = new Agent({ keepAlive: true, maxSockets: 4, keepAliveMsecs: 15_000 })
    const identity = this.identity
    const timeoutSeconds = this.timeoutSeconds
    agent.createConnection = (options, callback) => {
      const socket = connect({
        host: String(options.host ?? ''),
        port: Number(options.port ?? 443),
        ...identity,
        ...tlsOptions,
        rejectUnauthorized: false,
        checkServerIdentity: (_host: string, _certificate: PeerCertificate) => undefined,
      })
      const timer = setTimeout(
        () => socket.destroy(new Error('the peer did not finish its handshake')),
        timeoutSeconds * 1000,
      )
      socket.once('secureConnect', () => {
        clearTimeout(timer)
        const pin = pinOf(socket)
        if (pin && pins.includes(pin)) {
          socket.setNoDelay(true)
          callback?.(null, socket)
        } else {
          const fault = new Fault(
            'exchange/peer-not-pinned',
            `the node at ${endpoint} holds another key than published`,
          )
          socket.destroy()
          callback?.(fault, socket)
        }
      })
      socket.once('error', (error) => {
        clearTimeout(timer)
        callback?.(error, socket)
      })
      return undefined
    }
    this.agents.set(key, agent)
    return agent
  }
}
