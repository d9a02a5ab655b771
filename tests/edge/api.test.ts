/** The interface of home systems and officers on a real node: what it takes, what it refuses, and how it says so. */
import { once } from 'node:events'
import { connect } from 'node:net'
import fc from 'fast-check'
import { sql } from 'kysely'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { withActor } from '../../src/platform/db/index.ts'
import { createToken, revokeToken } from '../../src/platform/identity/tokens.ts'
import { aHomeDeclaration } from '../builders/clearance.ts'
import { eventually, type JourneyNode, startNodes, type TwoTestNodes } from '../builders/node.ts'

let nodes: TwoTestNodes
let kz: JourneyNode

beforeAll(async () => {
  nodes = await startNodes()
  kz = nodes.kz
  for (const file of ['t4/kz-temporary-declaration', 't4/kz-list', 't6/kz-exit-of-russian-goods', 't6/kz-list'])
    await kz.submitFile(`trains/${file}.json`)
  await nodes.cn.submitFile('trains/t1/cn-declarations.ndjson')
  await nodes.cn.submitFile('trains/t1/cn-departure.json')
  await kz.submitFile('broken/one-bad-line.ndjson')
  await nodes.settle()
})

afterAll(async () => {
  await nodes?.close()
})

interface Problem {
  readonly type: string
  readonly title: string
  readonly status: number
  readonly code: string
  readonly clause?: string
  readonly facts?: Readonly<Record<string, unknown>>
  readonly correlationId?: string
}

interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  readonly problem: Problem
}

/** Calls as a system does, with nothing added. */
async function call(path: string, init: RequestInit & { readonly token?: string } = {}): Promise<Answer> {
  const { token, ...rest } = init
  const headers = new Headers(rest.headers)
  if (token !== undefined) headers.set('authorization', `Bearer ${token}`)
  const response = await fetch(new URL(path, kz.httpUrl), { ...rest, headers })
  const text = await response.text()
  const isProblem = response.headers.get('content-type')?.startsWith('application/problem+json')
  return {
    status: response.status,
    headers: response.headers,
    text,
    problem: isProblem && text !== '' ? (JSON.parse(text) as Problem) : ({} as Problem),
  }
}

const as = (path: string, init: RequestInit = {}): Promise<Answer> => call(path, { ...init, token: kz.token })
const postJson = (path: string, body: string | Buffer): Promise<Answer> =>
  as(path, { method: 'POST', headers: { 'content-type': 'application/json' }, body: new Uint8Array(Buffer.from(body)) })

let tokensMade = 0
async function makeToken(
  scopes: readonly string[],
  requestsPerMinute = 1_000_000,
): Promise<{ name: string; secret: string }> {
  tokensMade += 1
  const name = `edge-${tokensMade}`
  const made = await withActor(kz.db, { actor: 'test', purpose: 'administration' }, (tx) =>
    createToken(tx, { name, scopes, requestsPerMinute }, 'test'),
  )
  if (!made.ok) throw new Error(made.refusal.code)
  return { name, secret: made.value.secret }
}

interface Operation {
  readonly operationId?: string
  readonly summary?: string
  readonly security?: ReadonlyArray<{ token?: readonly string[] }>
  readonly requestBody?: { readonly content?: object }
  readonly responses?: Readonly<Record<string, unknown>>
}

interface OpenApi {
  readonly openapi: string
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
}
const unknownId = '00000000-0000-7000-8000-000000000000'
const readOpenApi = (): Promise<OpenApi> => kz.get<OpenApi>('/api/v1/openapi.json')
async function operations(): Promise<ReadonlyArray<{ method: string; path: string; scope: string }>> {
  const { paths } = await readOpenApi()
  return Object.entries(paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, { security }]) => ({
      method: method.toUpperCase(),
      path: path.replaceAll('{id}', unknownId).replaceAll('{position}', '1'),
      scope: security?.[0]?.token?.[0] ?? '',
    })),
  )
}

