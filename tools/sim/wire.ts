import { Fault } from '../../src/kernel/index.ts'
import type { SimNode } from './node.ts'
import { Random } from './random.ts'
import { answerFrames } from './receive.ts'
import type { Wake, Work } from './timeline.ts'
import { minutes, seconds, type World } from './world.ts'

export interface HttpResponse {
  readonly status: number
  /** Written when somebody reads it: signing is dear, and most of what is answered to a repeated request is lost. */
  readonly body: () => string
  readonly retryAfterSeconds?: number | undefined
}

/** A request that somebody on the way wrote down, to use it again later. */
export interface Captured {
  readonly to: SimNode
  readonly pin: string
  readonly body: string
}

const httpTimeout = 30 * seconds
/** One fault for all: who catches it reads its code only, and a stack trace for each is dear. */
const noConnection = new Fault('exchange/peer-unreachable', 'no connection')
const capturedMax = 30

export function pinOf(node: SimNode, mode: 'test' | 'live'): string {
  return node.keyring(mode).tlsPins[0]!
}

/** The net between the nodes: it loses, delays, repeats and spoils, and it cannot sign. */
export class Wire {
  readonly captured: Captured[] = []
  private readonly answers: string[] = []
  private readonly world: World
  private readonly random: Random
  /** Directions that are cut now, as `FROM>TO`, and how many times. */
  private readonly cuts = new Map<string, number>()

  constructor(world: World) {
    this.world = world
    this.random = new Random(world.seed, 'wire')
  }

  cut(from: SimNode, to: SimNode, by: 1 | -1): void {
    const key = `${from.id}>${to.id}`
    this.cuts.set(key, (this.cuts.get(key) ?? 0) + by)
  }

  heal(): void {
    this.cuts.clear()
  }

  /** Posts a body to the partner and waits for what comes back, or for the time-out. */
  *post(from: SimNode, write: () => string): Work<HttpResponse> {
    return (yield (wake) => this.carry(from, write, wake)) as HttpResponse
  }

  private carry(from: SimNode, write: () => string, wake: Wake): void {
    const { faults, timeline } = this.world
    const { random } = this
    const to = from.partner
    const unreachable = () => wake.fail(noConnection)
    timeline.after(httpTimeout, unreachable)
    if ((this.cuts.get(`${from.id}>${to.id}`) ?? 0) > 0) {
      if (random.chance(0.5)) timeline.after(20, unreachable)
      return
    }
    if (!to.processes.some((process) => process.up) || faults.strikes('connection-refused')) {
      timeline.after(20, unreachable)
      return
    }
    let sent = write()
    this.world.tally.add('frames')
    if (faults.strikes('gateway-error')) {
      const status = random.pick([200, 302, 404, 429, 502, 503])
      const retryAfterSeconds = random.chance(0.3) ? random.magnitude(1, 7200) : undefined
      timeline.after(this.latency(), () => wake.resume({ status, body: () => '<html>no</html>', retryAfterSeconds }))
      if (random.chance(0.6)) return
    }
    if (faults.strikes('request-lost')) return
    if (faults.strikes('request-tampered')) sent = this.tamper(sent)
    else if (faults.strikes('request-truncated')) sent = sent.slice(0, random.integer(0, sent.length - 1))
    const pin = pinOf(from, from.channel?.mode ?? 'test')
    this.capture({ to, pin, body: sent })
    const delay = faults.strikes('request-late') ? random.integer(httpTimeout, 3 * minutes) : this.latency()
    const answer = (response: HttpResponse) => this.carryBack(response, wake)
    timeline.after(delay, () => this.deliver(to, pin, sent, answer))
    if (!faults.strikes('request-repeated')) return
    for (let copies = random.pick([1, 1, 2, 5, random.integer(10, 40)]); copies > 0; copies -= 1) {
      const heard = random.chance(0.3) ? answer : () => {}
      timeline.after(delay + random.magnitude(1, 20 * seconds), () => this.deliver(to, pin, sent, heard))
    }
  }

  /** Hands a request to some process of a node, as whoever shows this TLS key. */
  deliver(to: SimNode, pin: string, body: string, respond: (response: HttpResponse) => void): void {
    const process = to.upProcess()
    if (!process) return
    process.run(answerFrames(to, process, pin, body), (ending) => {
      if (ending.kind === 'done') respond(ending.value)
      else if (ending.kind === 'failed') {
        this.world.checker.receiverFails(to, ending.error)
        respond({ status: 500, body: () => 'correlation id' })
      }
    })
  }

  private carryBack(response: HttpResponse, wake: Wake): void {
    const { faults, timeline } = this.world
    const { random } = this
    if (faults.strikes('answer-lost')) return
    let body = response.body()
    if (faults.strikes('answer-stale') && this.answers.length > 0) body = random.pick(this.answers)
    else if (this.answers.length < capturedMax) this.answers.push(body)
    if (faults.strikes('answer-forged')) body = this.forge(body)
    if (faults.strikes('answer-tampered')) body = this.tamper(body)
    else if (faults.strikes('answer-truncated')) body = body.slice(0, random.integer(0, Math.max(0, body.length - 1)))
    const delay = faults.strikes('answer-late') ? random.integer(httpTimeout, 2 * httpTimeout) : this.latency()
    timeline.after(delay, () => wake.resume({ ...response, body: () => body }))
  }

  private capture(request: Captured): void {
    if (this.captured.length < capturedMax) this.captured.push(request)
    else this.captured[this.random.integer(0, capturedMax - 1)] = request
  }

  private latency(): number {
    return this.random.chance(0.95) ? this.random.integer(5, 250) : this.random.integer(250, 9 * seconds)
  }

  /** Turns every outcome of an answer into a final refusal of the same message. Only the signature cannot be made. */
  private forge(answer: string): string {
    const [header, payload, signature] = answer.split('.')
    if (!payload || !signature) return answer
    const read = JSON.parse(Buffer.from(payload, 'base64url').toString('utf8'))
    const results = read.results.map((result: object) => ({ ...result, outcome: 'TYPE_UNKNOWN' }))
    return `${header}.${Buffer.from(JSON.stringify({ ...read, results })).toString('base64url')}.${signature}`
  }

  /** Changes one character into another that could stand there. */
  private tamper(text: string): string {
    if (text.length === 0) return 'x'
    const at = this.random.integer(0, text.length - 1)
    return `${text.slice(0, at)}${text[at] === 'A' ? 'B' : 'A'}${text.slice(at + 1)}`
  }
}
