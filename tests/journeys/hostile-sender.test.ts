/** A partner with the right keys and bad manners writes to our node: what it may not say is never kept, used or shown. */
import { generateKeyPairSync, randomUUID } from 'node:crypto'
import { sql } from 'kysely'
import { v7 as uuidv7 } from 'uuid'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Clearance, DefectiveRow } from '../../src/clearance/index.ts'
import type { MessageFate } from '../../src/exchange/index.ts'
import { makeSelfSignedCertificate } from '../../src/platform/keys/self-signed-certificate.ts'
import { aCancellation, aClearance, aDeparture, anArrival, type DeepPartial } from '../builders/clearance.ts'
import { HostileSender, payloadOf } from '../builders/hostile-peer.ts'
import { startNodes, type TwoTestNodes } from '../builders/node.ts'
import { clause } from '../clause.ts'
import { newNumber, received } from './journey.ts'

let two: TwoTestNodes
let china: HostileSender
beforeAll(async () => {
  two = await startNodes()
  china = new HostileSender(two.cn, two.kz)
})
afterAll(async () => {
  china?.close()
  await two?.close()
})

const clearance = (id: string, overrides: DeepPartial<Clearance> = {}): Clearance =>
  aClearance({ ...overrides, declaration: { ...overrides.declaration, id } })

/** How many rows the books of the exchange have: what a refused input must not change. */
async function size(): Promise<Readonly<Record<string, number>>> {
  const [row] = await two.kz.rows(sql<Record<string, number>>`select
    (select count(*)::int from exchange.inbound) as inbound, (select count(*)::int from exchange.part) as parts,
    (select count(*)::int from clearance.received) as received, (select count(*)::int from exchange.outbound) as outbound`)
  return row ?? {}
}

/** The messages in China's own books that answer one of its messages. */
async function answersTo(id: string): Promise<readonly MessageFate[]> {
  await two.settle()
  const { items } = await two.cn.get<{ items: readonly MessageFate[] }>('/api/v1/messages?direction=in&limit=500')
  return items.filter(({ ref }) => ref === id)
}

describe('prohibited content', () => {
  const prohibited: ReadonlyArray<readonly [string, string, DeepPartial<Clearance>]> = [
    [
      'of natural persons',
      'clearance/prohibited-personal-use',
      { parties: { consignee: { name: undefined, kind: 'natural-persons' } } },
    ],
    ['by post', 'clearance/prohibited-postal', { consignment: { borderModeCode: '5' } }],
    ['not cleared', 'clearance/prohibited-not-cleared', { customsDecision: { statusCode: 'not-cleared' } }],
  ]

  clause(
    ['STOP-2021/6.4', 'STOP-2021/2.3-r1', 'STOP-2021/2.3-r2'],
    'is put aside unread: the sender is told REJECTED, the bytes are not kept, nobody is shown it',
    async () => {
      for (const [, code, overrides] of prohibited) {
        const id = newNumber()
        const secret = `PRIVAT-${id}`
        const items = aClearance().items.map((item) => ({ ...item, description: { text: secret, language: 'und' } }))
        const message = china.write('EXP-CLR', clearance(id, { ...overrides, items }))
        expect(await china.sendOne(message)).toMatchObject({ outcome: 'RECEIVED', id: message.id })
        for (const trace of [secret, id, 'XDKU1000018']) expect(await two.kz.placesOf(trace)).toEqual([])
        expect(await received(two.kz, id)).toBeUndefined()
        expect(await two.kz.get(`/api/v1/messages/${message.id}`)).toMatchObject({ state: 'quarantined' })
        const { items: defective } = await two.kz.get<{ items: readonly DefectiveRow[] }>('/api/v1/defective')
        const row = defective.find((each) => each.message === message.id)
        expect(row).toMatchObject({ quarantined: true, problems: [{ code }] })
        expect(await answersTo(message.id)).toMatchObject([{ type: 'REJECTED', state: 'received' }])
      }
      const alarms = (await two.kz.audit()).filter(({ type }) => type === 'inbound.quarantined')
      expect(alarms).toHaveLength(prohibited.length)
    },
  )

  clause(
    'STOP-2021/3.a',
    'of an import declaration in an arrival is refused and still shown as defective',
    async () => {
      const message = china.write('ARR', { ...anArrival(), importDeclarationId: '55302/221126/0000001' })
      expect((await china.sendOne(message)).outcome).toBe('RECEIVED')
      expect(await answersTo(message.id)).toMatchObject([{ type: 'REJECTED' }])
      const { items } = await two.kz.get<{ items: readonly DefectiveRow[] }>('/api/v1/defective')
      expect(items.find((each) => each.message === message.id)).toMatchObject({ quarantined: false, type: 'ARR' })
      const legs = await two.kz.rows(sql<{ count: number }>`select count(*)::int as count from clearance.rail_record`)
      expect(legs[0]?.count).toBe(0)
    },
  )
})

