import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { law } from '../tests/builders/gate-facts.ts'
import { findTags, keepLedger, printLedger, type Tag } from './clauses.ts'

const head = `import { clause } from '../../tests/clause.ts'\n`
const find = (source: string, file = 'src/law/x.test.ts') => findTags(file, head + source)
const brief = (tags: readonly Tag[]) => tags.map(({ refs, title, runs }) => [refs, title, runs])

describe('finding tags', () => {
  test('finds one clause, several, and titles in every kind of string', () => {
    const source = [
      `clause('STOP-2021/1.1', 'admits a train', () => {})`,
      `clause(["STOP-2021/2.1-r1", 'STOP-2021/2.1-r2'], "admits \\"both\\"", async () => {})`,
      `clause(\n  'STOP-2021/3',\n  \`admits a plain template\`,\n  () => {},\n)`,
    ].join('\n')
    expect(brief(find(source))).toEqual([
      [['STOP-2021/1.1'], 'admits a train', true],
      [['STOP-2021/2.1-r1', 'STOP-2021/2.1-r2'], 'admits "both"', true],
      [['STOP-2021/3'], 'admits a plain template', true],
    ])
    expect(find(source).map(({ file, line }) => [file, line])).toEqual([
      ['src/law/x.test.ts', 2],
      ['src/law/x.test.ts', 3],
      ['src/law/x.test.ts', 4],
    ])
  })

  test('keeps a title that is filled in as it is written', () => {
    const source = `for (const mark of marks) clause("STOP-2021/2.3-r1", \`refuses \${mark.of({ a: "}" })}\`, () => {})`
    expect(brief(find(source))).toEqual([[['STOP-2021/2.3-r1'], `\`refuses \${mark.of({ a: "}" })}\``, true]])
  })

  test('finds nothing in comments, strings, patterns and templates', () => {
    const source = [
      `// clause('STOP-2021/1.1', 'a', run)`,
      `/* clause('STOP-2021/1.1', 'b', run) */`,
      `const text = "clause('STOP-2021/1.1', 'c', run)"`,
      `const template = \`clause('STOP-2021/1.1', 'd', \${clause('STOP-2021/1.1', 'e', run)})\``,
      `const pattern = /clause\\('STOP-2021\\/1.1', 'f', run\\)/`,
      `const half = total / 2; const apostrophe = /it's/.test(text)`,
      `clause('STOP-2021/3', 'the only one', run)`,
    ].join('\n')
    expect(brief(find(source))).toEqual([[['STOP-2021/3'], 'the only one', true]])
  })

  test('takes no method of that name, no other function, and no file that does not import it', () => {
    expect(
      find(`law.clause('STOP-2021/1.1', 'a', run); law?.clause('STOP-2021/1.1'); subclause('STOP-2021/1.1', 'b', run)`),
    ).toEqual([])
    expect(find(`of().clause('STOP-2021/1.1', 'a', run)`)).toEqual([])
    expect(findTags('src/law/x.test.ts', `clause('STOP-2021/1.1', 'a', run)`)).toEqual([])
    expect(find(`clause('STOP-2021/1.1', 'a', run)`, 'src/x.test.ts')).toEqual([])
    expect(
      findTags('tests/journeys/x.test.ts', `import { clause } from '../clause.ts'\nclause('STOP-2021/3', 'a', run)`),
    ).toHaveLength(1)
  })

  test('says when the clause is not written out', () => {
    const source = `clause(ref, 'a', run); clause([ref], 'b', run); clause([], 'c', run); clause(\`STOP-2021/\${n}\`, 'd', run); clause('STOP-2021/' + n, 'e', run)`
    expect(find(source).map(({ refs }) => refs)).toEqual([undefined, undefined, undefined, undefined, undefined])
  })

  test('does not count what may be skipped', () => {
    const inside = (open: string, close = '})') => find(`${open}\nclause('STOP-2021/3', 'a', run)\n${close}`)[0]?.runs
    expect(inside(`describe('x', () => {`)).toBe(true)
    expect(inside(`describe.each([1, 2])('x', () => {`)).toBe(true)
    expect(inside(`describe('x', { skip: false }, () => {`)).toBe(true)
    expect(inside(`describe.skip('x', () => {`)).toBe(false)
    expect(inside(`describe.todo('x', () => {`)).toBe(false)
    expect(inside(`describe.skip('x', () => { describe('y', () => {`, '}) })')).toBe(false)
    expect(inside(`describe.skipIf(process.platform === 'win32')('x', () => {`)).toBe(false)
    expect(inside(`describe.runIf(slow())('x', () => {`)).toBe(false)
    expect(inside(`describe('x', { skip: true }, () => {`)).toBe(false)
    expect(inside(`describe.skip('x', () => {})\ndescribe('y', () => {`)).toBe(true)
    expect(find(`clause('STOP-2021/3', 'a', (context) => { context.skip() })`)[0]?.runs).toBe(false)
    expect(find(`clause('STOP-2021/3', 'a', (context) => { open(() => context.skip()) })`)[0]?.runs).toBe(false)
  })
})

