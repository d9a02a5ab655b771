import { posix } from 'node:path'
import { readSource, type SourceFacts } from './read-source.ts'
import {
  codeDomains,
  fileSystemModules,
  forbiddenLastWords,
  forbiddenWords,
  infrastructure,
  infrastructureMayImport,
  innerRooms,
  randomNames,
  rooms,
  shellFile,
  shellMayImport,
  shippedDataFiles,
  typesForCore,
  worldlyModules,
} from './rooms.ts'

/** One place that breaks a rule of the house. */
export interface Violation {
  readonly file: string
  readonly line: number
  readonly rule:
    | 'room-unknown'
    | 'room-door-missing'
    | 'room-readme-missing'
    | 'import-direction'
    | 'import-past-door'
    | 'import-of-tests'
    | 'core-touches-world'
    | 'file-name'
    | 'word'
    | 'test-expects-nothing'
    | 'test-proves-nothing'
    | 'test-selective'
    | 'code-foreign'
    | 'code-twice'
    | 'code-unlisted'
    | 'migration-gap'
  readonly what: string
}

/** Where a file stands: its room, the room inside that, and what kind of file it is. */
interface Place {
  readonly path: string
  readonly area: 'src' | 'tests' | 'tools' | 'other'
  readonly room: string | undefined
  readonly inner: string | undefined
  readonly isTest: boolean
}

function placeOf(path: string): Place {
  const [area, room, inner] = path.split('/')
  const inSource = area === 'src' && path.split('/').length > 2
  const hasInner = inSource && path.split('/').length > 3
  return {
    path,
    area: area === 'src' || area === 'tests' || area === 'tools' ? area : 'other',
    room: inSource ? room : undefined,
    inner: hasInner ? inner : undefined,
    isTest: path.endsWith('.test.ts'),
  }
}

type Report = (line: number, rule: Violation['rule'], what: string) => void

/**
 * Checks the sources against the rules of the house.
 *
 * Why: who may import whom, that core stays pure, and that every test proves something are promises that a reviewer
 * cannot keep by eye.
 * @param files path from the project's root, with forward slashes, to text
 */
export function checkHouse(files: ReadonlyMap<string, string>): readonly Violation[] {
  const violations: Violation[] = []
  const sources = new Map<string, SourceFacts>()
  for (const [path, text] of files) if (path.endsWith('.ts')) sources.set(path, readSource(path, text))
  for (const [path, text] of files) {
    const place = placeOf(path)
    const report: Report = (line, rule, what) => violations.push({ file: path, line, rule, what })
    checkName(place, report)
    checkWords(text, report)
    const facts = sources.get(path)
    if (!facts) continue
    if (place.area === 'src') checkImports(place, facts, files, report)
    if (isCore(place)) checkPurity(place, facts, report)
    if (place.isTest) checkTest(facts, report)
  }
  checkRooms(files, violations)
  checkCodes(files, sources, violations)
  checkMigrations(files, violations)
  return violations.sort((a, b) => (a.file === b.file ? a.line - b.line : a.file < b.file ? -1 : 1))
}

/** Core: everything of a domain but its shell, its readers of shipped data and its tests. */
function isCore({ area, room, isTest, path }: Place): boolean {
  return area === 'src' && room !== undefined && room in rooms && !isTest && !shellFile.test(path)
}

function checkName({ path, area }: Place, report: Report): void {
  const name = posix.basename(path)
  const stem = name.replace(/(\.test)?\.(ts|mjs)$/, '')
  if (area === 'other' || stem === name) return
  if (!/^[a-z0-9]+(-[a-z0-9]+)*$/.test(stem)) report(1, 'file-name', `${name} is not kebab-case`)
  const last = stem.split('-').at(-1) ?? ''
  if (forbiddenLastWords.has(last)) report(1, 'file-name', `${name} says nothing about what stands in it`)
}

function checkWords(text: string, report: Report): void {
  for (const [index, line] of text.split('\n').entries()) {
    const word = forbiddenWords.exec(line)?.[0]
    if (word) report(index + 1, 'word', word)
  }
}

function checkImports(from: Place, facts: SourceFacts, files: ReadonlyMap<string, string>, report: Report): void {
  for (const { specifier, typeOnly, line } of facts.imports) {
    if (!specifier.startsWith('.')) continue
    const to = placeOf(posix.normalize(posix.join(posix.dirname(from.path), specifier)))
    if (to.area !== 'src') {
      const leaves = to.area === 'tests' || to.area === 'tools'
      if (leaves && !from.isTest) report(line, 'import-of-tests', specifier)
      continue
    }
    if (!mayImport(from, to, typeOnly)) report(line, 'import-direction', `${from.path} may not import ${to.path}`)
    else if (passesDoor(from, to, files)) report(line, 'import-past-door', `${to.path} stands behind an index.ts`)
  }
}

