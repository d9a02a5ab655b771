/** The plain status page of a node: states and counts, no content, no names, no goods. */
import { Type } from 'typebox'
import { type Leg, listLegs, listSubmissions, type Station, summariseClearances } from '../../clearance/index.ts'
import {
  findMessage,
  type LinkSummary,
  listMessages,
  listPartners,
  listRefusals,
  type MessageFate,
  summariseLinks,
} from '../../exchange/index.ts'
import { sentenceOf } from '../catalogue/index.ts'
import { withActor } from '../db/index.ts'
import { details, type Html, html, type Reader, readerOf, sendPage, table, timeWriter } from '../http/html.ts'
import type { HttpServer } from '../http/server.ts'
import { style } from '../http/style.ts'
import { version } from '../version.ts'
import type { ApiNode } from './context.ts'

const by = { actor: 'status-page', purpose: 'status' }
const messagesShown = 20
const submissionsShown = 10
const legsShown = 30
const refreshSeconds = 30
/** Clocks that differ by more are told to people. */
const clockOffsetMsMax = 5000
/** What was read is shown again for at least so long, and ten times as long as reading it took. */
const keptMsMin = 1000
const keptPerReading = 10

export function registerStatusPages(app: HttpServer, node: ApiNode): void {
  const books = kept(() => readBooks(node))

  app.get('/style.css', { schema: { hide: true } }, async (_request, reply) =>
    reply.type('text/css; charset=utf-8').header('cache-control', 'public, max-age=300').send(style),
  )

  app.get('/', { schema: { hide: true } }, async (request, reply) => {
    const reader = readerOf(request)
    const refreshes = (request.query as Readonly<Record<string, unknown>>)['refresh'] === String(refreshSeconds)
    if (refreshes) reply.header('refresh', String(refreshSeconds))
    return sendPage(reply, reader, {
      title: reader.text('statusOf', { administration: node.me }),
      path: '/',
      ...(refreshes && { query: { refresh: String(refreshSeconds) } }),
      content: statusContent(node, reader, await books(), refreshes),
      version,
    })
  })

  app.get(
    '/messages/:id',
    { schema: { hide: true, params: Type.Object({ id: Type.String({ maxLength: 40 }) }) } },
    async (request, reply) => {
      const reader = readerOf(request)
      const { id } = request.params
      const isId = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(id)
      const found = isId ? await withActor(node.db, by, (tx) => findMessage(tx, id)) : undefined
      const path = isId ? `/messages/${id}` : '/'
      if (!found) {
        const { what } = sentenceOf('exchange/message-unknown', reader.language, { id: isId ? id : '' })
        const content = html`<p>${what}</p><p><a href="${reader.link('/')}">${reader.text('back')}</a></p>`
        return sendPage(reply, reader, { title: reader.text('notFound'), path, content, version }, 404)
      }
      const title = reader.text('messageTitle', { id })
      return sendPage(reply, reader, { title, path, content: messageContent(node, reader, found), version })
    },
  )
}

/** Reads once for many readers. */
function kept<Value>(read: () => Promise<Value>): () => Promise<Value> {
  let held: { value: Promise<Value>; until: number } | undefined
  return () => {
    if (held && Date.now() < held.until) return held.value
    const began = Date.now()
    const entry = { value: read(), until: Number.POSITIVE_INFINITY }
    held = entry
    entry.value.then(
      () => {
        const tookMs = Date.now() - began
        entry.until = Date.now() + Math.max(keptMsMin, tookMs * keptPerReading)
      },
      () => {
        entry.until = 0
      },
    )
    return entry.value
  }
}

type Books = Awaited<ReturnType<typeof readBooks>>

async function readBooks(node: ApiNode) {
  const read = await withActor(node.db, by, async (tx) => ({
    partners: await listPartners(tx),
    links: await summariseLinks(tx),
    messages: await listMessages(tx, { limit: messagesShown }),
    refusals: await listRefusals(tx),
    legs: await listLegs(tx, node.reference, { limit: legsShown }),
    submissions: await listSubmissions(tx, { limit: submissionsShown }),
    clearances: await summariseClearances(tx),
  }))
  const channels = await Promise.all(
    read.partners.map(async (partner) => ({ partner, ...(await node.gate(partner.id)) })),
  )
  return { ...read, channels, readAt: node.exchange.now().toISOString() }
}