describe('who may call', () => {
  test('every operation needs a token with its scope, and says so in OpenAPI', async () => {
    const listed = await operations()
    expect(listed.length).toBeGreaterThan(20)
    expect(listed.filter(({ scope }) => scope === '')).toEqual([])
    for (const { method, path } of listed) {
      const { status, problem, headers } = await call(path, { method })
      expect([path, status, problem.code]).toEqual([path, 401, 'access/token-missing'])
      expect(headers.get('www-authenticate')).toContain('Bearer')
    }
  })

  test('a token of another scope opens no operation', async () => {
    // One token stands for one caller; an address that shows too many bad ones must wait.
    const scopes = new Set((await operations()).map(({ scope }) => scope))
    expect([...scopes].sort()).toEqual(['decide', 'events', 'read', 'read-received', 'submit'])
    for (const scope of scopes) {
      const others = [...scopes].filter((other) => other !== scope)
      const { secret: other } = await makeToken(others)
      const operation = (await operations()).find((each) => each.scope === scope)
      const answer = await call(operation?.path ?? '', { method: operation?.method ?? 'GET', token: other })
      expect([answer.status, answer.problem.code, answer.problem.facts]).toEqual([
        403,
        'access/scope-missing',
        { scope },
      ])
    }
  })

  test('a revoked token and an invented one are refused, and the refusal is on record', async () => {
    const { name, secret } = await makeToken(['read'])
    expect((await call('/api/v1/legs', { token: secret })).status).toBe(200)
    await withActor(kz.db, { actor: 'test', purpose: 'administration' }, (tx) => revokeToken(tx, name, 'test'))
    const revoked = await call('/api/v1/legs', { token: secret })
    expect([revoked.status, revoked.problem.code]).toEqual([401, 'access/token-invalid'])
    const invented = await call('/api/v1/legs', { token: `dostyk_${'A'.repeat(43)}` })
    expect([invented.status, invented.problem.code]).toEqual([401, 'access/token-invalid'])
    const recorded = await eventually(async () => {
      const rows = await kz.rows(sql<{ n: number }>`
        select count(*)::int as n from audit.entry where content::text like '%token.refused%'`)
      return (rows[0]?.n ?? 0) >= 2
    })
    expect(recorded).toBe(true)
  })

  test('a token may ask as often as it says, and is told how long to wait', async () => {
    const { secret } = await makeToken(['read'], 3)
    const answers = []
    for (let n = 0; n < 4; n += 1) answers.push(await call('/api/v1/legs', { token: secret }))
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 429])
    expect(answers[3]?.problem.code).toBe('access/too-many-requests')
    expect(Number(answers[3]?.headers.get('retry-after'))).toBeGreaterThan(0)
    expect((await call('/healthz')).status).toBe(200)
  })

  test('what partners sent is read for customs control only', async () => {
    for (const path of ['/api/v1/received', `/api/v1/received/${unknownId}`]) {
      for (const headers of [{}, { 'dostyk-purpose': 'curiosity' }]) {
        const { status, problem } = await as(path, { headers })
        expect([status, problem.code, problem.clause]).toEqual([400, 'access/purpose-missing', 'STOP-2021/6.2'])
      }
    }
    const { status, text } = await as('/api/v1/received', { headers: { 'dostyk-purpose': 'customs-control' } })
    expect([status, (JSON.parse(text) as { items: unknown[] }).items.length > 0]).toEqual([200, true])
  })

  test('reading a received record leaves a trace', async () => {
    const headers = { 'dostyk-purpose': 'customs-control' }
    const { items } = await kz.get<{ items: { key: string }[] }>('/api/v1/received?limit=1', { headers })
    const key = items[0]?.key ?? ''
    const read = await kz.get<{ versions: unknown[] }>(`/api/v1/received/${key}`, { headers })
    expect(read.versions).toHaveLength(1)
    const traced = await eventually(async () => {
      const rows = await kz.rows(sql<{ n: number }>`
        select count(*)::int as n from audit.entry where subjects @> array[${key}]::text[]
          and content::text like '%received.read%' and content::text like '%customs-control%'`)
      return (rows[0]?.n ?? 0) > 0
    })
    expect(traced).toBe(true)
  })
})

