/** Looks for the usual causes when a node does not work, from the configuration outwards. */
import { createServer } from 'node:net'
import { listPartners, summariseLinks } from '../exchange/index.ts'
import { Fault } from '../kernel/index.ts'
import { migrate, openDatabase, withActor } from './db/index.ts'
import { type NodeServices, openNode } from './node.ts'
import { PeerClient } from './peer/index.ts'
import { prepareConfig } from './running-config.ts'

export interface Finding {
  readonly check: string
  readonly state: 'ok' | 'warning' | 'failed'
  readonly code?: string
  readonly facts?: Readonly<Record<string, unknown>>
}

const keyWarningDays = 14
const clockWarningMs = 5000

/** Runs every check that can still be run; one that fails does not hide the others. */
export async function diagnose(
  path: string,
  env: Readonly<Record<string, string | undefined>>,
): Promise<readonly Finding[]> {
  const findings: Finding[] = []
  const note = (check: string, state: Finding['state'], code?: string, facts?: Finding['facts']): void => {
    findings.push({ check, state, ...(code && { code }), ...(facts && { facts }) })
  }
  const failed = (check: string, error: unknown): void => {
    const known = error instanceof Fault
    note(check, 'failed', known ? error.code : 'platform/failure', known ? error.facts : {})
  }
  let prepared: Awaited<ReturnType<typeof prepareConfig>>
  try {
    prepared = await prepareConfig(path, env)
    note('configuration', 'ok')
  } catch (error) {
    failed('configuration', error)
    return findings
  }
  try {
    await migrate(prepared.database.ownerUrl)
    note('database', 'ok')
    const db = openDatabase({ url: prepared.database.url, max: 2 })
    try {
      const node = await openNode(prepared.config, db, prepared.passphrase)
      note('keys', 'ok')
      checkKeys(node, note)
      for (const [check, address] of [
        ['http port', prepared.config.http],
        ['exchange port', prepared.config.exchange],
      ] as const)
        note(
          check,
          (await isFree(address)) ? 'ok' : 'warning',
          (await isFree(address)) ? undefined : 'platform/port-in-use',
          { port: address.port },
        )
      await checkPartners(node, note)
    } catch (error) {
      failed('keys', error)
    } finally {
      await db.close()
    }
  } catch (error) {
    failed('database', error)
  } finally {
    await prepared.stop()
  }
  return findings
}

type Note = (check: string, state: Finding['state'], code?: string, facts?: Finding['facts']) => void

function checkKeys(node: NodeServices, note: Note): void {
  const expiresMs = Math.min(...(['test', 'live'] as const).map((mode) => Date.parse(node.keys.keysetExpiresAt(mode))))
  const days = Math.floor((expiresMs - Date.now()) / 86_400_000)
  if (days < 0) note('key expiry', 'failed', 'platform/keys-expired', { days: -days })
  else if (days < keyWarningDays) note('key expiry', 'warning', 'platform/keys-expire-soon', { days })
  else note('key expiry', 'ok')
}

/** A port that a running node of ours holds is no fault; it is told so that a stranger on it is noticed. */
async function isFree({ host, port }: { host: string; port: number }): Promise<boolean> {
  if (port === 0) return true
  return await new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen(port, host, () => server.close(() => resolve(true)))
  })
}

async function checkPartners(node: NodeServices, note: Note): Promise<void> {
  const by = { actor: node.me, purpose: 'administration' }
  const { partners, links } = await withActor(node.db, by, async (tx) => ({
    partners: await listPartners(tx),
    links: await summariseLinks(tx),
  }))
  if (partners.length === 0) return note('partner', 'warning', 'platform/no-partner')
  const approved = await node.exchange.partners()
  const client = new PeerClient(node.keys.tls, 5)
  try {
    for (const { id, state } of partners) {
      const partner = approved.find((each) => each.id === id)
      if (!partner) {
        note(`partner ${id}`, 'warning', 'platform/partner-not-approved', { partner: id, state })
        continue
      }
      const { decision } = await node.gate(id)
      if (decision.ok) note(`channel ${id}`, 'ok')
      else note(`channel ${id}`, 'warning', decision.refusal.code, { ...decision.refusal })
      const pins = (partner.keyrings.live ?? partner.keyrings.test)?.tlsPins ?? []
      try {
        await client.post({ endpoint: partner.endpoint, pins }, '/exchange/v1/ping', '')
        note(`reach ${id}`, 'ok')
      } catch (error) {
        note(`reach ${id}`, 'failed', error instanceof Fault ? error.code : 'exchange/peer-unreachable', {
          partner: id,
        })
      }
      const offset = links.find((link) => link.partner === id && link.clockOffsetMs !== null)?.clockOffsetMs ?? 0
      if (Math.abs(offset) > clockWarningMs)
        note(`clock ${id}`, 'warning', 'platform/clock-differs', { seconds: Math.round(offset / 1000) })
    }
  } finally {
    client.close()
  }
}
