import { readdir, readFile } from 'node:fs/promises'
import { join, relative, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Fault } from '../../kernel/index.ts'
import { type Conditions, parseConditions } from './parse-conditions.ts'

/** The folder of the version that comes with the program. */
export const SHIPPED_CONDITIONS = fileURLToPath(new URL('../../../contracts/stop/1.0/', import.meta.url))
/** What the digests cover, and what says so. The readable documents and the vectors are for people and partners. */
const PARTS = ['body', 'annexes']

/**
 * Reads a Technical Conditions package from its folder, once, at start.
 *
 * @throws Fault `clearance/conditions-unreadable` or `clearance/conditions-altered`: a node does not run on an
 *   agreement that it cannot read, or that is not the one whose digest was published
 */
export async function readConditions(folder: string = SHIPPED_CONDITIONS): Promise<Conditions> {
  const parsed = parseConditions(await readPackageTexts(folder))
  if (parsed.ok) return parsed.value
  const { code, ...facts } = parsed.refusal
  throw new Fault(code, `The Technical Conditions in ${folder} cannot be used: ${facts.file}`, { facts })
}

/** The JSON files of a package by their path from its folder, with forward slashes. */
export async function readPackageTexts(folder: string): Promise<ReadonlyMap<string, string>> {
  try {
    const entries = await Promise.all(
      PARTS.map((part) => readdir(join(folder, part), { recursive: true, withFileTypes: true })),
    )
    const nested = entries
      .flat()
      .filter((entry) => entry.isFile() && entry.name.endsWith('.json'))
      .map((entry) => relative(folder, join(entry.parentPath, entry.name)).split(sep).join('/'))
    const top = (await readdir(folder)).filter((name) => name === 'index.json' || name === 'frozen.json')
    const files = [...top, ...nested].sort()
    const texts = await Promise.all(files.map((file) => readFile(join(folder, file), 'utf8')))
    return new Map(files.map((file, at) => [file, texts[at] ?? '']))
  } catch (cause) {
    throw new Fault('clearance/conditions-unreadable', `The Technical Conditions in ${folder} cannot be read`, {
      cause,
    })
  }
}
