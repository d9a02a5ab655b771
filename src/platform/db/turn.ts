import pg from 'pg'
import type { Database } from './database.ts'

/** A work that one process of a node does at a time. */
export interface Turn {
  /** Whether it is this process's turn now; it stays so until `close` or the end of the process. */
  mine(): Promise<boolean>
  close(): Promise<void>
}

/**
 * Lets the processes of a node take turns at a work: the first that asks holds it for as long as its connection lives.
 *
 * Why a lock of the session and not a row: when the process dies its connection dies, and another goes on at once.
 */
export function openTurn(database: Database, name: string): Turn {
  let client: pg.Client | undefined
  let held = false
  const connected = async (): Promise<pg.Client> => {
    if (client) return client
    const made = new pg.Client({
      connectionString: database.sessionUrl,
      application_name: 'dostyk turn',
      keepAlive: true,
    })
    const lost = (): void => {
      if (client !== made) return
      client = undefined
      held = false
    }
    made.on('error', lost)
    made.on('end', lost)
    await made.connect()
    client = made
    return made
  }
  return {
    mine: async () => {
      if (held && client) return true
      const { rows } = await (await connected()).query<{ held: boolean }>(
        `select pg_try_advisory_lock(hashtextextended($1, 0)) as held`,
        [name],
      )
      held = rows[0]?.held ?? false
      return held
    },
    close: async () => {
      const ending = client
      client = undefined
      held = false
      await ending?.end().catch(() => {})
    },
  }
}
