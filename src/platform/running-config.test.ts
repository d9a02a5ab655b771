import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { initialiseNode } from './init.ts'
import { startEmbeddedPostgres } from './postgres/index.ts'
import { prepareConfig } from './running-config.ts'

let folder: string
let configPath: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dostyk-run-'))
  await chmod(folder, 0o755)
  configPath = (
    await initialiseNode({
      folder: join(folder, 'node'),
      administration: 'KZ-KGD',
      zone: 'Asia/Almaty',
      httpPort: 0,
      exchangePort: 0,
      publicUrl: 'https://127.0.0.1:1',
      embedded: { folder: '../postgres' },
      now: new Date(),
    })
  ).configPath
})
afterEach(() => rm(folder, { recursive: true }))

async function answersAt(url: string): Promise<boolean> {
  const client = new pg.Client({ connectionString: url })
  client.on('error', () => {})
  return await client.connect().then(
    async () => {
      await client.end()
      return true
    },
    () => false,
  )
}

describe('an embedded database', () => {
  test('is ended by the one who started it', async () => {
    const prepared = await prepareConfig(configPath, {})
    expect(await answersAt(prepared.database.url)).toBe(true)
    await prepared.stop()
    expect(await answersAt(prepared.database.url)).toBe(false)
  })

  test('is joined while another runs it, and taken over at the same address when that one ends', async () => {
    const owner = await startEmbeddedPostgres({ folder: join(folder, 'postgres') })
    const joined = await prepareConfig(configPath, {})
    try {
      expect(await answersAt(joined.database.url)).toBe(true)
      await owner.stop()
      let answers = false
      for (let tries = 0; tries < 100 && !answers; tries += 1) {
        await sleep(100)
        answers = await answersAt(joined.database.url)
      }
      expect(answers).toBe(true)
    } finally {
      await joined.stop()
    }
    expect(await answersAt(joined.database.url)).toBe(false)
  })

  test('gives way to the database that the environment names', async () => {
    const prepared = await prepareConfig(configPath, { DATABASE_URL: 'postgres://nobody@127.0.0.1:1/none' })
    expect(prepared.database).toEqual({
      url: 'postgres://nobody@127.0.0.1:1/none',
      ownerUrl: 'postgres://nobody@127.0.0.1:1/none',
    })
  })
})

describe('what is missing', () => {
  test('is named: the database', async () => {
    const path = (
      await initialiseNode({
        folder: join(folder, 'other'),
        administration: 'KZ-KGD',
        zone: 'Asia/Almaty',
        httpPort: 0,
        exchangePort: 0,
        publicUrl: 'https://127.0.0.1:1',
        now: new Date(),
      })
    ).configPath
    await expect(prepareConfig(path, {})).rejects.toMatchObject({ code: 'platform/database-not-named' })
  })

  test('is named: the passphrase', async () => {
    await rm(join(folder, 'node', 'passphrase'))
    await expect(prepareConfig(configPath, {})).rejects.toMatchObject({ code: 'platform/keys-missing' })
  })
})
