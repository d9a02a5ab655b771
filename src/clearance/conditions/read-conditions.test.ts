import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { Fault } from '../../kernel/index.ts'
import { readConditions, SHIPPED_CONDITIONS } from './index.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'conditions-'))
  await cp(SHIPPED_CONDITIONS, folder, { recursive: true })
})
afterEach(() => rm(folder, { recursive: true }))

const faultOf = (reading: Promise<unknown>): Promise<Fault> =>
  reading.then(
    () => expect.fail('it was read'),
    (error: unknown) => {
      expect(error).toBeInstanceOf(Fault)
      return error as Fault
    },
  )

describe('readConditions', () => {
  test('reads a copy of the folder as the same version', async () => {
    const [copy, shipped] = await Promise.all([readConditions(folder), readConditions()])
    expect(copy.bodyDigest).toBe(shipped.bodyDigest)
    expect(copy.codeLists.get('currencies')?.codes).toContain('KZT')
    expect(copy.checkpoints.map(({ id }) => id)).toEqual(['dostyk-alashankou', 'altynkol-khorgos'])
  })

  test('ignores what is for people: documents, vectors and prose', async () => {
    await rm(join(folder, 'documents'), { recursive: true })
    await rm(join(folder, 'vectors'), { recursive: true })
    await writeFile(join(folder, 'body/NOTES.md'), 'a note')
    expect((await readConditions(folder)).version).toBe('1.0')
  })

  test('refuses a folder whose file was changed, and names the file', async () => {
    const file = join(folder, 'body/messages.json')
    await writeFile(file, (await readFile(file, 'utf8')).replace('"expiryDays": 120', '"expiryDays": 119'))
    const fault = await faultOf(readConditions(folder))
    expect([fault.code, fault.facts['file'], fault.retryable]).toEqual([
      'clearance/conditions-altered',
      'body/messages.json',
      false,
    ])
  })

  test('refuses a folder that is not there', async () => {
    expect((await faultOf(readConditions(join(folder, 'none')))).code).toBe('clearance/conditions-unreadable')
  })
})
