/** What an operator sees of a running node: structured logs without content, and counters. */
import { type Logger, pino, stdSerializers } from 'pino'
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'
import { Fault } from '../../kernel/index.ts'
import type { Config } from '../config/index.ts'

/** Members that a log line may have. Anything else is dropped, so that no content can slip into a log. */
const allowed = new Set([
  'administration',
  'code',
  'correlationId',
  'count',
  'durationMs',
  'err',
  'exchangePort',
  'file',
  'http',
  'id',
  'messages',
  'migrations',
  'mode',
  'name',
  'outcome',
  'partner',
  'port',
  'reason',
  'records',
  'refused',
  'retryable',
  'status',
  'submission',
  'type',
  'version',
])

function onlyAllowed(line: object): Record<string, unknown> {
  return Object.fromEntries(Object.entries(line).filter(([name]) => allowed.has(name)))
}

/** An error without what it was about: a driver's message may repeat the row it failed on. */
function plainError(error: unknown): object {
  if (error instanceof Fault) return { code: error.code, retryable: error.retryable, message: error.message }
  if (!(error instanceof Error)) return { type: typeof error }
  const { code } = error as { code?: unknown }
  const frames = (stdSerializers.err(error).stack ?? '').split('\n').filter((line) => /^\s+at /.test(line))
  return { type: error.name, ...(typeof code === 'string' && { code }), stack: frames.slice(0, 6).join('\n') }
}

export interface Metrics {
  readonly submissions: Counter<'channel'>
  readonly records: Counter<'outcome'>
  readonly framesAnswered: Counter<'outcome'>
  readonly framesSent: Counter<'outcome'>
  readonly requestSeconds: Histogram<'route' | 'status'>
  readonly queued: Gauge<'partner' | 'mode'>
  readonly oldestQueuedSeconds: Gauge<'partner' | 'mode'>
  readonly parked: Gauge<'partner' | 'mode'>
  readonly linkFailing: Gauge<'partner' | 'mode'>
  readonly clockOffsetSeconds: Gauge<'partner' | 'mode'>
}

export interface Telemetry {
  readonly logger: Logger
  readonly registry: Registry
  readonly metrics: Metrics
}

/** @param destination where log lines go; standard output, unless said otherwise */
export function createTelemetry(
  config: Pick<Config, 'log' | 'administration'>,
  destination?: { write(line: string): void },
): Telemetry {
  const options = {
    level: config.log.level,
    base: { administration: config.administration.id },
    timestamp: () => `,"time":"${new Date().toISOString()}"`,
    serializers: { err: plainError },
    formatters: { log: onlyAllowed },
  }
  const logger = destination ? pino(options, destination) : pino(options)
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  const named = <Names extends string>(name: string, help: string, labelNames: readonly Names[]) => ({
    name: `dostyk_${name}`,
    help,
    labelNames: [...labelNames],
    registers: [registry],
  })
  return {
    logger,
    registry,
    metrics: {
      submissions: new Counter(named('submissions_total', 'Submissions taken', ['channel'])),
      records: new Counter(named('records_total', 'Records by what became of them', ['outcome'])),
      framesAnswered: new Counter(named('frames_answered_total', 'Frames of partners by outcome', ['outcome'])),
      framesSent: new Counter(named('frames_sent_total', 'Frames sent by how the attempt ended', ['outcome'])),
      requestSeconds: new Histogram({
        ...named('request_seconds', 'Requests of home systems', ['route', 'status']),
        buckets: [0.005, 0.02, 0.05, 0.1, 0.25, 1, 5, 30],
      }),
      queued: new Gauge(named('queued_messages', 'Messages that wait to be carried', ['partner', 'mode'])),
      oldestQueuedSeconds: new Gauge(
        named('queue_age_seconds', 'Age of the oldest message that waits', ['partner', 'mode']),
      ),
      parked: new Gauge(named('parked_messages', 'Messages that wait for a person', ['partner', 'mode'])),
      linkFailing: new Gauge(named('link_failing', '1 while a partner does not answer', ['partner', 'mode'])),
      clockOffsetSeconds: new Gauge(
        named('clock_offset_seconds', 'The partner’s clock against ours', ['partner', 'mode']),
      ),
    },
  }
}
