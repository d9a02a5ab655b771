/** Files that a national system or a railway drops into the watched folder, well and badly. */
import { appendFile, mkdir, readdir, readFile, rename, symlink, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { sql } from 'kysely'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { SubmissionResult } from '../../src/clearance/index.ts'
import { eventually, startNodes, type TwoTestNodes } from '../builders/node.ts'
import { declaration, newNumber, received } from './journey.ts'

let two: TwoTestNodes
let inbox: string
beforeAll(async () => {
  two = await startNodes()
  inbox = join(two.cn.folder, 'inbox')
})
afterAll(() => two?.close())

const lines = (...ids: readonly string[]): string => ids.map((id) => `${JSON.stringify(declaration(id))}\n`).join('')

/** Lets a file look as if nobody had written to it for a while. */
async function settled(path: string): Promise<void> {
  const before = new Date(Date.now() - 60_000)
  await utimes(path, before, before)
}

async function drop(name: string, text: string): Promise<void> {
  // Written under a name that nobody takes, then moved: as a careful sender does it.
  const draft = join(inbox, `.${name}`)
  await writeFile(draft, text)
  await settled(draft)
  await rename(draft, join(inbox, name))
}

/** What became of a file, once it was taken. */
async function resultOf(folder: 'taken' | 'refused', name: string): Promise<readonly SubmissionResult[]> {
  const names = async () =>
    (await readdir(join(inbox, folder)).catch(() => [])).filter((each) => each.endsWith(`${name}.result.json`))
  await eventually(async () => (await names()).length > 0)
  return await Promise.all(
    (await names()).map(
      async (each) => JSON.parse(await readFile(join(inbox, folder, each), 'utf8')) as SubmissionResult,
    ),
  )
}

const submissions = async (name: string): Promise<number> => {
  const [row] = await two.cn.rows(
    sql<{ count: number }>`select count(*)::int as count from clearance.submission where file_name = ${name}`,
  )
  return row?.count ?? 0
}

test('a file is taken, sent, and laid aside with its account', async () => {
  const id = newNumber()
  await drop('one.ndjson', lines(id))
  expect(await resultOf('taken', 'one.ndjson')).toMatchObject([{ records: 1, taken: 1, refused: 0 }])
  expect(await readdir(inbox)).not.toContain('one.ndjson')
  await two.settle()
  expect(await received(two.kz, id)).toMatchObject({ state: 'shown' })
})

test('the same file again changes nothing and is laid aside beside the first', async () => {
  const id = newNumber()
  await drop('twice.ndjson', lines(id))
  expect(await resultOf('taken', 'twice.ndjson')).toHaveLength(1)
  await drop('twice.ndjson', lines(id))
  await eventually(async () => (await resultOf('taken', 'twice.ndjson')).length === 2)
  const results = await resultOf('taken', 'twice.ndjson')
  expect(results.map(({ taken, unchanged }) => [taken, unchanged]).sort()).toEqual([
    [0, 1],
    [1, 0],
  ])
})

test('a file under a draft’s name, or written to a moment ago, is left alone', async () => {
  const id = newNumber()
  for (const name of ['draft.ndjson.part', '.hidden.ndjson', 'draft.tmp']) {
    await writeFile(join(inbox, name), lines(id))
    await settled(join(inbox, name))
  }
  await writeFile(join(inbox, 'fresh.ndjson'), lines(id))
  await sleep(1200)
  expect(await readdir(inbox)).toEqual(
    expect.arrayContaining(['draft.ndjson.part', '.hidden.ndjson', 'draft.tmp', 'fresh.ndjson']),
  )
  expect(await submissions('fresh.ndjson')).toBe(0)
  expect(await resultOf('taken', 'fresh.ndjson')).toMatchObject([{ taken: 1 }])
})

test('a file that is written slowly is taken when it is whole', async () => {
  const [first = '', second = ''] = [newNumber(), newNumber()]
  const path = join(inbox, 'slow.ndjson')
  const whole = lines(first, second)
  await writeFile(path, '')
  for (let at = 0; at < whole.length; at += 1500) {
    await appendFile(path, whole.slice(at, at + 1500))
    await sleep(400)
  }
  expect(await resultOf('taken', 'slow.ndjson')).toMatchObject([{ records: 2, taken: 2, refused: 0 }])
})

test('a file of which nothing can be read is refused whole, with the reason, and nothing else stops', async () => {
  const id = newNumber()
  await drop('noise.bin', Buffer.from([0x7f, 0x45, 0x4c, 0x46, 0, 1, 2, 3, 0xff]).toString('latin1'))
  await drop('good.ndjson', lines(id))
  const [refused] = await resultOf('refused', 'noise.bin')
  expect(refused).toMatchObject({ taken: 0, refused: 1 })
  expect(refused?.results[0]?.problems[0]?.code).toMatch(/^intake\//)
  expect(await resultOf('taken', 'good.ndjson')).toMatchObject([{ taken: 1 }])
})

test('a bad line costs that line only, and says which', async () => {
  const [first = '', last = ''] = [newNumber(), newNumber()]
  await drop('mixed.ndjson', `${lines(first)}{"record":"declaration","content":{}}\n${lines(last)}`)
  const [result] = await resultOf('taken', 'mixed.ndjson')
  expect(result).toMatchObject({ records: 3, taken: 2, refused: 1 })
  expect(result?.results.find(({ outcome }) => outcome === 'refused')).toMatchObject({ line: 2, position: 2 })
})

test('what cannot be opened waits and leaves no trace in the books', async () => {
  await mkdir(join(inbox, 'folder.json'))
  await symlink(join(inbox, 'nowhere'), join(inbox, 'dangling.json'))
  await symlink('/proc/self/mem', join(inbox, 'memory.json'))
  const id = newNumber()
  await drop('after.ndjson', lines(id))
  expect(await resultOf('taken', 'after.ndjson')).toHaveLength(1)
  await sleep(1500)
  expect(await submissions('folder.json')).toBe(0)
  expect(await submissions('dangling.json')).toBe(0)
  expect(await submissions('memory.json')).toBeLessThan(3)
})

test('a file with a very long name is laid aside under the end of it', async () => {
  const name = `${'очень-'.repeat(18)}конец.ndjson`
  await drop(name, lines(newNumber()))
  expect(await resultOf('taken', 'конец.ndjson')).toMatchObject([{ taken: 1 }])
})

test('two processes of one node take each file once', async () => {
  const second = await two.cn.startSecond()
  try {
    const names = Array.from({ length: 6 }, (_, index) => `shared-${index}.ndjson`)
    for (const name of names) await drop(name, lines(newNumber()))
    for (const name of names) expect(await resultOf('taken', name)).toMatchObject([{ taken: 1, unchanged: 0 }])
    for (const name of names) expect(await submissions(name)).toBe(1)
  } finally {
    await second.stop()
  }
})