describe('addresses and methods', () => {
  test('says what there is not, which methods there are, and answers OPTIONS', async () => {
    const missing = await as('/api/v1/nothing')
    expect([missing.status, missing.problem.code]).toEqual([404, 'platform/not-found'])
    const wrong = await as('/api/v1/declarations', { method: 'DELETE' })
    expect([wrong.status, wrong.problem.code]).toEqual([405, 'platform/method-not-allowed'])
    expect(wrong.headers.get('allow')).toBe('GET, HEAD, OPTIONS')
    const options = await call('/api/v1/submissions', { method: 'OPTIONS' })
    expect([options.status, options.headers.get('allow')]).toEqual([204, 'GET, HEAD, OPTIONS, POST'])
  })

  test('answers HEAD as GET without a body, except for the feed', async () => {
    const head = await as('/api/v1/declarations', { method: 'HEAD' })
    expect([head.status, head.text]).toEqual([200, ''])
    expect((await as('/api/v1/events', { method: 'HEAD' })).status).toBe(405)
  })

  test('a wrong method is told before its body is read', async () => {
    const { status, problem } = await as('/api/v1/legs', {
      method: 'PUT',
      headers: { 'content-type': 'text/plain' },
      body: 'x'.repeat(3_000_000),
    })
    expect([status, problem.code]).toEqual([405, 'platform/method-not-allowed'])
  })

  test('problems are in the language asked for', async () => {
    const { problem, headers } = await call('/api/v1/legs', { headers: { 'accept-language': 'ka, en;q=0.5' } })
    expect(problem.title).toMatch(/\p{Script=Georgian}/u)
    expect([headers.get('content-language'), headers.get('vary')]).toEqual(['ka', 'accept-language'])
  })

  test('nothing is cached, sniffed or framed', async () => {
    const { headers } = await as('/api/v1/legs')
    expect([
      headers.get('cache-control'),
      headers.get('x-content-type-options'),
      headers.get('content-security-policy'),
    ]).toEqual(['no-store', 'nosniff', "default-src 'none'; frame-ancestors 'none'"])
  })
})

describe('what operators ask', () => {
  test('a node that lives and works says so', async () => {
    expect(await kz.get('/healthz', { token: '' })).toEqual({ alive: true })
    expect(await kz.get('/readyz', { token: '' })).toEqual({ ready: true, codes: [] })
  })

  test('figures are there for Prometheus, without content', async () => {
    const { status, text, headers } = await call('/metrics')
    expect([status, headers.get('content-type')]).toEqual([200, expect.stringContaining('text/plain')])
    expect(text).toMatch(/dostyk_queued_messages\{partner="CN-GACC",mode="live"\} 0/)
    expect(text).toMatch(/dostyk_request_seconds_count\{route="\/api\/v1\/submissions",status="200"\} \d/)
    expect(text).toMatch(/dostyk_records_total\{outcome="taken"\} \d/)
  })

  test('the OpenAPI document is 3.1, names every problem once, and the readable pages follow it', async () => {
    const document = await readOpenApi()
    expect(document.openapi).toBe('3.1.0')
    expect(JSON.stringify(document)).toContain('application/problem+json')
    const { text } = await call('/api/v1/docs')
    for (const path of Object.keys(document.paths)) expect(text).toContain(path)
    const described = Object.values(document.paths).flatMap((item) => Object.values(item))
    const ids = described.map(({ operationId }) => operationId)
    expect(new Set(ids).size).toBe(ids.length)
    expect(described.filter(({ summary, responses }) => !summary || !responses?.['200'] || !responses['4XX'])).toEqual(
      [],
    )
    expect(Object.keys(document.paths['/api/v1/submissions']?.['post']?.requestBody?.content ?? {})).toContain(
      'application/x-ndjson',
    )
  })
})