describe('what cannot be read', () => {
  const bodies: ReadonlyArray<readonly [string, unknown]> = [
    ['no body', undefined],
    ['no JSON', '<xml/>'],
    ['a name twice', '{"declaration":{},"declaration":{}}'],
    ['__proto__', '{"__proto__":{"isAdmin":true}}'],
    ['a number that no computer holds', '{"declaration":1e400}'],
    ['half a character', '{"declaration":"\\ud800"}'],
    ['a null character', '{"declaration":"a\\u0000b"}'],
    ['great depth', `${'['.repeat(5000)}${']'.repeat(5000)}`],
    ['an array', []],
    ['an unknown member', { ...aClearance(), invented: true }],
    ['masses as numbers', { ...aClearance(), declaration: { ...aClearance().declaration, totalGrossMass: 21200 } }],
    ['an envelope inside', { ...aClearance(), iss: 'KZ-KGD' }],
  ]

  test.each(bodies)('is received and then rejected: %s', async (_, body) => {
    const message = china.write('EXP-CLR', body)
    expect((await china.sendOne(message)).outcome).toBe('RECEIVED')
    const [answer] = await answersTo(message.id)
    expect(answer).toMatchObject({ type: 'REJECTED' })
    expect(await two.kz.get(`/api/v1/messages/${message.id}`)).toMatchObject({ state: 'rejected' })
  })

  test('is refused as a request with a code and no 5xx, and nothing grows', async () => {
    const before = await size()
    const good = await china.seal([china.write('EXP-CLR', clearance(newNumber()))])
    const { request, frame } = JSON.parse(good) as { request: string; frame: string }
    const raw = [
      '',
      'null',
      '[]',
      '{}',
      '{"request":1,"frame":2}',
      JSON.stringify({ request, frame, extra: 1 }),
      `${good}x`,
      good.replace('"request"', '"request":"x","request"'),
      JSON.stringify({ request: frame, frame: request }),
      JSON.stringify({ request, frame: `${frame}A` }),
      JSON.stringify({ request: request.slice(0, -4), frame }),
      JSON.stringify({
        request: `${Buffer.from('{"alg":"none"}').toString('base64url')}.${request.split('.')[1]}.`,
        frame,
      }),
      `{"request":"${'['.repeat(100_000)}"}`,
    ]
    for (const body of raw) {
      const { status, answer } = await china.post(body)
      expect(status).toBeLessThan(500)
      expect(answer?.outcome ?? 'REQUEST_INVALID').toBe('REQUEST_INVALID')
    }
    for (const text of ['', 'a.b.c.d.e', frame.replace(/^[^.]+/, Buffer.from('{"alg":"dir"}').toString('base64url'))])
      expect((await china.post(china.sign(text))).answer?.outcome).toBe('FRAME_UNREADABLE')
    expect(await size()).toEqual(before)
  })

  test('a flood of more than a frame can hold is cut off', async () => {
    const before = await size()
    const { status } = await china.post(`{"request":"${'A'.repeat(7 * 1024 * 1024)}"}`).catch(() => ({ status: 413 }))
    expect(status).toBe(413)
    expect(await size()).toEqual(before)
    expect((await china.sendOne(china.write('EXP-CLR', clearance(newNumber())))).outcome).toBe('RECEIVED')
  })
})

