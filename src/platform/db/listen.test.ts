import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../../../tests/builders/database.ts'
import { listen, notify } from './listen.ts'
import { withActor } from './with-actor.ts'

const by = { actor: 'test', purpose: 'testing' }
let test1: TestDatabase
beforeAll(async () => {
  test1 = await createTestDatabase()
})
afterAll(() => test1.drop())

const send = (channel: string, payload: string) => withActor(test1.database, by, (tx) => notify(tx, channel, payload))

async function waitFor(holds: () => boolean): Promise<void> {
  for (let waitedMs = 0; !holds() && waitedMs < 10_000; waitedMs += 10) await sleep(10)
}

describe('listen', () => {
  test('hears what was committed, on its channel only', async () => {
    const heard: unknown[] = []
    const subscription = await listen(test1.database, 'one', (payload) => heard.push(payload))
    await send('two', 'other')
    await send('one', 'first')
    await send('one', 'second')
    await waitFor(() => heard.length === 2)
    expect(heard).toEqual(['first', 'second'])
    await subscription.close()
  })

  test('hears nothing of a transaction that was rolled back', async () => {
    const heard: unknown[] = []
    const subscription = await listen(test1.database, 'one', (payload) => heard.push(payload))
    const failing = withActor(test1.database, by, async (tx) => {
      await notify(tx, 'one', 'never')
      throw new Error('no')
    })
    await expect(failing).rejects.toThrow('no')
    await send('one', 'after')
    await waitFor(() => heard.length > 0)
    expect(heard).toEqual(['after'])
    await subscription.close()
  })

  test('hears no more once it is closed, while others on the channel still do', async () => {
    const [first, second]: [unknown[], unknown[]] = [[], []]
    const closed = await listen(test1.database, 'one', (payload) => first.push(payload))
    const open = await listen(test1.database, 'one', (payload) => second.push(payload))
    await closed.close()
    await send('one', 'x')
    await waitFor(() => second.length > 0)
    expect([first, second]).toEqual([[], ['x']])
    await open.close()
  })

  test('mends a broken connection, and says that something may have been missed', async () => {
    const heard: unknown[] = []
    const subscription = await listen(test1.database, 'one', (payload) => heard.push(payload))
    const client = new pg.Client({ connectionString: test1.appUrl })
    await client.connect()
    await client.query(
      `select pg_terminate_backend(pid) from pg_stat_activity
       where application_name = 'dostyk listener' and datname = current_database()`,
    )
    await client.end()
    await waitFor(() => heard.length > 0)
    expect(heard).toEqual([undefined])
    await send('one', 'again')
    await waitFor(() => heard.length > 1)
    expect(heard).toEqual([undefined, 'again'])
    await subscription.close()
  })
})
