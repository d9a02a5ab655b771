/** How this node speaks to partners: over kept connections, to the pinned key and to nobody else. */
import { Agent, request as httpsRequest } from 'node:https'
import { connect, type PeerCertificate } from 'node:tls'
import { Fault } from '../../kernel/index.ts'
import { pinOf, type TlsIdentity, tlsOptions } from './pinned-tls.ts'

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
