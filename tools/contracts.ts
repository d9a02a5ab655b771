/**
 * Checks the published contracts, or makes anew what is generated of them.
 *
 * `npm run contracts` prints the digests and ends with 1 when a generated file is not what would be made now, when a
 * vector and the program differ, or when a frozen version has changed. `-- --write` makes the generated files anew.
 * `-- --freeze stop/1.0 --on 2027-01-31` freezes a version by its digests, once, at its first production approval.
 */
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { dirname, join, relative, sep } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import { clearanceCodes, parseConditions, readReference } from '../src/clearance/index.ts'
import { Fault, isPlainDate } from '../src/kernel/index.ts'
import { readTreaties } from '../src/law/index.ts'
import { checkVectors } from './contracts/check-vectors.ts'
import { freezePlainPackage, makePlainPackage } from './contracts/plain-package.ts'
import { publishedCodes } from './contracts/published-codes.ts'
import { freezeStopPackage, makeStopPackage, type PackageFindings } from './contracts/stop-package.ts'
import type { ElementWords } from './contracts/write-data-items.ts'

const ROOT = fileURLToPath(new URL('..', import.meta.url))

type Texts = ReadonlyMap<string, string>

/** One published contract: how it is made, and how it is frozen. */
interface Contract {
  readonly name: string
  make(texts: Texts): PackageFindings
  /** The files to write, `frozen.json` among them. */
  freeze(texts: Texts, on: string): Texts
}

/** Every file under a folder by path with forward slashes; an absent folder has none. */
export async function readTexts(folder: string): Promise<Map<string, string>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return []
    throw error
  })
  const files = entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort()
  const texts = await Promise.all(files.map((file) => readFile(file, 'utf8')))
  return new Map(files.map((file, at) => [relative(folder, file).split(sep).join('/'), texts[at] ?? '']))
}

/** What differs between a folder and what would be made now, leftovers of the generated folders too. */
export function findDrift(texts: Texts, generated: Texts): string[] {
  const isGenerated = (file: string) => file.startsWith('body/schemas/') || file.startsWith('documents/')
  const drift = [...generated].filter(([file, text]) => texts.get(file) !== text).map(([file]) => file)
  const leftovers = [...texts.keys()].filter((file) => isGenerated(file) && !generated.has(file))
  return [...drift, ...leftovers]
}

/** The contracts, with what they are checked against read from the checkout. */
export async function readContracts(contracts: string): Promise<readonly Contract[]> {
  const law = readTreaties(join(ROOT, 'treaties'))
  const words: ElementWords = JSON.parse(await readFile(join(ROOT, 'tools/contracts/element-words.json'), 'utf8'))
  const reference = await readReference(pathToFileURL(join(contracts, 'stop/1.0/annexes/code-lists/')))
  const knowsClause = (ref: string) => {
    try {
      law.clause(ref)
      return true
    } catch (error) {
      if (error instanceof Fault) return false
      throw error
    }
  }
  const makeStop = (texts: Texts): PackageFindings => {
    const made = makeStopPackage(texts, words, publishedCodes(clearanceCodes), knowsClause)
    const conditions = parseConditions(new Map([...texts, ...made.generated]))
    if (made.problems.length > 0 || !conditions.ok) return made
    const vectors = [...texts].flatMap(([file, text]) =>
      file.startsWith('vectors/') ? [[file.slice('vectors/'.length), text] as const] : [],
    )
    return { ...made, problems: checkVectors(new Map(vectors), conditions.value, reference) }
  }
  return [
    { name: 'stop/1.0', make: makeStop, freeze: (texts, on) => freezeStopPackage(texts, on, makeStop) },
    { name: 'exchange/1.0', make: makePlainPackage, freeze: freezePlainPackage },
  ]
}

/** @returns the exit code: 0 when all is as it should be, 1 when something is wrong, 2 when the call is */
export async function runContracts(
  args: readonly string[],
  print: (line: string) => void,
  contracts: string = join(ROOT, 'contracts'),
): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: { write: { type: 'boolean' }, freeze: { type: 'string' }, on: { type: 'string' } },
  })
  const { write = false, freeze: toFreeze, on = '' } = values
  if (toFreeze !== undefined && !isPlainDate(on)) {
    print('--freeze needs --on YYYY-MM-DD, the day of the first production approval')
    return 2
  }
  let wrong = false
  for (const { name, make, freeze } of await readContracts(contracts)) {
    const folder = join(contracts, name)
    const texts = await readTexts(folder)
    if (texts.size === 0) continue
    let made = make(texts)
    if (toFreeze === name) {
      if (texts.has('frozen.json') || made.problems.length > 0 || findDrift(texts, made.generated).length > 0) {
        print(`${name} cannot be frozen: it is frozen already, or the check finds something wrong`)
        return 1
      }
      const files = freeze(texts, on)
      for (const [file, text] of files) {
        await writeOver(folder, file, files)
        texts.set(file, text)
      }
      made = make(texts)
    }
    print(`${name} ${made.status}`)
    for (const [part, digest] of made.digests) print(`  ${digest}  ${part}`)
    for (const problem of made.problems) print(`  wrong: ${problem}`)
    const drift = made.generated.size > 0 ? findDrift(texts, made.generated) : []
    if (write || toFreeze === name)
      for (const file of drift) print(`  ${await writeOver(folder, file, made.generated)}`)
    else for (const file of drift) print(`  not as it would be made: ${file}; run npm run contracts -- --write`)
    wrong ||= made.problems.length > 0 || (drift.length > 0 && !write && toFreeze !== name)
  }
  return wrong ? 1 : 0
}

async function writeOver(folder: string, file: string, generated: Texts): Promise<string> {
  const path = join(folder, file)
  const text = generated.get(file)
  if (text === undefined) {
    await rm(path)
    return `removed: ${file}`
  }
  await mkdir(dirname(path), { recursive: true })
  await writeFile(path, text)
  return `written: ${file}`
}

if (process.argv[1] === import.meta.filename)
  process.exitCode = await runContracts(process.argv.slice(2), (line) => process.stdout.write(`${line}\n`))