describe('the law', () => {
  test('lists the agreement with its term and both readings of it', async () => {
    const { items } = await kz.get<{ items: Array<Record<string, unknown>> }>('/api/v1/agreements?on=2027-03-01')
    const stop = items.find(({ id }) => id === 'STOP-2021')
    expect(stop).toMatchObject({ standing: 'uncertain', opensExchange: true, on: '2027-03-01', recordedReading: null })
    expect((stop?.['readings'] as unknown[] | undefined)?.length).toBeGreaterThan(1)
  })

  test('lists clauses as they read on a day, each with its status', async () => {
    const { items } = await kz.get<{ items: Array<{ id: string; status: string }> }>(
      '/api/v1/agreements/STOP-2021/clauses',
    )
    expect(items.find(({ id }) => id === 'STOP-2021/2.3-r1')?.status).toBe('enforced')
    const unknown = await as('/api/v1/agreements/NO-1/clauses')
    expect([unknown.status, unknown.problem.code]).toEqual([404, 'law/instrument-unknown'])
    expect((await as('/api/v1/agreements?on=2027-02-30')).problem).toMatchObject({
      code: 'platform/request-invalid',
      facts: { place: 'querystring/on', rule: 'date' },
    })
  })

  test('lists the Technical Conditions with digests, decisions, approvals and stage', async () => {
    const { items } = await kz.get<{ items: Array<Record<string, never>> }>('/api/v1/conditions')
    expect(items).toMatchObject([
      {
        partner: 'CN-GACC',
        state: 'production',
        open: { mode: 'live', conditionsForSending: '1.0' },
        missing: null,
        versions: [{ version: '1.0', stage: 'in-force' }],
        approvals: [{ side: 'CN' }, { side: 'KZ' }],
      },
    ])
  })
})

