/** Where partners connect. What a stranger can make this process hold is bounded before anything of theirs is read. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer, type Server } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { Fault } from '../../kernel/index.ts'
import { pinOf, type TlsIdentity, tlsOptions } from './pinned-tls.ts'

export interface PeerRequest {
  /** The key that the peer proved to hold: a partner's. */
  readonly peerPin: string
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
  /** Told of what was refused before it was read. */
  refused(code: string): void
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
    const no = (status: number, code: string, retryAfterSeconds?: number): void => {
      desk.refused(code)
      refuse(request, response, status, code, retryAfterSeconds)
    }
    const pin = pinOf(request.socket as TLSSocket)
    if (request.method !== 'POST') return no(405, 'exchange/request-invalid')
    if (Number(request.headers['content-length'] ?? 0) > limits.bodyBytesMax) return no(413, 'exchange/frame-too-large')
    if (!pin || !(await desk.knows(pin))) return no(403, 'exchange/peer-unknown')
    const others = underWay.get(pin) ?? 0
    if (others >= limits.requestsPerPeerMax) return no(503, 'exchange/busy', busySeconds)
    underWay.set(pin, others + 1)
    try {
      const body = await readBody(request, limits.bodyBytesMax)
      if (!body) return no(413, 'exchange/frame-too-large')
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
  // One who does not take its answer holds its connection no longer than this.
  server.timeout = 2 * 65_000
  keepStrangersFew(server, limits.strangersMax, desk)
  server.on('tlsClientError', (_error, socket) => socket.destroy())
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    if (!socket.writable || !error.code?.startsWith('HPE_')) return void socket.destroy()
    desk.refused('exchange/request-invalid')
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
    ...(!request.readableEnded && { connection: 'close' }),
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