function mayImport(from: Place, to: Place, typeOnly: boolean): boolean {
  // A test beside its file may compare with whatever it likes.
  if (from.room === to.room && from.room !== 'platform') return true
  if (from.isTest || from.room === undefined) return true
  if (from.room === 'platform') {
    const knowsNoDomain = from.inner !== undefined && infrastructure.includes(from.inner)
    if (!knowsNoDomain) return true
    if (to.room !== 'platform') return infrastructureMayImport.includes(to.room ?? '')
    return to.inner === undefined ? to.path === 'src/platform/codes.ts' : infrastructure.includes(to.inner)
  }
  if (to.room === 'platform') {
    const isInfrastructure = to.inner !== undefined && infrastructure.includes(to.inner)
    return isInfrastructure && (shellFile.test(from.path) || (typeOnly && typesForCore.has(to.path)))
  }
  const allowed = [...(rooms[from.room] ?? []), ...(shellFile.test(from.path) ? shellMayImport : [])]
  return allowed.includes(to.room ?? '')
}

/** Whether an import goes past the door of a room that it stands outside of. */
function passesDoor(from: Place, to: Place, files: ReadonlyMap<string, string>): boolean {
  if (from.isTest || posix.basename(to.path) === 'index.ts') return false
  const hasInnerDoor =
    to.inner !== undefined &&
    (to.room === 'platform' || innerRooms[to.room ?? '']?.includes(to.inner)) &&
    files.has(`src/${to.room}/${to.inner}/index.ts`)
  if (from.room === to.room) return hasInnerDoor === true && from.inner !== to.inner
  return to.room !== 'platform' || hasInnerDoor === true
}

function checkPurity({ path }: Place, facts: SourceFacts, report: Report): void {
  const readsShippedData = shippedDataFiles.has(path)
  for (const { specifier, names, typeOnly, line } of facts.imports) {
    if (typeOnly || (readsShippedData && fileSystemModules.test(specifier))) continue
    if (worldlyModules.test(specifier)) report(line, 'core-touches-world', specifier)
    const random = specifier === 'node:crypto' ? names.find((name) => randomNames.test(name)) : undefined
    if (random) report(line, 'core-touches-world', `${random} of node:crypto`)
  }
  for (const { line, what } of facts.worldly) report(line, 'core-touches-world', what)
}

function checkTest(facts: SourceFacts, report: Report): void {
  for (const { line } of facts.expectsNothing) report(line, 'test-expects-nothing', 'expect without a matcher')
  for (const { line, what } of facts.provesNothing) report(line, 'test-proves-nothing', what)
  for (const { line, what } of facts.selective) report(line, 'test-selective', what)
}

function checkRooms(files: ReadonlyMap<string, string>, violations: Violation[]): void {
  const found = new Set<string>()
  for (const path of files.keys()) {
    const { room, area, inner } = placeOf(path)
    if (area !== 'src' || room === undefined) continue
    found.add(room)
    if (inner && innerRooms[room]?.includes(inner)) found.add(`${room}/${inner}`)
  }
  for (const room of found) {
    const file = `src/${room}`
    const isMain = room === 'platform'
    if (!(room in rooms) && !isMain && !room.includes('/'))
      violations.push({ file, line: 1, rule: 'room-unknown', what: `${room} stands in no list of who may import whom` })
    if (!isMain && !files.has(`${file}/index.ts`))
      violations.push({ file, line: 1, rule: 'room-door-missing', what: `${file}/index.ts` })
    if (!room.includes('/') && !files.has(`${file}/README.md`))
      violations.push({ file, line: 1, rule: 'room-readme-missing', what: `${file}/README.md` })
  }
}

const CODE = /^(law|audit|exchange|clearance|intake|platform|access)\/[a-z0-9]+(-[a-z0-9]+)*$/
const LISTED = /^ {2}'([a-z]+\/[a-z0-9-]+)':/gm

function checkCodes(
  files: ReadonlyMap<string, string>,
  sources: ReadonlyMap<string, SourceFacts>,
  violations: Violation[],
): void {
  const listed = new Map<string, string>()
  for (const [file, text] of files) {
    const { room } = placeOf(file)
    if (posix.basename(file) !== 'codes.ts' || room === undefined || room === 'kernel') continue
    for (const match of text.matchAll(LISTED)) {
      const code = match[1] ?? ''
      const line = text.slice(0, match.index).split('\n').length
      const [domain = ''] = code.split('/')
      if (!codeDomains[room]?.includes(domain)) violations.push({ file, line, rule: 'code-foreign', what: code })
      if (listed.has(code))
        violations.push({ file, line, rule: 'code-twice', what: `${code}, also in ${listed.get(code)}` })
      listed.set(code, file)
    }
  }
  for (const [file, { codes }] of sources) {
    const { area, isTest } = placeOf(file)
    if (area !== 'src' || isTest) continue
    for (const { line, what } of codes)
      if (CODE.test(what) && !listed.has(what)) violations.push({ file, line, rule: 'code-unlisted', what })
  }
}

function checkMigrations(files: ReadonlyMap<string, string>, violations: Violation[]): void {
  const names = [...files.keys()].filter((path) => path.startsWith('src/platform/db/migrations/')).sort()
  for (const [index, file] of names.entries())
    if (Number(posix.basename(file).slice(0, 4)) !== index + 1)
      violations.push({ file, line: 1, rule: 'migration-gap', what: `the file after ${index} is number ${index + 1}` })
}