describe('what is not authentic', () => {
  clause(['STOP-2021/1.2-r3', 'STOP-2021/6.1-r1'], 'a stranger’s key gets nothing and leaves nothing', async () => {
    const before = await size()
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    const cert = await makeSelfSignedCertificate(privateKey, 'CN-GACC', new Date().toISOString())
    const tls = { key: privateKey.export({ type: 'pkcs8', format: 'pem' }) as string, cert }
    const body = await china.seal([china.write('EXP-CLR', clearance(newNumber()))])
    expect((await china.post(body, { tls })).status).toBe(403)
    expect(await size()).toEqual(before)
  })

  test('each forgery is refused by its name and leaves nothing', async () => {
    const body = clearance(newNumber())
    const test = two.cn.services.keys.signer('test')
    const live = two.cn.services.keys.signer('live')
    const genuine = china.write('EXP-CLR', body)
    const [header = '', payload = '', signature = ''] = genuine.compact.split('.')
    const forged = (compact: string) => ({ entry: { ...genuine.entry, message: compact } })
    const before = await size()
    const forgeries: ReadonlyArray<readonly [string, { entry: typeof genuine.entry }]> = [
      ['WRONG_ISSUER', china.write('EXP-CLR', body, { iss: 'RU-FCS' })],
      ['WRONG_ISSUER', china.write('EXP-CLR', body, { iss: 'KZ-KGD', aud: 'CN-GACC' })],
      ['WRONG_AUDIENCE', china.write('EXP-CLR', body, { aud: 'UZ-CUST' })],
      ['WRONG_MODE', china.write('EXP-CLR', body, { mode: 'test' })],
      ['KEY_UNKNOWN', china.write('EXP-CLR', body, {}, test)],
      ['MALFORMED', china.write('EXP-CLR', body, {}, { kid: '../../etc/passwd', sign: (data) => live.sign(data) })],
      [
        'KEY_UNKNOWN',
        china.write('EXP-CLR', body, {}, { kid: 'CN-GACC.live.sign.2', sign: (data) => live.sign(data) }),
      ],
      ['SIGNATURE_INVALID', forged(`${header}.${payload}.${Buffer.alloc(64, 1).toString('base64url')}`)],
      ['MALFORMED', forged(`${header}.${payload}.${signature}=`)],
      ['MALFORMED', forged(`${header}.${payload}.${signature}\n`)],
      ['MALFORMED', forged(`${header}.${payload}.`)],
      [
        'MALFORMED',
        forged(
          genuine.compact.replace(
            header,
            Buffer.from('{"alg":"ES256","kid":"x","typ":"dx1-receipt"}').toString('base64url'),
          ),
        ),
      ],
      ['MALFORMED', forged('')],
      ['NOT_YET', china.write('EXP-CLR', body, { issuedAt: new Date(Date.now() + 400_000).toISOString() })],
      ['EXPIRED', china.write('EXP-CLR', body, { expiresAt: new Date(Date.now() - 1000).toISOString() })],
      ['AGREEMENT_UNKNOWN', china.write('EXP-CLR', body, { agreement: { id: 'CN-KZ-1997', conditions: '1.0' } })],
      ['CONDITIONS_NOT_ACCEPTED', china.write('EXP-CLR', body, { agreement: { id: 'STOP-2021', conditions: '9.9' } })],
      ['TYPE_UNKNOWN', china.write('TAX-AUDIT', body)],
      ['PART_INVALID', { entry: { ...genuine.entry, parts: {} } }],
    ]
    for (const [outcome, message] of forgeries) expect((await china.sendOne(message)).outcome).toBe(outcome)
    expect(await size()).toEqual(before)
    // All of them in one frame cost the good one among them nothing.
    const { answer } = await china.send([...forgeries.map(([, message]) => message), genuine])
    expect(answer?.results.map(({ outcome }) => outcome)).toEqual([
      ...forgeries.map(([outcome]) => outcome),
      'RECEIVED',
    ])
  })

  test('our own message sent back to us is nobody’s', async () => {
    const { about = '' } = await two.kz.take({ record: 'arrival', content: anArrival() })
    await two.settle()
    const [mine] = await two.kz.rows(
      sql<{ message: string }>`select message from exchange.outbound where subject = ${about}`,
    )
    const echo = await china.sendOne({ entry: { message: mine?.message ?? '', parts: {} } })
    expect(echo.outcome).toBe('WRONG_ISSUER')
  })

  test('an id with other content is refused with an alarm, and the first stands', async () => {
    const id = newNumber()
    const first = china.write('EXP-CLR', clearance(id))
    await china.sendOne(first)
    const second = china.write('EXP-CLR', clearance(id, { declaration: { totalGrossMass: '1' } }), { id: first.id })
    expect((await china.sendOne(second)).outcome).toBe('ID_CONFLICT')
    expect((await two.kz.audit()).filter(({ type }) => type === 'inbound.conflict')).toMatchObject([
      { subject: first.id },
    ])
    expect((await received(two.kz, id))?.versions[0]?.content.declaration).toMatchObject({ totalGrossMass: '21200' })
  })
})

