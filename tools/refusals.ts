/**
 * Writes `docs/refusals.md` from the codes of every room and the English sentences of the catalogue.
 *
 * `node tools/refusals.ts --check` ends with 1 when the page is not what would be written now.
 */
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import type { CodeKind, CodeList } from '../src/kernel/index.ts'
import type { Sentence } from '../src/platform/catalogue/index.ts'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
export const refusalsPage = join(ROOT, 'docs/refusals.md')

export interface ListedCode {
  readonly code: string
  readonly kind: CodeKind
  readonly means: string
}

const kinds: ReadonlySet<unknown> = new Set<CodeKind>(['refusal', 'warning', 'ground', 'fault'])

function isCodeList(value: unknown): value is CodeList {
  const entries = typeof value === 'object' && value !== null ? Object.values(value) : []
  return entries.length > 0 && entries.every((entry) => kinds.has((entry as { kind?: unknown } | null)?.kind))
}

/** Every code of every room, in order of their rooms and then as each list has them. */
export async function readCodes(): Promise<readonly ListedCode[]> {
  const files = (await readdir(join(ROOT, 'src'), { recursive: true })).filter((file) => /(^|\/)codes\.ts$/.test(file))
  const modules = await Promise.all(
    files.sort().map(async (file) => {
      const module: unknown = await import(pathToFileURL(join(ROOT, 'src', file)).href)
      return Object.values(module as Record<string, unknown>)
    }),
  )
  return modules
    .flat()
    .filter(isCodeList)
    .flatMap((list) => Object.entries(list).map(([code, { kind, means }]) => ({ code, kind, means })))
}

const titles: Readonly<Record<string, string>> = {
  access: 'Access to the interface',
  audit: 'The record of events',
  clearance: 'Clearances, trains, and whether data may be sent',
  exchange: 'Messages between administrations',
  intake: 'Taking records in',
  law: 'Agreements, Technical Conditions and the channel',
  platform: 'The node and its machine',
}

const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll(/\s+/g, ' ')

export async function writeRefusals(): Promise<string> {
  const codes = await readCodes()
  const sentences = JSON.parse(await readFile(join(ROOT, 'src/platform/catalogue/codes.en.json'), 'utf8')) as Readonly<
    Record<string, Sentence>
  >
  const domains = [...new Set(codes.map(({ code }) => code.split('/')[0] ?? ''))].sort()
  const parts = domains.map((domain) => {
    const rows = codes
      .filter(({ code }) => code.startsWith(`${domain}/`))
      .sort((a, b) => (a.code < b.code ? -1 : 1))
      .map(({ code, kind, means }) => {
        const { what = '', todo = '' } = sentences[code] ?? {}
        return `| \`${code}\` | ${kind} | ${cell(means)} | ${cell([what, todo].filter(Boolean).join(' '))} |`
      })
    return [
      `## ${titles[domain] ?? domain}`,
      '',
      '| Code | Kind | Meaning | What a person reads |',
      '|---|---|---|---|',
      ...rows,
    ].join('\n')
  })
  return `# Refusals, warnings, grounds and faults

Every code this program gives. A code never changes its meaning and is never used again for another. A **refusal** is the
rules' no; a **warning** travels with a record and stops nothing; a **ground** says why data stay at home or wait for an
officer; a **fault** is a failure of the world. In a sentence, \`{name}\` stands for the fact of that name, and a part in
square brackets is left out where its fact is not given. The same sentences stand in Russian, Kazakh, Chinese and Georgian
beside the English ones, in \`src/platform/catalogue\`.

Made by \`tools/refusals.ts\` from the code lists of the rooms; do not edit it by hand.

${parts.join('\n\n')}
`
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { values } = parseArgs({ options: { check: { type: 'boolean', default: false } } })
  const text = await writeRefusals()
  if (!values.check) await writeFile(refusalsPage, text)
  else if ((await readFile(refusalsPage, 'utf8').catch(() => '')) !== text) {
    console.error('docs/refusals.md is not what would be written now: run tools/refusals.ts')
    process.exitCode = 1
  }
}