describe('what is refused', () => {
  const decision = `/api/v1/declarations/${unknownId}/decision`

  test.each([
    ['no body', '', 'json/missing'],
    ['no JSON', '{', 'json/syntax'],
    ['a member twice', '{"decision":"release","decision":"withhold","reason":"x"}', 'json/duplicate-key'],
    ['a forbidden member', '{"__proto__":{}}', 'json/forbidden-key'],
    ['depth', '['.repeat(40) + ']'.repeat(40), 'json/too-deep'],
    ['bytes that are no text', Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]), 'json/utf-8'],
    ['a lone surrogate', '{"reason":"\\ud800"}', 'json/lone-surrogate'],
    ['a NUL', '{"decision":"release","reason":"a\\u0000b"}', 'json/nul'],
    ['a number that loses digits', '{"a":1e400}', 'json/lossy-number'],
  ])('a JSON body with %s', async (_what, body, rule) => {
    const { status, problem } = await postJson(decision, body)
    expect([status, problem.code, problem.facts]).toEqual([400, 'platform/request-invalid', { place: 'body', rule }])
  })

  test.each([
    ['an unknown member', '{"decision":"release","reason":"x","force":true}', 'body/force', 'additionalProperties'],
    ['a member that is missing', '{"decision":"release"}', 'body/reason', 'required'],
    ['a number for a text', '{"decision":"release","reason":1}', 'body/reason', 'type'],
  ])('a body that breaks its schema: %s', async (_what, body, place, rule) => {
    const { status, problem } = await postJson(decision, body)
    expect([status, problem.facts]).toEqual([400, { place, rule }])
  })

  test('a body that is too large, or of another kind', async () => {
    const large = await postJson(decision, JSON.stringify({ decision: 'release', reason: 'x'.repeat(1_100_000) }))
    expect([large.status, large.problem.code]).toEqual([413, 'platform/too-large'])
    const form = await as(decision, { method: 'POST', body: new URLSearchParams({ decision: 'release' }) })
    expect([form.status, form.problem.code]).toEqual([415, 'platform/media-type'])
    const zipped = await as('/api/v1/submissions', {
      method: 'POST',
      headers: { 'content-encoding': 'gzip' },
      body: 'x',
    })
    expect([zipped.status, zipped.problem.code]).toEqual([415, 'platform/media-type'])
  })

  test.each([
    ['/api/v1/declarations?limit=501', 'querystring/limit'],
    ['/api/v1/declarations?limit=0', 'querystring/limit'],
    ['/api/v1/declarations?limit=5&limit=6', 'querystring/limit'],
    ['/api/v1/declarations?before=yesterday', 'querystring/before'],
    [`/api/v1/declarations?before=2026-13-01T00:00:00.000Z~${unknownId}`, 'querystring/before'],
    ['/api/v1/declarations?unit=%00', 'querystring/unit'],
    ['/api/v1/declarations?sort=up', 'querystring/sort'],
    ['/api/v1/messages/..%2f..%2fetc%2fpasswd', 'params/id'],
    ["/api/v1/messages/'%20or%201=1", 'params/id'],
    [`/api/v1/submissions/${unknownId}/records/-1/original`, 'params/position'],
  ])('%s', async (path, place) => {
    const { status, problem } = await as(path)
    expect([status, problem.code, problem.facts?.['place']]).toEqual([400, 'platform/request-invalid', place])
  })

  test.each([
    [`/api/v1/submissions/${unknownId}`, 'platform/submission-unknown'],
    [`/api/v1/submissions/${unknownId}/records`, 'platform/submission-unknown'],
    [`/api/v1/submissions/${unknownId}/records/1/original`, 'platform/submission-unknown'],
    [`/api/v1/declarations/${unknownId}`, 'clearance/declaration-unknown'],
    [`/api/v1/legs/${unknownId}`, 'clearance/leg-unknown'],
    [`/api/v1/messages/${unknownId}`, 'exchange/message-unknown'],
  ])('%s is not there', async (path, code) => {
    const { status, problem } = await as(path)
    expect([status, problem.code]).toEqual([404, code])
  })

  test('no path, query or header makes the node fail', async () => {
    const { paths } = await readOpenApi()
    const text = fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('\0', '../', "';--", '%', '{{', '\u202e'))
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...Object.keys(paths).filter((path) => path !== '/api/v1/events')),
        text,
        fc.dictionary(fc.constantFrom('limit', 'before', 'unit', 'on', 'after', 'state', 'subject'), text, {
          maxKeys: 2,
        }),
        fc.constantFrom('GET', 'POST', 'PATCH'),
        async (path, id, query, method) => {
          const at = path.replaceAll(/\{\w+\}/g, encodeURIComponent(id.toWellFormed()))
          const search = new URLSearchParams(
            Object.entries(query).map(([name, value]): [string, string] => [name, value.toWellFormed()]),
          ).toString()
          const { status } = await as(`${at}?${search}`, {
            method,
            headers: { 'accept-language': search.slice(0, 200) },
          })
          expect([at, search, status < 500]).toEqual([at, search, true])
        },
      ),
      { numRuns: 150 },
    )
  })

  test('bytes that are no HTTP, too many headers and a bad address get a problem too', async () => {
    const said = async (bytes: string): Promise<string> => {
      const { hostname, port } = new URL(kz.httpUrl)
      const socket = connect(Number(port), hostname)
      socket.end(bytes)
      let text = ''
      for await (const chunk of socket) text += String(chunk)
      return text
    }
    const rubbish = await said('\x16\x03\x01\r\n\r\n')
    expect(rubbish).toMatch(/^HTTP\/1\.1 400 .*application\/problem\+json.*platform\/request-invalid/s)
    const headers = await said(`GET / HTTP/1.1\r\nhost: x\r\nx: ${'y'.repeat(20_000)}\r\n\r\n`)
    expect(headers).toMatch(/^HTTP\/1\.1 431 .*application\/problem\+json/s)
    const address = await said('GET /api/v1/%ff%zz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n')
    expect(address).toMatch(/^HTTP\/1\.1 40[04] .*application\/problem\+json/s)
  })
})

