/** The one place where a refusal or a failure becomes an RFC 9457 problem. */
import { randomUUID } from 'node:crypto'
import type { Socket } from 'node:net'
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import { Fault, type Refusal } from '../../kernel/index.ts'
import { chooseLanguage, sentenceOf } from '../catalogue/index.ts'
import { BadRequest } from './strict-body.ts'

export const Problem = Type.Object(
  {
    type: Type.String({ description: 'A URI that ends in the stable code' }),
    title: Type.String({ description: 'What happened, in the language asked for' }),
    status: Type.Integer(),
    code: Type.String({ description: 'Stable; docs/refusals.md lists them all' }),
    detail: Type.Optional(Type.String({ description: 'What to do' })),
    clause: Type.Optional(Type.String({ description: 'The clause that says no, where law made the refusal' })),
    facts: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
    correlationId: Type.Optional(
      Type.String({ description: 'Of a failure: all that is told outside; the log has the rest' }),
    ),
  },
  { $id: 'Problem' },
)

export const problemType = 'application/problem+json'

/** What every route may answer besides what it is for. */
export const problemAnswers = {
  '4xx': { description: 'Refused', content: { [problemType]: { schema: { $ref: 'Problem#' } } } },
  '5xx': { description: 'Failed', content: { [problemType]: { schema: { $ref: 'Problem#' } } } },
} as const

/** Statuses of the refusals that are not a 422. */
const statuses: Readonly<Record<string, number>> = {
  'access/token-missing': 401,
  'access/token-invalid': 401,
  'access/scope-missing': 403,
  'access/purpose-missing': 400,
  'access/too-many-requests': 429,
  'audit/position-invalid': 400,
  'platform/not-found': 404,
  'platform/method-not-allowed': 405,
  'platform/request-invalid': 400,
  'platform/too-large': 413,
  'platform/media-type': 415,
  'clearance/declaration-unknown': 404,
  'clearance/leg-unknown': 404,
  'platform/submission-unknown': 404,
  'exchange/message-unknown': 404,
  'exchange/partner-unknown': 404,
  'law/instrument-unknown': 404,
  'clearance/declaration-not-held': 409,
  'clearance/leg-not-listed': 409,
  'clearance/leg-departed': 409,
  'clearance/leg-closed': 409,
  'exchange/message-not-parked': 409,
}

/** The reader's language: the first of ours that the browser or system asks for. */
export function languageOf(request: Pick<FastifyRequest, 'headers'>): string {
  return request.headers['accept-language'] ?? 'en'
}

function problemOf(status: number, refusal: Refusal, language: string): object {
  const { code, clause, ...facts } = refusal
  const sentence = sentenceOf(code, language, { ...facts, clause })
  return {
    type: `urn:dostyk:refusal:${code}`,
    title: sentence.what,
    status,
    code,
    ...(sentence.todo && { detail: sentence.todo }),
    ...(clause && { clause }),
    ...(Object.keys(facts).length > 0 && { facts }),
  }
}

export async function sendRefusal(request: FastifyRequest, reply: FastifyReply, refusal: Refusal): Promise<void> {
  const status = statuses[refusal.code] ?? 422
  const language = languageOf(request)
  if (status === 401) reply.header('www-authenticate', 'Bearer realm="dostyk"')
  await reply
    .code(status)
    .type(problemType)
    .header('content-language', chooseLanguage(language))
    .header('vary', 'accept-language')
    .send(problemOf(status, refusal, language))
}

/** Answers what no route foresaw: bad requests with their place, and failures with nothing but a number to quote. */
export async function sendError(
  error: FastifyError | Fault | Error,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<void> {
  if (request.raw.destroyed && !request.raw.complete) {
    // The caller went away in the middle; nobody reads an answer.
    request.log.info({ code: 'platform/request-aborted' }, 'caller went away')
    reply.hijack()
    reply.raw.destroy()
    return
  }
  const status = 'statusCode' in error && typeof error.statusCode === 'number' ? error.statusCode : 500
  if ('validation' in error && error.validation)
    return sendRefusal(request, reply, { code: 'platform/request-invalid', ...placeOf(error) })
  if (status === 413) return sendRefusal(request, reply, { code: 'platform/too-large' })
  if (status === 415) return sendRefusal(request, reply, { code: 'platform/media-type' })
  if (status === 429) return sendRefusal(request, reply, { code: 'access/too-many-requests' })
  if (status >= 400 && status < 500) {
    const { place, rule } = error instanceof BadRequest ? error : { place: 'request', rule: 'http' }
    return sendRefusal(request, reply, { code: 'platform/request-invalid', place, rule })
  }
  const correlationId = randomUUID()
  const retryable = error instanceof Fault && error.retryable
  const failed = { status: retryable ? 503 : 500, code: 'platform/failure' }
  request.log.error(
    { err: error, code: error instanceof Fault ? error.code : failed.code, correlationId },
    'request failed',
  )
  const { what: title, todo: detail } = sentenceOf(failed.code, languageOf(request), {})
  if (retryable) reply.header('retry-after', '5')
  await reply
    .code(failed.status)
    .type(problemType)
    .header('vary', 'accept-language')
    .send({ type: 'urn:dostyk:failure', title, ...failed, ...(detail && { detail }), correlationId })
}

/** Where a request breaks its schema, and by which rule. A name that the caller made up is shown only when it is plain. */
function placeOf({ validation = [], validationContext }: FastifyError): { place: string; rule: string } {
  const found = validation.find(({ keyword }) => keyword !== 'boolean' && keyword !== 'const') ?? validation[0]
  const parameters: Readonly<Record<string, unknown>> = found?.params ?? {}
  const named = [parameters['additionalProperties'], parameters['requiredProperties']].flat()
  const name = named.find((each) => typeof each === 'string' && /^[\w.-]{1,40}$/.test(each))
  const at = `${validationContext ?? 'body'}${found?.instancePath ?? ''}`
  return { place: typeof name === 'string' ? `${at}/${name}` : at, rule: found?.keyword ?? 'schema' }
}

/** Answers bytes that are no HTTP request at all. */
export function refuseConnection(error: Error & { code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy()
    return
  }
  const [status, phrase, rule] =
    error.code === 'HPE_HEADER_OVERFLOW'
      ? [431, 'Request Header Fields Too Large', 'headers']
      : error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
        ? [408, 'Request Timeout', 'time']
        : [400, 'Bad Request', 'http']
  const body = JSON.stringify(problemOf(status, { code: 'platform/request-invalid', place: 'request', rule }, 'en'))
  socket.end(
    `HTTP/1.1 ${status} ${phrase}\r\ncontent-type: ${problemType}\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
  )
}
