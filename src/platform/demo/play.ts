/** Plays the sample trains: every file is handed over as a national system or a railway would, over HTTP. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { sql } from 'kysely'
import type { legIdentity, RecordResult, SubmissionResult } from '../../clearance/index.ts'
import { assert, Fault } from '../../kernel/index.ts'
import { withActor } from '../db/index.ts'
import type { Expected, Invariant } from './account.ts'
import type { DemoNode, TwoNodes } from './two-nodes.ts'

export const samplesFolder = fileURLToPath(new URL('../../../samples/', import.meta.url))

interface Step {
  readonly step: number
  readonly at: string
  readonly action: 'submit' | 'cut-link' | 'restore-link' | 'close-leg'
  readonly node?: string
  readonly file?: string
  readonly leg?: Readonly<Record<string, string>>
  readonly expect?: 'unchanged' | 'refused'
  readonly note: string
}

export interface Played {
  readonly submissions: number
  readonly records: number
  readonly refused: number
  readonly unchanged: number
  readonly invariants: readonly Invariant[]
}

export async function readExpected(): Promise<Expected> {
  return JSON.parse(await readFile(join(samplesFolder, 'expected.json'), 'utf8')) as Expected
}

/** Samples that other administrations published, and what must become of them here. */
async function readPublished(): Promise<{ readonly node: string; readonly files: Expected['files'] }> {
  return JSON.parse(await readFile(join(samplesFolder, 'formats', 'expected.json'), 'utf8')) as {
    node: string
    files: Expected['files']
  }
}

/** Plays the timeline to its end, then hands over the published samples. @param tell is told each step */
export async function playTimeline(two: TwoNodes, expected: Expected, tell: (line: string) => void): Promise<Played> {
  const steps = JSON.parse(await readFile(join(samplesFolder, 'timeline.json'), 'utf8')) as readonly Step[]
  const wrong: string[] = []
  const totals = { submissions: 0, records: 0, refused: 0, unchanged: 0 }
  const nodeOf = (id: string | undefined): DemoNode => {
    const node = two.nodes.find((each) => each.id === id)
    assert(node, `a step names a node: ${id}`)
    return node
  }
  const handOver = async (step: Pick<Step, 'node' | 'file' | 'expect'>, wanted: Expected['files']): Promise<void> => {
    assert(step.file, 'a submission names its file')
    const result = await submit(nodeOf(step.node), step.file)
    totals.submissions += 1
    totals.records += result.records
    totals.refused += result.refused
    totals.unchanged += result.unchanged
    const difference = compare(step, result, wanted)
    if (difference) wrong.push(difference)
  }
  for (const step of steps) {
    const place = step.node ? `${step.node.padEnd(7)}  ` : ''
    tell(`${step.at.slice(0, 16).replace('T', ' ')}  ${place}${step.note}`)
    switch (step.action) {
      case 'cut-link':
        await settle(two)
        two.cutLink()
        break
      case 'restore-link':
        two.restoreLink()
        await settle(two)
        break
      case 'close-leg':
        await settle(two)
        await closeLeg(nodeOf(step.node), step.leg ?? {})
        break
      case 'submit':
        await handOver(step, expected.files)
    }
  }
  const published = await readPublished()
  for (const { path } of published.files) {
    tell(`                  ${published.node.padEnd(7)}  ${path.replace('formats/', 'Published sample ')}`)
    await handOver({ node: published.node, file: path }, published.files)
  }
  await settle(two)
  return {
    ...totals,
    invariants: [
      {
        claim: `each of the ${totals.submissions} hand-overs was taken or refused as its sender would expect`,
        holds: wrong.length === 0,
        ...(wrong.length > 0 && { found: wrong }),
      },
    ],
  }
}

async function submit(node: DemoNode, file: string): Promise<SubmissionResult> {
  const body = await readFile(join(samplesFolder, file))
  const name = encodeURIComponent(file.split('/').at(-1) ?? file)
  return await call<SubmissionResult>(node, `/api/v1/submissions?fileName=${name}`, body)
}

async function call<Answer>(node: DemoNode, path: string, body?: Uint8Array): Promise<Answer> {
  const response = await fetch(new URL(path, node.httpUrl), {
    method: 'POST',
    headers: { authorization: `Bearer ${node.token}`, ...(body && { 'content-type': 'application/octet-stream' }) },
    ...(body && { body: new Uint8Array(body) }),
  })
  const text = await response.text()
  if (!response.ok)
    throw new Fault(
      'platform/demo-call-failed',
      `${node.id} answered ${response.status} to ${path}: ${text.slice(0, 500)}`,
    )
  return JSON.parse(text) as Answer
}

/** Says how a hand-over differs from what the samples' author expects of it, if it does. */
function compare(
  step: Pick<Step, 'file' | 'expect'>,
  result: SubmissionResult,
  expected: Expected['files'],
): string | undefined {
  if (step.expect === 'unchanged')
    return result.unchanged === result.records && result.records > 0
      ? undefined
      : `${step.file} again: ${result.unchanged} of ${result.records} unchanged`
  const wanted = expected.find(({ path }) => path === step.file)
  if (!wanted) return `${step.file} is not among what is expected`
  const refused = result.results.filter(({ outcome }: RecordResult) => outcome === 'refused')
  const codes = refused.map(({ position, problems }) => `${position} ${problems[0]?.code}`).sort()
  const wantedCodes = wanted.refused.map(({ position, code }) => `${position} ${code}`).sort()
  if (codes.join() !== wantedCodes.join())
    return `${step.file}: refused ${codes.join(', ')}; expected ${wantedCodes.join(', ')}`
  return result.taken === wanted.taken ? undefined : `${step.file}: ${result.taken} taken; expected ${wanted.taken}`
}

async function closeLeg(node: DemoNode, wanted: Readonly<Record<string, string>>): Promise<void> {
  const { rows } = await withActor(node.db, { actor: 'demo', purpose: 'account' }, (tx) =>
    sql<{ key: string; leg: Parameters<typeof legIdentity>[0] & Record<string, unknown> }>`
      select key, leg from clearance.leg where source = 'carrier'`.execute(tx),
  )
  const found = rows.find(({ leg }) => Object.entries(wanted).every(([name, value]) => leg[name] === value))
  if (!found) throw new Fault('platform/demo-leg-missing', `no leg of ${node.id} is ${JSON.stringify(wanted)}`)
  await call(node, `/api/v1/legs/${found.key}/close`)
}

const settleSecondsMax = 60

/** Waits until nothing is on its way: every message has its receipt, and every answer is home. */
async function settle(two: TwoNodes): Promise<void> {
  const until = Date.now() + settleSecondsMax * 1000
  for (;;) {
    const open = await Promise.all(
      two.nodes.map(async (node) => {
        const { rows } = await withActor(node.db, { actor: 'demo', purpose: 'account' }, (tx) =>
          sql<{ open: number }>`select count(*)::int as open from exchange.outbound
            where state in ('queued', 'waiting') or (state = 'received' and answer is null
              and type not in ('ACCEPTED', 'REJECTED', 'USED', 'SKIP'))`.execute(tx),
        )
        return rows[0]?.open ?? 0
      }),
    )
    if (open.every((count) => count === 0)) return
    if (Date.now() > until)
      throw new Fault(
        'platform/demo-stuck',
        `messages are still on their way after ${settleSecondsMax} s: ${open.join(' and ')}`,
      )
    await sleep(100)
  }
}