describe('what officers do', () => {
  test('decide a held declaration once', async () => {
    const { items } = await kz.get<{ items: Array<{ key: string }> }>('/api/v1/declarations?outcome=held')
    const key = items[0]?.key ?? ''
    const detail = await kz.get<{ outcome: string; versions: unknown[] }>(`/api/v1/declarations/${key}`)
    expect(detail.outcome).toBe('held')
    const decide = () =>
      kz.call<Problem>('POST', `/api/v1/declarations/${key}/decision`, {
        json: { decision: 'withhold', reason: 'the working group has not decided' },
      })
    expect(await decide()).toEqual({ status: 200, body: { outcome: 'withheld' } })
    const again = await decide()
    expect([again.status, again.body.code]).toEqual([409, 'clearance/declaration-not-held'])
  })

  test('confirm a departure once and close a leg once', async () => {
    const { items } = await kz.get<{ items: Array<{ key: string; departedAt: string | null }> }>(
      '/api/v1/legs?source=carrier&open=true',
    )
    const key = items.find(({ departedAt }) => departedAt === null)?.key ?? ''
    const depart = () =>
      kz.call<Problem & { leg: string }>('POST', `/api/v1/legs/${key}/departure`, {
        json: { departedAt: '2026-11-22T02:00:00Z' },
      })
    expect((await depart()).status).toBe(200)
    expect((await depart()).body.code).toBe('clearance/leg-departed')
    const detail = await kz.get<{ units: unknown[]; listed: number }>(`/api/v1/legs/${key}`)
    expect(detail.units).toHaveLength(detail.listed)
    const close = () => kz.call<Problem & { used: number }>('POST', `/api/v1/legs/${key}/close`)
    expect((await close()).status).toBe(200)
    expect((await close()).body.code).toBe('clearance/leg-closed')
  })

  test('resend and skip only what is parked', async () => {
    const { items } = await kz.get<{ items: Array<{ id: string; digest: string }> }>('/api/v1/messages?direction=out')
    const { id = '', digest } = items[0] ?? {}
    const detail = await kz.get<{ message: string; digest: string }>(`/api/v1/messages/${id}`)
    expect([detail.digest, detail.message.split('.').length]).toEqual([digest, 3])
    for (const act of ['resend', 'skip']) {
      const done = await kz.call<Problem>('POST', `/api/v1/messages/${id}/${act}`, { json: { reason: 'a test' } })
      expect([done.status, done.body.code]).toEqual([409, 'exchange/message-not-parked'])
      const unknown = await kz.call<Problem>('POST', `/api/v1/messages/${unknownId}/${act}`, {
        json: { reason: 'a test' },
      })
      expect([unknown.status, unknown.body.code]).toEqual([404, 'exchange/message-unknown'])
    }
  })

  test('see partners, links, refusals and what cannot be used', async () => {
    const { items } = await kz.get<{ items: unknown[] }>('/api/v1/partners')
    expect(items).toMatchObject([{ id: 'CN-GACC', state: 'approved', channel: { mode: 'live', conditions: '1.0' } }])
    for (const path of ['/api/v1/refusals', '/api/v1/defective'])
      expect(await kz.get<{ items: unknown[] }>(path)).toEqual({ items: [] })
  })
})

describe('pages of a list', () => {
  const purpose = { headers: { 'dostyk-purpose': 'customs-control' } }
  test.each([
    ['/api/v1/declarations', 'key'],
    ['/api/v1/legs', 'key'],
    ['/api/v1/received', 'key'],
    ['/api/v1/messages', 'id'],
    ['/api/v1/submissions', 'id'],
  ])('%s gives every row once, however many share an instant', async (path, id) => {
    type Listed = { items: Array<Record<string, string>>; next?: string }
    const node = path === '/api/v1/declarations' ? nodes.cn : kz
    const whole = await node.get<Listed>(`${path}?limit=500`, purpose)
    const paged: string[] = []
    let next: string | undefined
    do {
      const before = next === undefined ? '' : `&before=${encodeURIComponent(next)}`
      const read: Listed = await node.get<Listed>(`${path}?limit=2${before}`, purpose)
      paged.push(...read.items.map((item) => item[id] ?? ''))
      next = read.next
    } while (next !== undefined)
    expect(whole.items.length).toBeGreaterThan(2)
    expect(paged).toEqual(whole.items.map((item) => item[id]))
  })
})