describe('what comes again', () => {
  test('a captured request is not played twice, nor later', async () => {
    const body = await china.seal([china.write('EXP-CLR', clearance(newNumber()))])
    expect((await china.post(body)).answer?.outcome).toBe('OK')
    expect((await china.post(body)).answer?.outcome).toBe('REQUEST_REPLAYED')
    const old = await china.seal([china.write('EXP-CLR', clearance(newNumber()))], {
      request: { iat: Math.floor(Date.now() / 1000) - 61 },
    })
    expect((await china.post(old)).answer?.outcome).toBe('REQUEST_STALE')
  })

  test('one message a thousand times is held once, with one receipt', async () => {
    const id = newNumber()
    const message = china.write('EXP-CLR', clearance(id))
    const first = await china.sendOne(message)
    await two.settle()
    const before = { ...(await size()), events: (await two.kz.audit()).length }
    const frame = (JSON.parse(await china.seal(Array.from({ length: 50 }, () => message))) as { frame: string }).frame
    for (let round = 0; round < 20; round += 1) {
      const { answer } = await china.post(china.sign(frame))
      expect(answer?.results).toHaveLength(50)
      expect(new Set(answer?.results.map(({ receipt }) => receipt))).toEqual(new Set([first.receipt]))
    }
    expect({ ...(await size()), events: (await two.kz.audit()).length }).toEqual(before)
    expect(await two.kz.get(`/api/v1/messages/${message.id}`)).toMatchObject({ state: 'accepted', answer: 'accepted' })
    expect(await answersTo(message.id)).toHaveLength(1)
  })

  test('an answer or a USED about nothing we sent changes nothing', async () => {
    const before = await two.kz.rows(
      sql`select id, answer, used_at from exchange.outbound where answer is not null or used_at is not null`,
    )
    for (const type of ['ACCEPTED', 'REJECTED', 'USED', 'SKIP'])
      expect((await china.sendOne(china.write(type, undefined, { ref: uuidv7() }))).outcome).toBe('RECEIVED')
    const after = await two.kz.rows(
      sql`select id, answer, used_at from exchange.outbound where answer is not null or used_at is not null`,
    )
    expect(after).toEqual(before)
  })
})

describe('what comes out of order', () => {
  test('a newer version is shown at once with a gap; an older one that follows changes nothing that is shown', async () => {
    const id = newNumber()
    const place = { lane: randomUUID(), subject: randomUUID() }
    const version = (versionId: number) => clearance(id, { declaration: { versionId } })
    await china.sendOne(china.write('AMD', version(3), { ...place, seq: 3 }))
    expect(await received(two.kz, id)).toMatchObject({ version: 3, gap: true, state: 'shown' })
    for (const [type, seq] of [
      ['AMD', 2],
      ['EXP-CLR', 1],
    ] as const)
      expect(await china.sendOne(china.write(type, version(seq), { ...place, seq }))).toMatchObject({
        outcome: 'RECEIVED',
      })
    const shown = await received(two.kz, id)
    expect(shown).toMatchObject({ version: 3, state: 'shown', gap: false })
    expect(shown?.versions.map((each) => each.version)).toEqual([3, 2, 1])
    const withdrawal = aCancellation({ declaration: { id, versionId: 3 } })
    await china.sendOne(china.write('CNL', withdrawal, { ...place, seq: 4 }))
    expect(await received(two.kz, id)).toMatchObject({ state: 'cancelled' })
  })

  test('the list of a train that departed is not replaced by the list before it', async () => {
    const place = { lane: randomUUID(), subject: randomUUID() }
    const leg = { ...aDeparture().leg, transferListNumber: 'PL-777' }
    const [first, second] = aDeparture().containers
    const early = { ...aDeparture(), leg, containers: [first, second] }
    const late = { ...aDeparture(), leg, containers: [first] }
    await china.sendOne(china.write('DEP', late, { ...place, seq: 2 }))
    await china.sendOne(china.write('DEP', early, { ...place, seq: 1 }))
    const { items } = await two.kz.get<{
      items: ReadonlyArray<{ listed: number; leg: { transferListNumber: string } }>
    }>('/api/v1/legs?source=partner')
    expect(items.filter((each) => each.leg.transferListNumber === 'PL-777')).toMatchObject([{ listed: 1 }])
  })

  test('a place in a lane is filled once, unless the second names the first', async () => {
    const lane = randomUUID()
    const first = china.write('EXP-CLR', clearance(newNumber()), { lane })
    await china.sendOne(first)
    expect((await china.sendOne(china.write('SKIP', undefined, { lane }))).outcome).toBe('SEQUENCE_TAKEN')
    expect((await china.sendOne(china.write('SKIP', undefined, { lane, ref: first.id }))).outcome).toBe('RECEIVED')
    for (const seq of [2 ** 53 - 1, 2])
      expect((await china.sendOne(china.write('SKIP', undefined, { lane, seq }))).outcome).toBe('RECEIVED')
  })
})

test('names that would be commands are kept as they are and shown as text', async () => {
  const id = newNumber()
  const name = '<script>alert(1)</script>=HYPERLINK("http://x")\u202e؜'
  const message = china.write(
    'EXP-CLR',
    clearance(id, { parties: { consignor: { name: { text: name, language: 'und' } } } }),
  )
  expect((await china.sendOne(message)).outcome).toBe('RECEIVED')
  expect((await received(two.kz, id))?.versions[0]?.content).toMatchObject({
    parties: { consignor: { name: { text: name } } },
  })
  const page = await two.kz.call<string>('GET', '/', { token: '' })
  expect(String(page.body)).not.toContain('<script>alert')
  const { iss } = payloadOf<{ iss: string }>(message.compact)
  expect(iss).toBe('CN-GACC')
})
