/** Runs one node: its servers for partners and for home systems, and the workers between them. */
import { setTimeout as sleep } from 'node:timers/promises'
import { sql } from 'kysely'
import { recordEvents, startSequencer } from '../audit/index.ts'
import { outboxChannel, signAllWaiting, takeSubmission } from '../clearance/index.ts'
import { answerFrames, frameLimits, isPeerKnown, Sender } from '../exchange/index.ts'
import { type ApiNode, registerApi } from './api/index.ts'
import { type Database, listen, migrate, openDatabase, withActor } from './db/index.ts'
import { listenHttp, makeHttpServer } from './http/server.ts'
import { gatesChannel, type NodeServices, openNode, parkTestMessages } from './node.ts'
import { openPeerServer, PeerClient } from './peer/index.ts'
import type { RunningConfig } from './running-config.ts'
import { createTelemetry } from './telemetry/index.ts'
import { version } from './version.ts'
import { watchFolder } from './watched-folder.ts'

export interface RunningNode {
  readonly httpUrl: string
  readonly exchangePort: number
  /** Ends in order: no new work, what is under way finishes, then the doors close. */
  close(): Promise<void>
}

const framesPath = '/exchange/v1/frames'
/** A partner's sender has one frame under way per process; what is under way is what this process must hold in memory. */
const peerLimits = {
  bodyBytesMax: frameLimits.wireBytesMax,
  requestSecondsMax: 30,
  connectionsMax: 200,
  strangersMax: 50,
  requestsPerPeerMax: 8,
} as const
const housekeepingSeconds = 60
/** What is signed a while after the gates opened without a hint. */
const waitingSeconds = 2
/** What is under way when the node stops may finish within this time; then it is broken off, and nothing is lost by it. */
const graceSeconds = 5
/** Request ids are kept this long: longer than the window in which a request is believed. */
const requestKeptMinutes = 10

export async function startNode({ config, database, passphrase }: RunningConfig): Promise<RunningNode> {
  const telemetry = createTelemetry(config)
  const { logger } = telemetry
  const applied = await migrate(database.ownerUrl)
  if (applied.applied.length > 0) logger.info({ migrations: applied.applied.length }, 'database migrated')
  const db = openDatabase({
    url: database.url,
    onIdleError: () => logger.warn({ code: 'platform/database-unavailable' }, 'idle connection broke'),
  })
  const report = (code: string, cause: unknown, facts: Readonly<Record<string, string | undefined>>): void =>
    logger.warn({ code, err: cause, ...facts }, 'a worker will try again')
  const node = await openNode(config, db, passphrase, report)
  const client = new PeerClient(node.keys.tls)
  const sender = new Sender(node.exchange, db, (partner, body) => client.post(partner, framesPath, body))
  const api: ApiNode = {
    ...node,
    reference: node.clearance.reference,
    telemetry,
    submit: (request, source) => takeSubmission(db, node.clearanceContext, request, source),
    wake: () => sender.wake(),
  }
  const http = await makeHttpServer({ db, logger, version, bodyBytesMax: 1024 * 1024, now: node.exchange.now })
  await registerApi(http, api)
  const peers = await openPeerServer(node.keys.tls, config.exchange, peerLimits, {
    knows: (pin) => isPeerKnown(node.exchange, pin),
    refused: (code) => {
      const outcome = code.replace('exchange/', '').replaceAll('-', '_').toUpperCase()
      telemetry.metrics.framesAnswered.inc({ outcome })
    },
    answer: async ({ peerPin, path, body }) => {
      if (path !== framesPath)
        return {
          status: 404,
          contentType: 'application/problem+json',
          body: JSON.stringify({ status: 404, code: 'platform/not-found' }),
        }
      try {
        const answer = await answerFrames(node.exchange, db, { peerPin, body })
        telemetry.metrics.framesAnswered.inc({ outcome: answer.outcome })
        if (answer.answersQueued) sender.wake()
        return answer
      } catch (error) {
        report('exchange/busy', error, {})
        throw error
      }
    },
  })
  const httpUrl = await listenHttp(http, config.http)
  await withActor(db, { actor: node.me, purpose: 'administration' }, (tx) =>
    recordEvents(tx, { actor: node.me, purpose: 'administration' }, [
      { type: 'node.started', subject: node.me, facts: { version } },
    ]),
  )
  const stopping = new AbortController()
  const sequencer = startSequencer(db, (error) => report('audit/sequencer', error, {}))
  const outbox = await listen(db, outboxChannel, () => sender.wake())
  const gates = await listen(db, gatesChannel, () => {
    node.refresh()
    sender.wake()
  })
  const folder = config.intake.watchedFolder
  const watched = folder
    ? watchFolder(
        folder,
        (fileName, source) =>
          takeSubmission(db, node.clearanceContext, { channel: 'folder', source: 'folder', fileName }, source),
        (code, cause, facts) => report(code, cause, facts),
      )
    : undefined
  const workers = [
    sender.run(),
    watched?.run(1),
    every(
      waitingSeconds,
      stopping.signal,
      async () => {
        if ((await signAllWaiting(db, node.clearanceContext)) > 0) sender.wake()
        await parkLeftTest(node)
      },
      report,
    ),
    every(housekeepingSeconds, stopping.signal, () => forgetRequests(db), report),
  ]
  logger.info({ http: httpUrl, exchangePort: peers.port }, 'node started')
  let closed: Promise<void> | undefined
  const close = async (): Promise<void> => {
    stopping.abort()
    watched?.stop()
    sender.stop()
    const hurry = setTimeout(() => {
      http.server.closeAllConnections()
      peers.breakOff()
      client.close()
      watched?.breakOff()
    }, graceSeconds * 1000)
    await http.close()
    await peers.close()
    await Promise.allSettled(workers)
    clearTimeout(hurry)
    client.close()
    await outbox.close()
    await gates.close()
    await withActor(db, { actor: node.me, purpose: 'administration' }, (tx) =>
      recordEvents(tx, { actor: node.me, purpose: 'administration' }, [
        { type: 'node.stopped', subject: node.me, facts: {} },
      ]),
    ).catch((error: unknown) => report('platform/database-unavailable', error, {}))
    await sequencer.stop()
    await db.close()
    logger.info('node stopped')
  }
  return {
    httpUrl,
    exchangePort: peers.port,
    close: () => {
      closed ??= close()
      return closed
    },
  }
}

async function every(
  seconds: number,
  signal: AbortSignal,
  work: () => Promise<void>,
  report: (code: string, cause: unknown, facts: Readonly<Record<string, string>>) => void,
): Promise<void> {
  while (!signal.aborted) {
    await work().catch((error: unknown) => report('platform/worker', error, {}))
    await sleep(seconds * 1000, undefined, { signal }).catch(() => {})
  }
}

/** A message may have been signed for the test in the moment in which the test was left. */
async function parkLeftTest(node: NodeServices): Promise<void> {
  const partner = await node.findPartner()
  if (!partner || (await node.gate(partner)).facts.state === 'test') return
  const by = { actor: node.me, purpose: 'exchange' }
  await withActor(node.db, by, (tx) => parkTestMessages(tx, partner, by))
}

async function forgetRequests(db: Database): Promise<void> {
  await withActor(db, { actor: 'housekeeping', purpose: 'exchange' }, (tx) =>
    sql`delete from exchange.request_seen where seen_at < now() - make_interval(mins => ${requestKeptMinutes})`.execute(
      tx,
    ),
  )
}