describe('the ledger', () => {
  const tag = (refs: readonly string[] | undefined, runs = true): Tag => ({
    file: 'src/x.test.ts',
    line: 7,
    refs,
    title: 't',
    runs,
  })
  const enforced = law.clauses.filter(({ status }) => status === 'enforced').map(({ id }) => id)
  const complete = [tag(enforced)]

  test('holds when every enforced clause has a test, and lists every clause once', () => {
    const ledger = keepLedger(law, complete)
    expect(ledger.defects).toEqual([])
    expect(ledger.entries).toHaveLength(841)
    expect(ledger.entries.find(({ id }) => id === 'STOP-2021/3')).toEqual({
      id: 'STOP-2021/3',
      status: 'enforced',
      tests: [{ file: 'src/x.test.ts', title: 't' }],
    })
  })

  test('names an enforced clause without a test, also when its only test may be skipped', () => {
    const others = tag(enforced.filter((id) => id !== 'STOP-2021/3'))
    const defect = 'STOP-2021/3 is enforced and no test that runs stands behind it'
    expect(keepLedger(law, [others]).defects).toEqual([defect])
    expect(keepLedger(law, [others, tag(['STOP-2021/3'], false)]).defects).toEqual([defect])
  })

  test('names a tag of no clause and one that is not written out', () => {
    expect(keepLedger(law, [...complete, tag(['STOP-2021/99', 'STOP-2021/3'])]).defects).toEqual([
      'src/x.test.ts:7 tags STOP-2021/99, which is no clause',
    ])
    expect(keepLedger(law, [...complete, tag(undefined)]).defects).toEqual([
      'src/x.test.ts:7 does not write its clause out',
    ])
  })

  test('names a clause that is outside or assisted without a reason', () => {
    for (const status of ['outside', 'assisted'] as const) {
      const changed = law.clauses.map((each) => (each.id === 'TFA/1.2.1' ? { ...each, status } : each))
      const other = new (law.constructor as typeof import('../src/law/index.ts').Law)(law.instruments, changed, [])
      expect(keepLedger(other, complete).defects).toEqual([`TFA/1.2.1 is ${status} without a reason`])
    }
  })

  test('is printed with a line per clause and totals', () => {
    const printed = printLedger(keepLedger(law, complete)).split('\n')
    expect(printed).toContainEqual(expect.stringMatching(/^STOP-2021\/3 +enforced {2}1$/))
    expect(printed).toContainEqual(expect.stringMatching(/^TFA\/pre\.1 +planned {3}–$/))
    expect(printed.at(-2)).toMatch(
      /^all +841 clauses: \d+ enforced, \d+ assisted, \d+ outside, \d+ planned; \d+ tagged tests$/,
    )
  })
})

describe('npm run clauses', () => {
  const run = (...args: string[]) =>
    new Promise<{ code: number; stdout: string; stderr: string }>((resolve) => {
      const program = fileURLToPath(new URL('./clauses.ts', import.meta.url))
      execFile(process.execPath, [program, ...args], (error, stdout, stderr) =>
        resolve({ code: typeof error?.code === 'number' ? error.code : 0, stdout, stderr }),
      )
    })

  test('prints nothing but the array with --json, and fails exactly when it names a defect', async () => {
    const { code, stdout, stderr } = await run('--json')
    const entries = JSON.parse(stdout) as Array<Record<string, unknown>>
    expect(entries).toHaveLength(841)
    expect(new Set(entries.map((entry) => Object.keys(entry).join()))).toEqual(new Set(['id,status,tests']))
    expect(code === 0).toBe(stderr === '')
  })

  test('refuses an option it does not know', async () => {
    expect((await run('--yaml')).code).not.toBe(0)
  })
})
