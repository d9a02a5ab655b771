/** How commands speak: tables for people, JSON for programs, and one way to say what went wrong. */
import { CommanderError } from 'commander'
import { Fault, type Problem, type Refusal } from '../../kernel/index.ts'
import { sentenceOf } from '../catalogue/index.ts'

export const exitCodes = { done: 0, refused: 1, usage: 2, unavailable: 69, failed: 70, configuration: 78 } as const

/** The rules said no to the whole command. */
export class Refused extends Error {
  readonly refusal: Refusal
  constructor(refusal: Refusal) {
    super(refusal.code)
    this.refusal = refusal
  }
}

/** The language of the terminal. */
export function terminalLanguage(): string {
  return process.env['LC_ALL'] || process.env['LC_MESSAGES'] || process.env['LANG'] || 'en'
}

/** What a code means, in the terminal's language, with its facts filled in. */
export function explain(code: string, facts: Readonly<Record<string, unknown>> = {}): string {
  const { what, todo } = sentenceOf(code, terminalLanguage(), facts)
  return todo ? `${what} ${todo}` : what
}

export function explainProblem({ code, pointer, facts }: Problem): string {
  return oneLine(`${pointer || '/'}  ${code}  ${explain(code, facts)}`)
}

const obeyed = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu
const numberOf = (sign: string): string =>
  sign
    .split('')
    .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
    .join('')

/**
 * Text from outside as one line of a terminal: signs that a terminal obeys or that turn the reading are shown by their
 * numbers, so that a name can neither move the cursor nor pretend to be another line.
 */
export function oneLine(text: string): string {
  return text.replaceAll(obeyed, numberOf)
}

/** The same for a text of ours in lines; within JSON the numbers are its own escapes and say the same text. */
function harmless(text: string): string {
  return text.split('\n').map(oneLine).join('\n')
}

export function print(text: string): void {
  process.stdout.write(`${harmless(text)}\n`)
}

export function printJson(value: unknown): void {
  print(JSON.stringify(value, null, 2))
}

/** Says something on the error stream. */
function complain(text: string): void {
  process.stderr.write(`${harmless(text)}\n`)
}

type Cell = string | number | boolean | null | undefined

function textOf(cell: Cell): string {
  if (cell === null || cell === undefined) return '–'
  return oneLine(String(cell)).replace(/^(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2})\.\d{3}Z$/, '$1Z')
}

/** Han and other wide characters take two places of a terminal. */
function widthOf(text: string): number {
  let width = 0
  for (const letter of text) width += /[\u1100-\u115f\u2e80-\uffdc]/.test(letter) ? 2 : 1
  return width
}

/** Prints rows under headings, columns aligned. */
export function printTable(headings: readonly string[], rows: ReadonlyArray<readonly Cell[]>): void {
  const texts = [headings, ...rows.map((row) => row.map(textOf))]
  const widths = headings.map((_, column) => Math.max(...texts.map((row) => widthOf(row[column] ?? ''))))
  for (const row of texts)
    print(
      row
        .map((text, column) => text + ' '.repeat(Math.max(0, (widths[column] ?? 0) - widthOf(text))))
        .join('  ')
        .trimEnd(),
    )
}

const configurationFault = /^platform\/(config|keys|passphrase|database-not-named|administration|folder-not-empty)/

/** The places of a configuration that are wrong, a line for each. */
export function placesOf(facts: Readonly<Record<string, unknown>> = {}): readonly string[] {
  return ((facts['problems'] as ReadonlyArray<Record<string, unknown>> | undefined) ?? []).map(
    ({ pointer, rule, member, nearest, expected }) =>
      `${pointer || '/'}: ${rule}${member ? ` "${member}"` : ''}` +
      `${nearest ? `, did you mean "${nearest}"?` : ''}${expected ? ` (expected ${expected})` : ''}`,
  )
}

/** Says on the error stream what went wrong and what to do. @returns the exit code */
export function reportError(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.done : exitCodes.usage
  if (error instanceof Refused) {
    const { code, clause, ...facts } = error.refusal
    complain(`${oneLine(explain(code, facts))}\n  ${code}${clause ? `  ${clause}` : ''}`)
    return exitCodes.refused
  }
  if (error instanceof Fault) {
    const said = explain(error.code, error.facts)
    complain(`${said === error.code ? error.message : said}\n  ${error.code}`)
    for (const line of placesOf(error.facts)) complain(`  ${oneLine(line)}`)
    return configurationFault.test(error.code) ? exitCodes.configuration : exitCodes.unavailable
  }
  complain(error instanceof Error ? (error.stack ?? error.message) : String(error))
  return exitCodes.failed
}
