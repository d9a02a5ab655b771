import { execFileSync } from 'node:child_process'
import { mkdir, mkdtemp, readdir, readFile, rename, rm, symlink, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { SubmissionResult } from '../clearance/index.ts'
import { Fault } from '../kernel/index.ts'
import { watchFolder } from './watched-folder.ts'

let root: string
let inbox: string
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'dostyk-inbox-'))
  inbox = join(root, 'inbox')
  await mkdir(inbox)
})
afterEach(() => rm(root, { recursive: true, force: true }))

interface Taking {
  readonly name: string
  readonly text: string
}

/** A folder whose files are taken by a desk that a test can have fail, or do something else meanwhile. */
function watch(meanwhile: (taking: Taking) => Promise<Partial<SubmissionResult>> = async () => ({})) {
  const seen: Taking[] = []
  const reports: Array<{ readonly file: string | undefined; readonly cause: unknown }> = []
  const watched = watchFolder(
    inbox,
    async (name, source) => {
      const chunks: Uint8Array[] = []
      for await (const chunk of source) chunks.push(chunk)
      const taking = { name, text: Buffer.concat(chunks).toString() }
      seen.push(taking)
      const counts = { records: 1, taken: 1, unchanged: 0, refused: 0, bytes: 0, digest: '', results: [] }
      return { id: crypto.randomUUID(), mode: 'live', ...counts, ...(await meanwhile(taking)) }
    },
    (_code, cause, { file }) => reports.push({ file, cause }),
  )
  return { seen, reports, sweep: () => watched.sweep(), watched }
}

async function drop(name: string | Buffer, text = 'content'): Promise<void> {
  const path = Buffer.concat([Buffer.from(`${inbox}/`), Buffer.from(name)])
  await writeFile(path, text)
  await utimes(path, new Date(0), new Date(0))
}

const ids = /^[0-9a-f-]{36}-/
const lying = async (folder: string): Promise<string[]> =>
  (await readdir(join(inbox, folder))).map((name) => name.replace(ids, '')).sort()

describe('what is not the sender’s own file', () => {
  test('is left alone: links out of the folder, pipes, folders', async () => {
    await writeFile(join(root, 'secret'), 'of somebody else')
    await symlink(join(root, 'secret'), join(inbox, 'link.json'))
    await symlink('/nowhere', join(inbox, 'dangling.json'))
    execFileSync('mkfifo', [join(inbox, 'pipe.json')])
    await mkdir(join(inbox, 'folder.json'))
    await drop('own.json')
    const { seen, reports, sweep } = watch()
    expect(await sweep()).toBe(1)
    expect(seen).toEqual([{ name: 'own.json', text: 'content' }])
    expect(reports.map(({ file }) => file).sort()).toEqual(['dangling.json', 'link.json', 'pipe.json'])
    // Told once, and not again at every look.
    await sweep()
    expect(reports.length).toBe(3)
    expect(await readFile(join(root, 'secret'), 'utf8')).toBe('of somebody else')
  })

  test.each(['link', 'pipe'])('is not read when it came to stand where a file was claimed: a %s', async (kind) => {
    await writeFile(join(root, 'secret'), 'of somebody else')
    await mkdir(join(inbox, 'taking'))
    const place = join(inbox, 'taking', `${crypto.randomUUID()}-own.json`)
    if (kind === 'link') await symlink(join(root, 'secret'), place)
    else execFileSync('mkfifo', [place])
    const { seen, reports, sweep } = watch()
    expect(await sweep()).toBe(0)
    expect(seen).toEqual([])
    expect(reports.length).toBe(1)
  })

  test('gets nothing written for it through a link in place of our own folders', async () => {
    await mkdir(join(root, 'elsewhere'))
    await symlink(join(root, 'elsewhere'), join(inbox, 'taken'))
    await drop('own.json')
    const { seen, sweep } = watch()
    await expect(sweep()).rejects.toMatchObject({ code: 'platform/watched-folder' })
    expect(seen).toEqual([])
    expect(await readdir(join(root, 'elsewhere'))).toEqual([])
    expect(await readdir(inbox)).toContain('own.json')
  })
})