function statusContent(node: ApiNode, reader: Reader, books: Books, refreshes: boolean): Html {
  const { text, language, link } = reader
  const time = timeWriter(node.config.administration.zone)
  const { country, zone } = node.config.administration
  const countryName = new Intl.DisplayNames([language], { type: 'region' }).of(country) ?? country
  const number = new Intl.NumberFormat(language)
  const count = (value: number): string => number.format(value)
  const value = (name: string | null): string => (name === null ? '' : valueText(reader, name))
  const empty = text('nothingYet')
  const refresh = refreshes
    ? html`<a href="${link('/')}">${text('refreshStop')}</a>`
    : html`<a href="${link('/', { refresh: String(refreshSeconds) })}">${text('refresh')}</a>`

  return html`<p>${text('lead', { country: countryName })}</p>
<p class="quiet">${reader.rich('asOf', { time: time(books.readAt), zone })} ${refresh}</p>
${attention(reader, books, time)}

<h2>${text('channel')}</h2>
${books.channels.length === 0 ? html`<p class="quiet">${text('attentionNoPartner')}</p>` : null}
${books.channels.map(({ partner, facts, decision }) =>
  details([
    [text('partner'), partner.id],
    [text('partnerState'), value(partner.state)],
    [text('channelState'), value(facts.state)],
    [
      text('gate'),
      decision.ok
        ? html`<p>${text('gateOpen', {
            mode: value(decision.value.mode),
            version: decision.value.conditionsVersionForSending,
          })}</p>${decision.value.warnings.map((warning) => explain(reader, warning))}`
        : explain(reader, decision.refusal),
    ],
  ]),
)}

<h2>${text('link')}</h2>
${table(
  text('link'),
  [
    'partner',
    'mode',
    'lastAnswer',
    'failingSince',
    'lastFailure',
    'queued',
    'oldest',
    'waiting',
    'parked',
    'clockOffset',
  ].map((key) => text(key)),
  books.links.map((each) => [
    each.partner,
    value(each.mode),
    time(each.lastAnswerAt) ?? text('never'),
    time(each.failingSince) ?? text('none'),
    each.lastFailure === null
      ? text('none')
      : html`<span class="words">${outcomeText(reader, each.lastFailure)}</span>`,
    count(each.queued),
    time(each.oldestQueuedAt) ?? text('none'),
    count(each.waiting),
    count(each.parked),
    each.clockOffsetMs === null ? '' : text('seconds', { seconds: number.format(each.clockOffsetMs / 1000) }),
  ]),
  { numeric: [5, 7, 8, 9], empty, underHeading: true },
)}

<h2>${text('messages')}</h2>
${table(
  text('messagesOut'),
  ['partner', 'mode', 'queued', 'received', 'accepted', 'rejected', 'used', 'parked', 'retried', 'inbound'].map((key) =>
    text(key),
  ),
  books.links.map((each) => [
    each.partner,
    value(each.mode),
    count(each.queued + each.waiting),
    count(each.received),
    count(each.accepted),
    count(each.rejected),
    count(each.used),
    count(each.parked),
    count(each.retried),
    count(each.inbound),
  ]),
  { numeric: [2, 3, 4, 5, 6, 7, 8, 9], empty },
)}
${table(
  text('messagesLast', { count: books.messages.length }),
  ['id', 'time', 'direction', 'type', 'partner', 'mode', 'state', 'answer', 'attempts'].map((key) => text(key)),
  books.messages.map((each) => [
    html`<a class="mono" href="${link(`/messages/${each.id}`)}">${each.id}</a>`,
    time(each.signedAt),
    value(each.direction),
    each.type,
    each.partner,
    value(each.mode),
    value(each.state),
    value(each.answer),
    count(each.attempts),
  ]),
  { numeric: [8], empty },
)}

<h2>${text('legs')}</h2>
${table(
  text('legs'),
  [
    ...['leg', 'fromTo', 'source', 'mode', 'departure', 'arrival', 'listed', 'loaded', 'empty', 'withData'],
    ...['withoutData', 'warned'],
  ].map((key) => text(key)),
  books.legs.map((each) => [
    trainText(each.leg),
    html`<span class="words">${stationText(each.leg.from)} — ${stationText(each.leg.to)}</span>`,
    each.source === 'partner' ? (each.partner ?? value('partner')) : value(each.source),
    value(each.mode),
    time(each.departedAt ?? each.plannedAt),
    time(each.arrivedAt),
    ...[each.listed, each.loaded, each.empty, each.withData, each.withoutData, each.warned].map(count),
  ]),
  { numeric: [6, 7, 8, 9, 10, 11], empty, underHeading: true },
)}

<h2>${text('declarations')}</h2>
${table(
  text('declarations'),
  ['outcome', 'mode', 'count'].map((key) => text(key)),
  byOutcome(books.clearances.declarations).map((each) => [value(each.outcome), value(each.mode), count(each.count)]),
  { numeric: [2], empty, underHeading: true },
)}
${table(
  text('receivedByState'),
  ['state', 'mode', 'count'].map((key) => text(key)),
  books.clearances.received.map((each) => [value(each.state), value(each.mode), count(each.count)]),
  { numeric: [2], empty },
)}

<h2>${text('intake')}</h2>
${table(
  text('intakeLast', { count: books.submissions.length }),
  ['time', 'source', 'mode', 'finished', 'records', 'taken', 'unchanged', 'refused', 'size'].map((key) => text(key)),
  books.submissions.map((each) => [
    time(each.startedAt),
    value(each.channel),
    value(each.mode),
    each.failure === null ? time(each.finishedAt) : value(each.failure),
    ...[each.records, each.taken, each.unchanged, each.refused].map(count),
    sizeText(language, each.bytes),
  ]),
  { numeric: [4, 5, 6, 7, 8], empty },
)}

<h2>${text('problems')}</h2>
${[
  ['warnings', books.clearances.warnings] as const,
  ['intakeRefusals', books.clearances.refused] as const,
  ['defective', books.clearances.defective] as const,
].map(([key, rows]) =>
  table(
    text(key),
    ['code', 'meaning', 'count'].map((head) => text(head)),
    rows.map((each) => [codeText(each.code), explain(reader, { code: each.code }), count(each.count)]),
    { numeric: [2], empty },
  ),
)}
${table(
  text('exchangeRefusals'),
  ['code', 'meaning', 'partner', 'direction', 'last', 'count'].map((head) => text(head)),
  books.refusals.map((each) => [
    codeText(each.code),
    explain(reader, { code: each.code }),
    each.partner,
    value(each.direction),
    time(each.lastAt),
    count(each.count),
  ]),
  { numeric: [5], empty },
)}

<h2>${text('apiPages')}</h2>
<ul>
<li><a href="${link('/api/v1/docs')}">${text('docsTitle')}</a></li>
<li><a href="/api/v1/openapi.json">${text('docsOpenapi')}</a></li>
<li><a href="/metrics">${text('metrics')}</a></li>
<li><a href="/readyz">${text('health')}</a></li>
</ul>`
}

