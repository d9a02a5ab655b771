// The clause ledger: which clause has which status, and which tests stand behind it.
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, posix, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import type { ClauseRef } from '../src/kernel/index.ts'
import { type Clause, type Law, readTreaties } from '../src/law/index.ts'

/** One call of `clause(…)` as it stands in a test file. */
export interface Tag {
  readonly file: string
  readonly line: number
  /** Undefined when they are not written out in place, so that nobody can read them here. */
  readonly refs: readonly ClauseRef[] | undefined
  readonly title: string
  /** False where the test or a suite around it may be skipped. */
  readonly runs: boolean
}

/** One clause of the ledger, as `--json` prints it. */
export interface LedgerEntry {
  readonly id: ClauseRef
  readonly status: Clause['status']
  readonly tests: ReadonlyArray<{ readonly file: string; readonly title: string }>
}

export interface Ledger {
  readonly entries: readonly LedgerEntry[]
  /** Sentences that say what is wrong; the ledger holds only when there are none. */
  readonly defects: readonly string[]
}

const TAG_MODULE = 'tests/clause.ts'

/**
 * Sets the clauses beside the tests that claim them, and finds false claims.
 *
 * Why: an enforced clause without a test is a wish, and a tag that names no clause, or may never run, is worse.
 */
export function keepLedger(law: Law, tags: readonly Tag[]): Ledger {
  const tests = new Map<ClauseRef, Array<{ file: string; title: string }>>()
  const defects: string[] = []
  for (const { file, line, refs, title, runs } of tags) {
    if (!refs) defects.push(`${file}:${line} does not write its clause out`)
    for (const ref of refs ?? []) {
      const id = law.findClause(ref)?.id
      if (id === undefined) defects.push(`${file}:${line} tags ${ref}, which is no clause`)
      else if (runs) tests.set(id, [...(tests.get(id) ?? []), { file, title }])
    }
  }
  const entries = law.clauses.map(({ id, status }) => ({ id, status, tests: tests.get(id) ?? [] }))
  for (const { id, status, tests: proofs } of entries)
    if (status === 'enforced' && proofs.length === 0)
      defects.push(`${id} is enforced and no test that runs stands behind it`)
  for (const { id, status, statusReason } of law.clauses)
    if ((status === 'outside' || status === 'assisted') && !statusReason)
      defects.push(`${id} is ${status} without a reason`)
  return { entries, defects }
}

/**
 * Finds the clause tags of one test file.
 *
 * @param file its path from the root of the project, with `/`
 */
export function findTags(file: string, source: string): Tag[] {
  const tokens = [...tokenize(source)]
  if (!importsTag(file, tokens)) return []
  const tags: Array<Tag & { runs: boolean }> = []
  const open: Array<{ skipped: boolean; unsure: boolean; tag?: Tag & { runs: boolean } }> = []
  let closed: { unsure: boolean } | undefined
  tokens.forEach((token, index) => {
    if (token.text === '(') {
      const callee = calleeBefore(tokens, index)
      const around = open.at(-1)?.skipped ?? false
      const skipped = around || isSkip(callee.at(-1)) || (callee.length === 0 && (closed?.unsure ?? false))
      if (isSkip(callee.at(-1))) for (const { tag } of open) if (tag) tag.runs = false
      const tag =
        callee.length === 1 && callee[0] === 'clause' ? readTag(file, source, tokens, index, !skipped) : undefined
      if (tag) tags.push(tag)
      open.push({ skipped, unsure: callee.at(-1) === 'skipIf' || callee.at(-1) === 'runIf', ...(tag && { tag }) })
    }
    if (token.text === ')') closed = open.pop()
    const around = open.at(-1)
    if (around && isSkip(token.text) && tokens[index + 1]?.text === ':' && tokens[index + 2]?.text !== 'false') {
      around.skipped = true
      if (around.tag) around.tag.runs = false
    }
  })
  return tags
}

function isSkip(word: string | undefined): boolean {
  return word === 'skip' || word === 'todo'
}

