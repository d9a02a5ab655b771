/**
 * Checks the published contracts, or makes anew what is generated of them.
 *
 * `npm run contracts` prints the digests and ends with 1 when a generated file is not what would be made now, when a
 * vector and the program differ, or when a frozen version has changed. `-- --write` makes the generated files anew.
 * `-- --freeze stop/1.0 --on 2027-01-31` freezes a version by its digests, once, at its first production approval.
 */
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { dirname, join, relative, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { clearanceCodes } from '../src/clearance/codes.ts'
import { parseConditions } from '../src/clearance/conditions/index.ts'
import { readReference } from '../src/clearance/reference/index.ts'
import { Fault, isPlainDate } from '../src/kernel/index.ts'
import { readTreaties } from '../src/law/index.ts'
import { checkVectors } from './contracts/check-vectors.ts'
import { makePlainPackage } from './contracts/plain-package.ts'
import { publishedCodes } from './contracts/published-codes.ts'
import { makeStopPackage, type PackageFindings, prettyJson } from './contracts/stop-package.ts'
import type { ElementWords } from './contracts/write-data-items.ts'

const ROOT = fileURLToPath(new URL('..', import.meta.url))

/** Every file under a folder by path with forward slashes; an absent folder has none. */
async function readTexts(folder: string): Promise<Map<string, string>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => [])
  const files = entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort()
  const texts = await Promise.all(files.map((file) => readFile(file, 'utf8')))
  return new Map(files.map((file, at) => [relative(folder, file).split(sep).join('/'), texts[at] ?? '']))
}

/** Files that only this tool makes: one that would not be made now is a leftover. */
const isGenerated = (file: string) => file.startsWith('body/schemas/') || file.startsWith('documents/')

/** What differs between the folder and what would be made now. */
export function findDrift(texts: ReadonlyMap<string, string>, generated: ReadonlyMap<string, string>): string[] {
  const drift = [...generated].filter(([file, text]) => texts.get(file) !== text).map(([file]) => file)
  const leftovers = [...texts.keys()].filter((file) => isGenerated(file) && !generated.has(file))
  return [...drift, ...leftovers]
}

async function makeStop(folder: string, texts: ReadonlyMap<string, string>): Promise<PackageFindings> {
  const law = readTreaties(join(ROOT, 'treaties'))
  const knowsClause = (ref: string) => {
    try {
      law.clause(ref)
      return true
    } catch (error) {
      if (error instanceof Fault) return false
      throw error
    }
  }
  const words: ElementWords = JSON.parse(await readFile(join(ROOT, 'tools/contracts/element-words.json'), 'utf8'))
  const made = makeStopPackage(texts, words, publishedCodes(clearanceCodes), knowsClause)
  const conditions = parseConditions(new Map([...texts, ...made.generated]))
  if (!conditions.ok || made.problems.length > 0) return made
  const reference = await readReference(new URL(`file://${folder}/annexes/code-lists/`))
  const vectors = checkVectors(await readTexts(join(folder, 'vectors')), conditions.value, reference)
  return { ...made, problems: vectors }
}

async function freeze(folder: string, made: PackageFindings, on: string): Promise<void> {
  const index = JSON.parse(made.generated.get('index.json') ?? '{}') as Record<string, unknown>
  const { version, bodyDigest, annexes, digest } = index
  const frozen = bodyDigest ? { version, frozenOn: on, bodyDigest, annexes } : { frozenOn: on, digest }
  await writeFile(join(folder, 'frozen.json'), prettyJson(frozen), { flag: 'wx' })
}

export async function runContracts(args: readonly string[], print: (line: string) => void): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: { write: { type: 'boolean' }, freeze: { type: 'string' }, on: { type: 'string' } },
  })
  if (values.freeze !== undefined && !isPlainDate(values.on ?? '')) {
    print('--freeze needs --on YYYY-MM-DD, the day of the first production approval')
    return 2
  }
  let failed = false
  for (const name of ['stop/1.0', 'exchange/1.0']) {
    const folder = join(ROOT, 'contracts', name)
    const make = async (texts: ReadonlyMap<string, string>) =>
      name.startsWith('stop/') ? makeStop(folder, texts) : makePlainPackage(texts)
    let texts = await readTexts(folder)
    if (texts.size === 0) continue
    let made = await make(texts)
    if (values.freeze === name && made.problems.length === 0) {
      await freeze(folder, made, values.on ?? '')
      texts = await readTexts(folder)
      made = await make(texts)
    }
    const drift = findDrift(texts, made.generated)
    print(`${name} ${made.status}`)
    for (const [part, digest] of made.digests) print(`  ${digest}  ${part}`)
    for (const problem of made.problems) print(`  wrong: ${problem}`)
    if ((values.write || values.freeze === name) && made.generated.size > 0) {
      for (const file of drift) {
        const text = made.generated.get(file)
        const path = join(folder, file)
        await mkdir(dirname(path), { recursive: true })
        if (text === undefined) await rm(path)
        else await writeFile(path, text)
        print(`  ${text === undefined ? 'removed' : 'written'}: ${file}`)
      }
    } else if (made.generated.size > 0) {
      for (const file of drift) print(`  differs from what would be made: ${file}; run npm run contracts -- --write`)
      failed ||= drift.length > 0
    }
    failed ||= made.problems.length > 0
  }
  return failed ? 1 : 0
}

if (process.argv[1] === import.meta.filename)
  process.exitCode = await runContracts(process.argv.slice(2), (line) => process.stdout.write(`${line}\n`))