/** What a person should look at, first of all. */
function attention({ text, rich, language }: Reader, books: Books, time: ReturnType<typeof timeWriter>): Html {
  const lines: Array<Html | string> = []
  if (books.channels.length === 0) lines.push(text('attentionNoPartner'))
  for (const { partner, decision } of books.channels)
    if (!decision.ok) {
      const { code, ...facts } = decision.refusal
      const reason = sentenceOf(code, language, facts).what
      lines.push(text('attentionChannel', { partner: partner.id, reason }))
    }
  const sum = (of: (link: LinkSummary) => number): number => books.links.reduce((total, link) => total + of(link), 0)
  for (const { partner, failingSince, clockOffsetMs } of books.links) {
    if (failingSince) lines.push(rich('attentionLink', { partner, since: time(failingSince) }))
    if (clockOffsetMs !== null && Math.abs(clockOffsetMs) > clockOffsetMsMax)
      lines.push(text('attentionClock', { partner, seconds: Math.round(Math.abs(clockOffsetMs) / 1000) }))
  }
  const parked = sum((link) => link.parked)
  const held = books.clearances.declarations
    .filter(({ outcome }) => outcome === 'held')
    .reduce((total, { count }) => total + count, 0)
  const quarantined = books.clearances.defective
    .filter((each) => each.quarantined)
    .reduce((total, { count }) => total + count, 0)
  if (parked > 0) lines.push(text('attentionParked', { count: parked }))
  if (held > 0) lines.push(text('attentionHeld', { count: held }))
  if (quarantined > 0) lines.push(text('attentionQuarantined', { count: quarantined }))
  if (lines.length === 0)
    return html`<section class="calm"><h2>${text('attention')}</h2><p>${text('attentionNone')}</p></section>`
  return html`<section class="attention"><h2>${text('attention')}</h2><ul>${lines.map((line) => html`<li>${line}</li>`)}</ul></section>`
}