function importsTag(file: string, tokens: readonly Token[]): boolean {
  return tokens.some(({ text, value }, index) => {
    if (value === undefined || tokens[index - 1]?.text !== 'from' || !/^['"]/.test(text)) return false
    return posix.join(posix.dirname(file), value) === TAG_MODULE
  })
}

/** The words joined by dots before a parenthesis: `describe.skip(` gives describe, skip. */
function calleeBefore(tokens: readonly Token[], index: number): readonly string[] {
  const words: string[] = []
  for (let at = index - 1; tokens[at]?.word; at -= 2) {
    words.unshift(tokens[at]!.text)
    if (tokens[at - 1]?.text !== '.' && tokens[at - 1]?.text !== '?.') break
    if (!tokens[at - 2]?.word) words.unshift('')
  }
  return words
}

function readTag(
  file: string,
  source: string,
  tokens: readonly Token[],
  index: number,
  runs: boolean,
): Tag & { runs: boolean } {
  const { refs, next } = readRefs(tokens, index + 1)
  const title = tokens[next + 1]
  return {
    file,
    line: source.slice(0, tokens[index]!.at).split('\n').length,
    refs: tokens[next]?.text === ',' ? refs : undefined,
    title: title?.value ?? title?.text ?? '',
    runs,
  }
}

function readRefs(tokens: readonly Token[], start: number): { refs: string[] | undefined; next: number } {
  const first = tokens[start]
  if (first?.value !== undefined) return { refs: [first.value], next: start + 1 }
  if (first?.text !== '[') return { refs: undefined, next: start + 1 }
  const refs: string[] = []
  let at = start + 1
  for (; at < tokens.length && tokens[at]!.text !== ']'; at += 1) {
    const { text, value } = tokens[at]!
    if (value !== undefined) refs.push(value)
    else if (text !== ',') return { refs: undefined, next: at }
  }
  return { refs: refs.length > 0 ? refs : undefined, next: at + 1 }
}

interface Token {
  readonly text: string
  readonly at: number
  readonly word: boolean
  /** What a string says; undefined for other tokens and for a template with something to fill in. */
  readonly value?: string
}

const GAP = /(?:\s+|\/\/[^\n]*|\/\*[\s\S]*?\*\/)*/y
const WORD = /[\p{ID_Start}$_#@][\p{ID_Continue}$\u200c\u200d]*/uy
const NUMBER = /\d[\w.]*/y
const STRING = /'(?:[^'\\\n]|\\[\s\S])*'|"(?:[^"\\\n]|\\[\s\S])*"/y
const REGEX = /\/(?:[^/\\[\n]|\\.|\[(?:[^\]\\\n]|\\.)*\])+\/\p{ID_Continue}*/uy
const PUNCTUATION = /\?\.|=>|\.\.\.|[\s\S]/uy
const BEFORE_REGEX = new Set([
  'return',
  'typeof',
  'case',
  'in',
  'of',
  'do',
  'else',
  'void',
  'throw',
  'new',
  'await',
  'yield',
])

/** Splits TypeScript into tokens, as far as finding calls and strings needs: strings and comments hide what they hold. */
function* tokenize(source: string): Generator<Token> {
  let before: Token | undefined
  const take = (pattern: RegExp, at: number) => {
    pattern.lastIndex = at
    return pattern.exec(source)?.[0]
  }
  for (let at = 0; ; ) {
    at += take(GAP, at)?.length ?? 0
    if (at >= source.length) return
    const operand =
      before !== undefined && (before.word ? !BEFORE_REGEX.has(before.text) : /^[)\]}\d'"`]/.test(before.text))
    const template = source[at] === '`' ? source.slice(at, endOfTemplate(source, at)) : undefined
    const string = take(STRING, at)
    const word = take(WORD, at)
    const text =
      template ??
      string ??
      word ??
      take(NUMBER, at) ??
      (operand ? undefined : take(REGEX, at)) ??
      take(PUNCTUATION, at)!
    const filled = template !== undefined && /(?<!\\)\$\{/.test(template)
    const value =
      (template !== undefined && !filled) || string !== undefined ? readEscapes(text.slice(1, -1)) : undefined
    before = { text, at, word: text === word, ...(value !== undefined && { value }) }
    yield before
    at += text.length
  }
}

function endOfTemplate(source: string, start: number): number {
  let at = start + 1
  while (at < source.length && source[at] !== '`') {
    if (source[at] === '\\') at += 2
    else if (source.startsWith('${', at)) at = endOfFilling(source, at + 2)
    else at += 1
  }
  return at + 1
}

function endOfFilling(source: string, start: number): number {
  let depth = 1
  let at = start
  while (at < source.length && depth > 0) {
    if (source[at] === '`') {
      at = endOfTemplate(source, at)
      continue
    }
    STRING.lastIndex = at
    const string = STRING.exec(source)?.[0]
    if (string) {
      at += string.length
      continue
    }
    if (source[at] === '{') depth += 1
    if (source[at] === '}') depth -= 1
    at += 1
  }
  return at
}

function readEscapes(text: string): string {
  return text.replace(/\\(?:u\{([\da-fA-F]+)\}|u([\da-fA-F]{4})|([\s\S]))/g, (_, braced, hex, plain) => {
    if (braced ?? hex) return String.fromCodePoint(Number.parseInt(braced ?? hex, 16))
    return { n: '\n', t: '\t', r: '\r' }[plain as string] ?? plain
  })
}

function readTags(root: string): Tag[] {
  return ['src', 'tests', 'tools'].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
      .filter((path) => path.endsWith('.test.ts'))
      .map((path) => posix.join(folder, path.split(sep).join('/')))
      .sort()
      .flatMap((file) => findTags(file, readFileSync(join(root, file), 'utf8'))),
  )
}

/** The ledger as a person reads it. */
export function printLedger({ entries }: Ledger): string {
  const width = Math.max(...entries.map(({ id }) => id.length))
  const lines = entries.map(
    ({ id, status, tests }) => `${id.padEnd(width)}  ${status.padEnd(8)}  ${tests.length || '–'}`,
  )
  const groups: Array<[string, readonly LedgerEntry[]]> = [
    ...Map.groupBy(entries, ({ id }) => id.slice(0, id.indexOf('/'))),
    ['all', entries],
  ]
  const totals = groups.map(([name, of]) => {
    const by = (status: Clause['status']) => of.filter((entry) => entry.status === status).length
    const tests = of.reduce((sum, entry) => sum + entry.tests.length, 0)
    return `${name.padEnd(12)} ${of.length} clauses: ${by('enforced')} enforced, ${by('assisted')} assisted, ${by('outside')} outside, ${by('planned')} planned; ${tests} tagged tests`
  })
  return [...lines, '', ...totals, ''].join('\n')
}

if (import.meta.main) {
  const { values } = parseArgs({ options: { json: { type: 'boolean', default: false } } })
  const root = dirname(dirname(fileURLToPath(import.meta.url)))
  const ledger = keepLedger(readTreaties(join(root, 'treaties')), readTags(root))
  process.stdout.write(values.json ? `${JSON.stringify(ledger.entries, null, 2)}\n` : printLedger(ledger))
  for (const defect of ledger.defects) process.stderr.write(`${defect}\n`)
  if (ledger.defects.length > 0) process.exitCode = 1
}
