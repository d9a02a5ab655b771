/**
 * The wire between two nodes: HTTPS with mutual TLS 1.3, where each side knows the other by the public key that its
 * keyset pins, not by a certificate authority.
 */
import { createHash } from 'node:crypto'
import { Agent, createServer, request as httpsRequest, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import { connect, type PeerCertificate, type TLSSocket } from 'node:tls'
import { Fault } from '../../kernel/index.ts'

export interface TlsIdentity {
  readonly key: string
  readonly cert: string
}

/** SHA-256 of the SubjectPublicKeyInfo of the key that the peer proved to hold, base64url. */
function pinOf(socket: TLSSocket): string | undefined {
  const certificate = socket.getPeerX509Certificate()
  if (!certificate) return undefined
  return createHash('sha256')
    .update(certificate.publicKey.export({ type: 'spki', format: 'der' }))
    .digest('base64url')
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
}

export interface PeerServer {
  readonly port: number
  /** Takes no new request and resolves when those under way were answered. */
  close(): Promise<void>
  /** Breaks off what is under way. */
  breakOff(): void
}

/**
 * Listens for partners. Only POST is answered; a body over the limit is refused while it comes, before it is kept.
 * @param answer told who the peer's key is; who that is, the exchange decides
 */
export async function openPeerServer(
  identity: TlsIdentity,
  address: { readonly host: string; readonly port: number },
  limits: PeerServerLimits,
  answer: (request: PeerRequest) => Promise<PeerResponse>,
): Promise<PeerServer> {
  const server: Server = createServer(
    {
      ...identity,
      ...tlsOptions,
      requestCert: true,
      // The partner's certificate is self-signed: its key is compared with the pins, and no authority is asked.
      rejectUnauthorized: false,
      requestTimeout: limits.requestSecondsMax * 1000,
      headersTimeout: Math.min(10, limits.requestSecondsMax) * 1000,
      maxHeaderSize: 8 * 1024,
    },
    (request, response) => {
      const refuse = (status: number, code: string): void => {
        response.writeHead(status, { 'content-type': 'application/problem+json', connection: 'close' })
        response.end(JSON.stringify({ type: `urn:dostyk:refusal:${code}`, status, code }))
        request.destroy()
      }
      const length = Number(request.headers['content-length'] ?? 0)
      if (request.method !== 'POST') return refuse(405, 'exchange/request-invalid')
      if (length > limits.bodyBytesMax) return refuse(413, 'exchange/frame-too-large')
      const chunks: Buffer[] = []
      let bytes = 0
      request.on('data', (chunk: Buffer) => {
        bytes += chunk.length
        if (bytes > limits.bodyBytesMax) refuse(413, 'exchange/frame-too-large')
        else chunks.push(chunk)
      })
      request.on('error', () => response.destroy())
      request.on('end', () => {
        answer({
          peerPin: pinOf(request.socket as TLSSocket),
          path: request.url ?? '',
          body: Buffer.concat(chunks).toString('utf8'),
        }).then(
          ({ status, contentType, body, retryAfterSeconds }) => {
            response.writeHead(status, {
              'content-type': contentType,
              ...(retryAfterSeconds !== undefined && { 'retry-after': String(retryAfterSeconds) }),
            })
            response.end(body)
          },
          // Nothing was stored: the partner keeps its messages and tries again.
          () => {
            response.writeHead(503, { 'content-type': 'application/problem+json', 'retry-after': '5' })
            response.end(
              JSON.stringify({ type: 'urn:dostyk:refusal:exchange/busy', status: 503, code: 'exchange/busy' }),
            )
          },
        )
      })
    },
  )
  server.maxConnections = limits.connectionsMax
  server.keepAliveTimeout = 65_000
  server.on('tlsClientError', (_error, socket) => socket.destroy())
  server.on('clientError', (_error, socket) => socket.destroy())
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

/** While the server closes, connections that have fallen idle are looked for this often. */
const idleSweepMs = 50

const answerBytesMax = 8 * 1024 * 1024

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

  async post(
    partner: { readonly endpoint: string; readonly pins: readonly string[] },
    path: string,
    body: string,
  ): Promise<{ status: number; body: string; retryAfterSeconds?: number | undefined }> {
    const url = new URL(path, partner.endpoint)
    const bytes = Buffer.from(body)
    return await new Promise((resolve, reject) => {
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
      request.on('error', fail)
      request.end(bytes)
    })
  }

  /** Breaks off what is under way: the partner may have taken it, and will say so when it comes again. */
  close(): void {
    this.closing.abort()
    for (const agent of this.agents.values()) agent.destroy()
    this.agents.clear()
  }

  private agentFor({ endpoint, pins }: { endpoint: string; pins: readonly string[] }): Agent {
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