function messageContent(node: ApiNode, reader: Reader, message: MessageFate): Html {
  const { text, link, language } = reader
  const time = timeWriter(node.config.administration.zone)
  const value = (name: string | null): string => (name === null ? '' : valueText(reader, name))
  const mono = (name: string | null): Html | undefined =>
    name === null ? undefined : html`<span class="mono">${name}</span>`
  const other = (id: string | null): Html | undefined =>
    id === null ? undefined : html`<a class="mono" href="${link(`/messages/${id}`)}">${id}</a>`
  return html`<p>${text('messageLead')}</p>
${details([
  [text('type'), message.type],
  [text('direction'), value(message.direction)],
  [text('partner'), message.partner],
  [text('mode'), value(message.mode)],
  [text('state'), value(message.state)],
  [text('answer'), value(message.answer)],
  [text('answerMessage'), other(message.answerId)],
  [text('signedAt'), time(message.signedAt)],
  [text('firstSentAt'), time(message.firstSentAt)],
  [text('receivedAt'), time(message.receivedAt)],
  [text('answeredAt'), time(message.answeredAt)],
  [text('usedAt'), time(message.usedAt)],
  [text('attempts'), message.direction === 'out' ? message.attempts : undefined],
  [text('lastOutcome'), message.lastOutcome === null ? undefined : outcomeText(reader, message.lastOutcome)],
  [text('duplicates'), message.duplicates > 0 ? message.duplicates : undefined],
  [text('gap'), message.gap ? text('yes') : undefined],
  [text('subject'), mono(message.subject)],
  [text('lane'), html`<span class="mono">${message.lane}</span> · ${message.epoch}.${message.seq}`],
  [text('ref'), other(message.ref)],
  [text('digest'), mono(message.digest)],
])}
${
  message.problems && message.problems.length > 0
    ? table(
        text('problems'),
        ['code', 'place', 'meaning'].map((key) => text(key)),
        message.problems.map(({ code, pointer }) => [
          codeText(code),
          html`<code>${pointer === '' ? '/' : pointer}</code>`,
          sentenceOf(code, language, {}).what,
        ]),
        { empty: text('none') },
      )
    : null
}
<p><a href="${link('/')}">${text('back')}</a></p>`
}

/** A refusal or warning as a person reads it: what, what to do, by which clause. */
function explain({ text, language }: Reader, refusal: { readonly code: string; readonly clause?: string }): Html {
  const { code, clause, ...facts } = refusal
  const { what, todo } = sentenceOf(code, language, { ...facts, clause })
  return html`<p>${what}</p>${todo ? html`<p class="quiet">${todo}</p>` : null}${
    clause ? html`<p class="code">${text('clause', { clause })}</p>` : null
  }`
}

function valueText({ text }: Reader, name: string): string {
  const said = text(`value.${name}`)
  return said === `value.${name}` ? name : said
}

/** An outcome such as PEER_UNREACHABLE or SEQUENCE_TAKEN in words; one without a sentence stands as it is. */
function outcomeText({ language }: Reader, outcome: string): string {
  const code = `exchange/${outcome.toLowerCase().replaceAll('_', '-')}`
  const { what } = sentenceOf(code, language, {})
  return what === code ? outcome : what
}

const codeText = (code: string): Html => html`<span class="code">${code}</span>`

function trainText({ trainIndex, trainNumber, transferListNumber, transferListDate }: Leg): Html {
  const lines = [trainIndex ?? trainNumber, [transferListNumber, transferListDate].filter(Boolean).join(', ')]
  const known = lines.filter((line) => line !== undefined && line !== '')
  return html`<span class="whole">${known.map((line, index) => (index === 0 ? line : html`<br>${line}`))}</span>`
}

function stationText({ name, unLocode, esr }: Station): string {
  return name?.text ?? unLocode ?? esr ?? '—'
}

function byOutcome(
  rows: Books['clearances']['declarations'],
): ReadonlyArray<{ readonly mode: string; readonly outcome: string; readonly count: number }> {
  const sums = new Map<string, { mode: string; outcome: string; count: number }>()
  for (const { mode, outcome, count } of rows) {
    const sum = sums.get(`${mode} ${outcome}`) ?? { mode, outcome, count: 0 }
    sums.set(`${mode} ${outcome}`, { ...sum, count: sum.count + count })
  }
  return [...sums.values()]
}

function sizeText(language: string, bytes: number): string {
  const steps = ['byte', 'kilobyte', 'megabyte', 'gigabyte'] as const
  const step = Math.min(Math.floor(Math.log10(Math.max(bytes, 1)) / 3), steps.length - 1)
  return new Intl.NumberFormat(language, {
    style: 'unit',
    unit: steps[step] ?? 'byte',
    maximumFractionDigits: step === 0 ? 0 : 1,
  }).format(bytes / 1000 ** step)
}