describe('handing over', () => {
  const submit = (body: string, query = ''): Promise<Answer> =>
    as(`/api/v1/submissions${query}`, { method: 'POST', headers: { 'content-type': 'text/plain' }, body })

  test('nothing at all is refused as one empty record', async () => {
    const { status, text } = await as('/api/v1/submissions', { method: 'POST' })
    expect([status, JSON.parse(text)]).toMatchObject([
      200,
      { taken: 0, refused: 1, results: [{ outcome: 'refused', problems: [{ code: 'intake/empty' }] }] },
    ])
  })

  test('the original bytes come back as they were, never as a page', async () => {
    const body = `{"record":"declaration","content":{"x":"<script>"}}`
    const { id } = JSON.parse((await submit(body, '?fileName=a.json')).text) as { id: string }
    const found = await as(`/api/v1/submissions/${id}/records/1/original`)
    expect([found.text, found.headers.get('content-type'), found.headers.get('content-disposition')]).toEqual([
      body,
      'application/octet-stream',
      'attachment; filename="original"',
    ])
  })

  test('20 000 lines stream through, and a bad line costs that line only', async () => {
    const good = [1, 2, 3].map((n) =>
      JSON.stringify({
        record: 'declaration',
        content: aHomeDeclaration({ declaration: { id: `55302/221126/9${n}` } }),
      }),
    )
    const lines = 20_000
    let sent = 0
    const body = new ReadableStream<Uint8Array>({
      pull: (controller) => {
        if (sent >= lines) return controller.close()
        const chunk = Array.from({ length: 100 }, () => {
          const line = good[Math.floor(sent / 9000)]
          const taken = sent % 9000 === 0 && line !== undefined
          sent += 1
          return taken ? line : '{"record":"nothing"}'
        })
        controller.enqueue(Buffer.from(`${chunk.join('\n')}\n`))
      },
    })
    const { status, text } = await as('/api/v1/submissions?fileName=many.ndjson', {
      method: 'POST',
      body,
      duplex: 'half',
    } as RequestInit)
    const answer = JSON.parse(text) as { id: string; results: unknown[] }
    expect([status, answer]).toMatchObject([200, { records: lines, taken: 3, refused: lines - 3 }])
    expect(answer.results).toHaveLength(1000)
    const last = await kz.get<{ items: Array<{ position: number }>; next?: number }>(
      `/api/v1/submissions/${answer.id}/records?after=19990&limit=10`,
    )
    expect(last.items.map(({ position }) => position)).toEqual([...Array(10).keys()].map((n) => 19_991 + n))
    const taken = await kz.get<{ items: unknown[] }>(`/api/v1/submissions/${answer.id}/records?outcome=taken`)
    expect(taken.items).toHaveLength(3)
  })

  test('a caller that goes away leaves what was committed, nothing half-written, and a submission marked so', async () => {
    const { hostname, port } = new URL(kz.httpUrl)
    const socket = connect(Number(port), hostname)
    socket.on('error', () => {})
    await once(socket, 'connect')
    socket.write(
      `POST /api/v1/submissions?fileName=cut.ndjson HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${kz.token}\r\ntransfer-encoding: chunked\r\n\r\n`,
    )
    const chunk = '{"record":"nothing"}\n'.repeat(350)
    socket.write(`${chunk.length.toString(16)}\r\n${chunk}\r\n`)
    const committed = async (): Promise<{ id: string; records: number } | undefined> => {
      const rows = await kz.rows(sql<{ id: string; records: number }>`
        select s.id, count(r.position)::int as records from clearance.submission s
        left join clearance.submission_record r on r.submission = s.id where s.file_name = 'cut.ndjson' group by s.id`)
      return rows[0]
    }
    expect(await eventually(async () => ((await committed())?.records ?? 0) >= 300)).toBe(true)
    socket.write(`10\r\n{"record":"noth`)
    socket.destroy()
    const { id = '' } = (await committed()) ?? {}
    type Row = { failure: string | null; records: number; refused: number; finishedAt: string | null }
    const read = (): Promise<Row> => kz.get<Row>(`/api/v1/submissions/${id}`)
    expect(await eventually(async () => (await read()).finishedAt !== null)).toBe(true)
    const { failure, records, refused } = await read()
    expect([failure, records, refused, (await committed())?.records]).toEqual(['interrupted', 300, 300, 300])
    expect((await call('/readyz')).status).toBe(200)
  })
})

