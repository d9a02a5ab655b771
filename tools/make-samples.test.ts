import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import {
  checkClearance,
  checkDeparture,
  checkRailwayList,
  composeDeparture,
  decideEligibility,
  defaultRules,
  drawsOf,
  foldBalance,
  legIdentity,
  matchUnits,
  readConditions,
  readReference,
  SubmissionReader,
} from '../src/clearance/index.ts'
import { buildSamples, samplesFolder } from './make-samples.ts'
import {
  bin,
  cnDeclarationId,
  containerId,
  eaeuDeclarationId,
  mrn,
  transposed,
  uscc,
  vin,
  wagon1520,
} from './samples/identifiers.ts'
import { Random, split } from './samples/random.ts'

const { files, texts } = buildSamples()
const expected = JSON.parse(texts.get('expected.json')!)

describe('the generator', () => {
  test('writes the same bytes every time', () => {
    expect([...buildSamples().texts]).toEqual([...texts])
  })

  test('has written every sample as it stands on disk', () => {
    const changed = [...texts].flatMap(([path, text]) => {
      const target = join(samplesFolder, path)
      return existsSync(target) && readFileSync(target, 'utf8') === text ? [] : [path]
    })
    expect(changed).toEqual([])
  })

  test('has left no file behind that it does not write', () => {
    const onDisk = ['trains', 'broken'].flatMap((folder) =>
      readdirSync(join(samplesFolder, folder), { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => join(entry.parentPath, entry.name).slice(samplesFolder.length)),
    )
    expect(onDisk.filter((path) => !texts.has(path))).toEqual([])
  })

  test('stays under eight megabytes', () => {
    const bytes = [...texts.values()].reduce((sum, text) => sum + Buffer.byteLength(text), 0)
    expect(bytes).toBeLessThan(8_000_000)
  })

  test('cuts a total into parts that add up to it', () => {
    const parts = split(new Random(7), 1_656_000, 24, 350)
    expect(parts.reduce((sum, part) => sum + part, 0)).toBe(1_656_000)
    expect(Math.max(...parts) - Math.min(...parts)).toBeLessThanOrEqual(700)
  })
})

describe('identifiers', () => {
  test('agree with numbers published elsewhere', () => {
    expect(containerId('CSQU', '305438')).toBe('CSQU3054383')
    expect(containerId('MZWU', '214668')).toBe('MZWU2146680')
    expect(wagon1520('9523619')).toBe('95236196')
    expect(wagon1520('9553539')).toBe('95535399')
    expect(mrn('24GB000246J8NY33L')).toBe('24GB000246J8NY33L7')
    expect(vin('11111111', '11111111')).toBe('11111111111111111')
  })

  test('have the length that their registers give them', () => {
    expect(uscc('1234567')).toHaveLength(18)
    expect(bin('25004012345')).toMatch(/^\d{12}$/)
    expect(cnDeclarationId('9001', 17)).toBe('900120260000000017')
    expect(eaeuDeclarationId('55302', '2026-11-18', 4711)).toBe('55302/181126/0004711')
  })

  test('are spoilt by two digits changed over', () => {
    const spoilt = transposed('CSQU3054383')
    expect(spoilt).not.toBe('CSQU3054383')
    expect(containerId(spoilt.slice(0, 4), spoilt.slice(4, 10))).not.toBe(spoilt)
  })
})

describe('the trains', () => {
  test('carry what the table of the six trains says', () => {
    const counted = expected.legs
      .filter((leg: { direction: string }) => leg.direction === 'out')
      .map((leg: { train: string; containers: number; wagons: number; empty: number }) => [
        leg.train,
        leg.containers,
        leg.wagons,
        leg.empty,
      ])
    expect(counted).toEqual([
      ['T1', 49, 46, 0],
      ['T2', 50, 50, 0],
      ['T2', 30, 30, 0],
      ['T2', 30, 30, 0],
      ['T3', 45, 47, 0],
      ['T4', 62, 31, 0],
      ['T4', 62, 31, 0],
      ['T4', 62, 31, 0],
      ['T5', 24, 56, 0],
      ['T6', 54, 27, 26],
    ])
  })

  test('draw the temporary declaration down to the last kilogram', () => {
    expect(expected.balances).toEqual([
      expect.objectContaining({
        declaredKg: '5000000',
        draws: [
          { train: 'T4', drawnKg: '1674000', leftKg: '3326000' },
          { train: 'T4B', drawnKg: '1674000', leftKg: '1652000' },
          { train: 'T4C', drawnKg: '1652000', leftKg: '0' },
        ],
      }),
    ])
  })

  test('give every container its own number, but for the box that comes back and the box that rolls', () => {
    const trips = new Map<string, Set<string>>()
    for (const { path, entries } of files)
      for (const { record } of entries)
        if (record.record === 'departure')
          for (const { id } of record.content.containers) trips.set(id, (trips.get(id) ?? new Set()).add(path))
    const twice = [...trips].filter(([, on]) => on.size > 1).map(([id]) => id)
    const returning = expected.planted.find(({ id }: { id: string }) => id === 't6-box-back-after-16-days').subject
    expect(twice).toEqual([returning])
  })
})

describe('planted facts', () => {
  test('each stand in a file, at a position and at a pointer that exist', () => {
    for (const { id, file, position, pointer } of expected.planted) {
      const entry = files.find(({ path }) => path === file)?.entries[(position ?? 1) - 1]
      expect(entry, id).toBeDefined()
      const at = (pointer ?? '').split('/').slice(1)
      // An element that is missing on purpose is pointed at through its holder.
      const holder = id === 't2-un-number-missing' ? at.slice(0, -1) : at
      const held = holder.reduce(
        (value: unknown, key: string) => (value as Record<string, unknown>)?.[key],
        entry!.record.content,
      )
      expect(held, `${id} ${pointer}`).toBeDefined()
    }
  })

  test('have names of their own', () => {
    const ids = expected.planted.map(({ id }: { id: string }) => id)
    expect(new Set(ids).size).toBe(ids.length)
  })
})

describe('the timeline', () => {
  const timeline = JSON.parse(texts.get('timeline.json')!)

  test('plays every file and names none that is not there', () => {
    const played = new Set(timeline.flatMap(({ file }: { file?: string }) => file ?? []))
    expect([...played].filter((path) => !texts.has(path as string))).toEqual([])
    expect(files.filter(({ path }) => !played.has(path))).toEqual([])
  })

  test('goes forward in time and restores the link that it cuts', () => {
    const times = timeline.map(({ at }: { at: string }) => at)
    expect(times).toEqual(times.toSorted())
    const link = timeline
      .map(({ action }: { action: string }) => action)
      .filter((action: string) => action.endsWith('-link'))
    expect(link).toEqual(['cut-link', 'restore-link'])
  })
})

/** The rooms' own rules on the samples: where they disagree with the author, one of the two is wrong. */
describe('the product', async () => {
  const now = '2026-11-22T00:00:00Z'
  const reference = await readReference()
  const { checkpoints } = await readConditions()
  const homes = {
    'CN-GACC': { homeCountry: 'CN', partnerCountry: 'KZ', homeZone: 'Asia/Shanghai' },
    'KZ-KGD': { homeCountry: 'KZ', partnerCountry: 'CN', homeZone: 'Asia/Almaty' },
  } as const
  const read = new Map(
    files.map(({ path, node, text }) => {
      const reader = new SubmissionReader(homes[node])
      return [path, [...reader.push(Buffer.from(text)), ...reader.end()]] as const
    }),
  )
  /** What was read, with what home decides about it. */
  const decided = files.flatMap(({ path, node, entries: meant }) =>
    read
      .get(path)!
      .filter((entry) => entry.result.ok)
      .map((entry, index) => {
        const record = entry.result.ok ? entry.result.value : undefined
        const decision =
          record?.record === 'declaration'
            ? decideEligibility(record.content, { ...homes[node], checkpoints, reference, now })
            : undefined
        return { path, node, position: index + 1, record: record!, meant: meant[index], decision }
      }),
  )
  const onTrains = decided.filter(({ path }) => path.startsWith('trains/'))

  test('reads every record and refuses the spoilt ones with the codes expected', () => {
    for (const { path, format, records, refused } of expected.files) {
      const entries = read.get(path)!
      const kinds: Record<string, number> = {}
      for (const { result } of entries)
        if (result.ok) kinds[result.value.record] = (kinds[result.value.record] ?? 0) + 1
      const codes = entries.flatMap(({ position, result }) =>
        result.ok ? [] : [{ position, code: result.refusal.problems[0]!.code }],
      )
      const byHistory = refused.filter(({ code }: { code: string }) => code === 'clearance/version-conflict')
      expect([...new Set(entries.map((entry) => entry.format))], path).toEqual([format])
      expect(codes, path).toEqual(refused.filter((each: { code: string }) => !byHistory.includes(each)))
      if (byHistory.length === 0) expect(kinds, path).toEqual(records)
    }
  })

  test('decides on every declaration as its author does', () => {
    const different = decided.flatMap(({ path, position, meant, decision }) => {
      if (decision === undefined || meant === undefined) return []
      const ground =
        'ground' in decision
          ? decision.ground
          : decision.outcome === 'partial'
            ? decision.leftOut[0]!.ground
            : undefined
      const agree = decision.outcome === meant?.outcome && ground === meant.ground
      return agree ? [] : [{ path, position, meant: meant?.outcome, decided: decision.outcome, ground }]
    })
    expect(different).toEqual([])
  })

  test('warns of what was planted and of nothing else', () => {
    const warned = new Set<string>()
    for (const { path, record, decision } of onTrains) {
      const found =
        record.record === 'railway-list'
          ? checkRailwayList(record.content, reference, defaultRules, now)
          : record.record === 'departure'
            ? checkDeparture(record.content, reference, defaultRules, now)
            : decision !== undefined && 'declaration' in decision
              ? checkClearance(decision.declaration, reference, defaultRules, now)
              : []
      for (const { code } of found) warned.add(`${path.split('/')[1]} ${code}`)
    }
    const planted = expected.planted
      .filter(({ effect }: { effect: string }) => effect === 'warning')
      .map(({ train, code }: { train: string; code: string }) => `${train.toLowerCase()} ${code}`)
    expect([...warned].sort()).toEqual([...new Set(planted)].sort())
  })

  test('counts every leg as an officer does', () => {
    const lists = onTrains.flatMap(({ node, record }) =>
      record.record === 'railway-list' ? [{ node, list: record.content }] : [],
    )
    for (const {
      train,
      node,
      direction,
      leg,
      listVersion,
      listed,
      loaded,
      empty,
      withData,
      withoutData,
      withoutDataUnits,
    } of expected.legs) {
      const sender = (direction === 'out') === (node === 'CN-GACC') ? 'CN-GACC' : 'KZ-KGD'
      const crossed = onTrains.flatMap(({ node: from, decision }) =>
        from === sender && decision !== undefined && 'declaration' in decision
          ? [{ clearance: decision.declaration, knownAt: now }]
          : [],
      )
      const found = lists.find(
        ({ node: at, list }) =>
          at === node &&
          list.leg.transferListNumber === leg.transferListNumber &&
          (list.listVersion ?? 1) === listVersion,
      )
      const { counts, units } = matchUnits(found!.list, crossed)
      const name = `${train} ${node} ${leg.transferListNumber}`
      expect(counts, name).toEqual({ listed, loaded, empty, withData, withoutData })
      expect(
        units.filter(({ state }) => state === 'without-data').map(({ id }) => id),
        name,
      ).toEqual(withoutDataUnits)
    }
  })

  test('keeps the balance of the temporary declaration', () => {
    for (const { declarationId, declaredKg, draws } of expected.balances) {
      const declared = onTrains.flatMap(({ decision }) =>
        decision !== undefined && 'declaration' in decision && decision.declaration.declaration.id === declarationId
          ? [decision.declaration]
          : [],
      )[0]!
      const departures = onTrains.flatMap(({ record }) => (record.record === 'departure' ? [record.content] : []))
      const drawn = departures
        .map((departure) => ({ leg: legIdentity(departure.leg), ...drawsOf(departure, declared) }))
        .filter(({ units }) => units > 0)
      expect(drawn.map(({ netMass }) => netMass)).toEqual(draws.map(({ drawnKg }: { drawnKg: string }) => drawnKg))
      expect(foldBalance(declared, [...drawn, drawn[2]!])).toMatchObject({
        declaredKg,
        leftKg: '0',
        legs: 3,
        warnings: [],
      })
    }
  })

  test('lets nothing of what was left out travel', () => {
    const withheldIds = new Set(
      onTrains.flatMap(({ record, decision }) =>
        record.record === 'declaration' && decision !== undefined && !('declaration' in decision)
          ? [record.content.declaration.id]
          : [],
      ),
    )
    const crossed = onTrains.flatMap(({ node, decision }) =>
      decision !== undefined && 'declaration' in decision
        ? [{ node, clearance: decision.declaration, knownAt: now }]
        : [],
    )
    for (const { path, node, record } of onTrains) {
      if (record.record !== 'departure') continue
      const body = JSON.stringify(
        composeDeparture(
          record.content,
          crossed.filter((each) => each.node === node),
          [],
        ),
      )
      for (const id of withheldIds) expect(body.includes(id), `${path} ${id}`).toBe(false)
    }
  })
})