describe('names', () => {
  test.each([
    ['with a line break and terminal signs', 'a\n\u001b[31mb.json', 'a__[31mb.json'],
    ['that reads backwards', 'a\u202egnp.json', 'a_gnp.json'],
    ['that begins with a dash', '-rf.json', '-rf.json'],
    ['that is all of what a file system takes', `${'x'.repeat(250)}.json`, `${'x'.repeat(195)}.json`],
    ['of wide letters', `${'列'.repeat(80)}.json`, `${'列'.repeat(65)}.json`],
    ['of letters in pairs', `${'😀'.repeat(60)}.json`, /^\ufffd?(😀)+\.json$/u],
    ['that is no UTF-8', Buffer.from([0x61, 0xff, 0xfe, 0x2e, 0x6a]), 'a\ufffd\ufffd.j'],
  ])('%s are laid aside safely', async (_what, name, aside) => {
    await drop(name)
    const { seen, sweep } = watch()
    expect(await sweep()).toBe(1)
    const names = await lying('taken')
    expect(names.length).toBe(2)
    expect(names[0]).toMatch(aside)
    expect(names[1]).toBe(`${names[0]}.result.json`)
    expect(seen[0]?.name).toBe(names[0])
    expect((await readdir(inbox)).sort()).toEqual(['refused', 'taken', 'taking'])
  })
})

describe('files that change', () => {
  test('one that is replaced while it is read is two files', async () => {
    await drop('list.json', 'first')
    const { seen, sweep } = watch(async ({ text }) => {
      if (text === 'first') {
        await drop('.list.json', 'second')
        await rename(join(inbox, '.list.json'), join(inbox, 'list.json'))
      }
      return {}
    })
    expect(await sweep()).toBe(1)
    expect(await sweep()).toBe(1)
    expect(seen.map(({ text }) => text)).toEqual(['first', 'second'])
    expect((await lying('taken')).filter((name) => name === 'list.json')).toHaveLength(2)
  })

  test('one that is written to while it is read is taken again, whole', async () => {
    await drop('list.json', 'half')
    let writes = 0
    const { seen, sweep } = watch(async () => {
      if (writes++ === 0) {
        const [claimed] = await readdir(join(inbox, 'taking'))
        await writeFile(join(inbox, 'taking', claimed ?? ''), ' and half', { flag: 'a' })
      }
      return {}
    })
    expect(await sweep()).toBe(0)
    expect(await sweep()).toBe(0)
    await expect.poll(sweep, { timeout: 5000 }).toBe(1)
    expect(seen.map(({ text }) => text)).toEqual(['half', 'half and half'])
  })
})

describe('when something fails', () => {
  test('a file that cannot be taken waits longer each time, and the others go on', async () => {
    await drop('a.json')
    await drop('b.json')
    const { seen, reports, sweep } = watch(async ({ name }) => {
      if (name === 'a.json') throw new Fault('platform/database-unavailable', 'away', { retryable: true })
      return {}
    })
    expect(await sweep()).toBe(1)
    for (let looks = 0; looks < 20; looks += 1) await sweep()
    expect(seen.map(({ name }) => name)).toEqual(['a.json', 'b.json'])
    expect(reports.length).toBe(1)
    expect(await lying('taking')).toEqual(['a.json'])
  })

  test('what a process that died had begun is taken by the next, and only by one that starts', async () => {
    await drop('a.json')
    const died = watch(() => Promise.reject(new Error('killed')))
    await died.sweep()
    const running = watch()
    await drop('b.json')
    await running.sweep()
    expect(running.seen.map(({ name }) => name)).toEqual(['a.json', 'b.json'])
    await drop('c.json')
    const other = watch(() => Promise.reject(new Error('busy with it')))
    await other.sweep()
    await running.sweep()
    expect(running.seen.length).toBe(2)
    expect(await lying('taking')).toEqual(['c.json'])
  })

  test('nothing is read, and nothing repeated, where nothing can be moved', async () => {
    await drop('a.json')
    // Root may write everywhere, so what stands in the way is a file where a folder must be.
    await writeFile(join(inbox, 'taking'), '')
    const { seen, reports, watched } = watch()
    const running = watched.run(0.05)
    await sleep(500)
    watched.stop()
    await running
    expect(seen).toEqual([])
    expect(reports.length).toBeGreaterThan(0)
    expect(reports.length).toBeLessThan(6)
  })

  test('a folder that is gone is a fault that passes', async () => {
    const { sweep } = watch()
    await rm(inbox, { recursive: true })
    await writeFile(inbox, '')
    await expect(sweep()).rejects.toThrow()
  })
})

test('two watchers of one folder take each of many files once', async () => {
  const names = Array.from({ length: 300 }, (_, index) => `${index}.json`)
  for (const name of names) await drop(name)
  const [one, two] = [watch(), watch()]
  await one.sweep()
  await two.sweep()
  for (const name of names) await drop(`again-${name}`)
  await Promise.all([one.sweep(), two.sweep()])
  const seen = [...one.seen, ...two.seen].map(({ name }) => name)
  expect(seen.length).toBe(600)
  expect(new Set(seen).size).toBe(600)
  expect(one.reports.concat(two.reports)).toEqual([])
})