describe('the event feed', () => {
  interface Event {
    readonly id: string
    readonly type: string
    readonly data: { readonly specversion: string; readonly id: string; readonly data: Record<string, unknown> }
  }
  const parse = (text: string): Event[] =>
    text
      .split('\n\n')
      .filter((block) => block.startsWith('id: '))
      .map((block) => {
        const field = (name: string): string => new RegExp(`^${name}: (.*)$`, 'm').exec(block)?.[1] ?? ''
        return { id: field('id'), type: field('event'), data: JSON.parse(field('data')) as Event['data'] }
      })
  const read = async (query: string, headers: Record<string, string> = {}): Promise<Event[]> =>
    parse((await as(`/api/v1/events?follow=false${query}`, { headers })).text)

  test('resumes after any position with exactly what follows', async () => {
    const all = await read('')
    expect(all.length).toBeGreaterThan(10)
    expect(all.every(({ id, data }) => data.id === id && data.specversion === '1.0')).toBe(true)
    for (const at of [0, 5, all.length - 1]) {
      const position = all[at]?.id ?? ''
      expect((await read(`&after=${position}`)).slice(0, all.length - at - 1)).toEqual(all.slice(at + 1))
      expect((await read('', { 'last-event-id': position })).slice(0, all.length - at - 1)).toEqual(all.slice(at + 1))
    }
    const bad = await as('/api/v1/events?after=now')
    expect([bad.status, bad.problem.code]).toEqual([400, 'audit/position-invalid'])
  })

  test('carries ids and codes, never goods, names or grounds', async () => {
    const text = JSON.stringify(await read(''))
    expect(text).not.toMatch(/"ground"|description|consignee|commodityCode/)
  })

  test('tells what happens as it happens, and ends when its reader goes', async () => {
    const last = (await read('')).at(-1)?.id ?? ''
    const stop = new AbortController()
    const response = await fetch(new URL(`/api/v1/events?after=${last}`, kz.httpUrl), {
      headers: { authorization: `Bearer ${kz.token}` },
      signal: stop.signal,
    })
    expect(response.headers.get('content-type')).toBe('text/event-stream')
    await kz.submitFile('broken/one-bad-line.ndjson')
    let text = ''
    const decoder = new TextDecoder()
    for await (const chunk of response.body ?? []) {
      text += decoder.decode(chunk, { stream: true })
      if (parse(text).some(({ type }) => type === 'submission.received')) break
    }
    stop.abort()
    expect(parse(text).map(({ type }) => type)).toContain('submission.received')
  })
})

describe('a node in trouble', () => {
  let pair: TwoTestNodes
  let owner: pg.Client

  beforeAll(async () => {
    pair = await startNodes({ stage: 'strangers' })
    owner = new pg.Client({ connectionString: pair.kz.database.ownerUrl })
    await owner.connect()
  })

  afterAll(async () => {
    await owner?.end()
    await pair?.close()
  })

  test('tells of a failure a number to quote and nothing else', async () => {
    await owner.query('alter table clearance.submission rename to submission_away')
    const { status, body } = await pair.kz.call<Problem>('GET', '/api/v1/submissions')
    expect([status, body.code]).toEqual([500, 'platform/failure'])
    expect(Object.keys(body).sort()).toEqual(['code', 'correlationId', 'detail', 'status', 'title', 'type'])
    expect(JSON.stringify(body)).not.toMatch(/submission|table|sql|clearance/)
  })

  test('lives and is not ready when its database is of a newer version', async () => {
    await owner.query(`insert into platform.migration (number, name, sha256) values (9999, 'of_the_future', 'x')`)
    const ready = await pair.kz.call('GET', '/readyz', { token: '' })
    expect(ready).toEqual({ status: 503, body: { ready: false, codes: ['platform/database-newer'] } })
    expect(await pair.kz.get('/healthz', { token: '' })).toEqual({ alive: true })
  })

  test('stops although somebody follows its feed', async () => {
    const response = await fetch(new URL('/api/v1/events', pair.kz.httpUrl), {
      headers: { authorization: `Bearer ${pair.kz.token}` },
    })
    const began = Date.now()
    await pair.kz.stop()
    expect(Date.now() - began).toBeLessThan(8000)
    expect(await response.text()).toContain('retry: 3000')
  })
})
