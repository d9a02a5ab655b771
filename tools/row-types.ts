/**
 * Writes src/platform/db/row-types.ts from the migrated schema, or with --check says whether it still agrees.
 *
 * Why: code and schema cannot drift. The types come from a real database that the migrations have just made, not from
 * a reading of their text.
 */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { migrate } from '../src/platform/db/index.ts'
import { startEmbeddedPostgres } from '../src/platform/postgres/index.ts'
import { readColumns } from './row-types/read-columns.ts'
import { writeRowTypes } from './row-types/write-row-types.ts'

const target = fileURLToPath(new URL('../src/platform/db/row-types.ts', import.meta.url))

async function generate(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'dostyk-row-types-'))
  const postgres = await startEmbeddedPostgres({ folder: join(folder, 'pg') })
  try {
    const { ownerUrl } = await postgres.createDatabase('schema')
    await migrate(ownerUrl)
    return writeRowTypes(await readColumns(ownerUrl))
  } finally {
    await postgres.remove()
    await rm(folder, { recursive: true, force: true })
  }
}

const text = await generate()
if (process.argv.includes('--check')) {
  const kept = await readFile(target, 'utf8').catch(() => '')
  if (kept === text) process.stdout.write('row types agree with the migrations\n')
  else {
    process.stderr.write('row types differ from the migrations: run "npm run row-types" and look at the difference\n')
    process.exitCode = 1
  }
} else {
  await writeFile(target, text)
  process.stdout.write(`wrote ${target}\n`)
}
