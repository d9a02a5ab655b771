import { setTimeout as sleep } from 'node:timers/promises'
import { sql } from 'kysely'
import pg from 'pg'
import type { Database } from './database.ts'
import type { Transaction } from './with-actor.ts'

/** What a listener is told: the payload of a notification, or undefined when some may have been missed. */
export type NotificationHandler = (payload: string | undefined) => void

export interface Subscription {
  close(): Promise<void>
}

const RECONNECT_DELAY_MS = 500

/** Wakes whoever listens on the channel, when and only if the transaction commits. */
export async function notify(tx: Transaction, channel: string, payload = ''): Promise<void> {
  await sql`select pg_notify(${channel}, ${payload})`.execute(tx)
}

/** The one connection of a database that listens, for all who subscribe. */
class Listener {
  private readonly database: Database
  private readonly handlers = new Map<string, Set<NotificationHandler>>()
  private client: pg.Client | undefined
  private connecting: Promise<void> | undefined

  constructor(database: Database) {
    this.database = database
  }

  async subscribe(channel: string, handler: NotificationHandler): Promise<void> {
    const handlers = this.handlers.get(channel) ?? new Set()
    this.handlers.set(channel, handlers.add(handler))
    if (this.client && handlers.size === 1) await this.client.query(`listen ${pg.escapeIdentifier(channel)}`)
    this.connecting ??= this.stayConnected()
    await this.connecting
  }

  /** @returns whether anybody still listens */
  async unsubscribe(channel: string, handler: NotificationHandler): Promise<boolean> {
    this.handlers.get(channel)?.delete(handler)
    if (this.handlers.get(channel)?.size === 0) this.handlers.delete(channel)
    if (this.handlers.size > 0) return true
    const { client } = this
    this.client = undefined
    await client?.end().catch(() => {})
    return false
  }

  /** Resolves at the first connection; later breaks are mended in the background. */
  private async stayConnected(): Promise<void> {
    for (;;) {
      try {
        await this.connect()
        return
      } catch {
        if (this.handlers.size === 0) return
        await sleep(RECONNECT_DELAY_MS, undefined, { ref: false })
      }
    }
  }

  private async connect(): Promise<void> {
    const client = new pg.Client({
      connectionString: this.database.sessionUrl,
      application_name: 'dostyk listener',
      keepAlive: true,
    })
    client.on('error', () => {})
    await client.connect()
    for (const channel of this.handlers.keys()) await client.query(`listen ${pg.escapeIdentifier(channel)}`)
    client.on('notification', ({ channel, payload }) => {
      for (const handler of this.handlers.get(channel) ?? []) handler(payload)
    })
    client.once('end', async () => {
      if (this.client !== client) return
      this.client = undefined
      await this.stayConnected()
      for (const handlers of this.handlers.values()) for (const handler of handlers) handler(undefined)
    })
    this.client = client
  }
}

const listeners = new WeakMap<Database, Listener>()

/**
 * Calls the handler at each notification on a channel, until closed.
 *
 * Why: workers wake at once instead of polling often. A notification is a hint, never a fact: after a broken
 * connection the handler is called with undefined, because some may have been missed.
 */
export async function listen(database: Database, channel: string, handler: NotificationHandler): Promise<Subscription> {
  const listener = listeners.get(database) ?? new Listener(database)
  listeners.set(database, listener)
  await listener.subscribe(channel, handler)
  return {
    close: async () => {
      if (!(await listener.unsubscribe(channel, handler))) listeners.delete(database)
    },
  }
}
