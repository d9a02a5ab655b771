/** The one place where a refusal or a failure becomes an RFC 9457 problem. */
import { randomUUID } from 'node:crypto'
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import { Fault, type Refusal } from '../../kernel/index.ts'
import { sentenceOf } from '../catalogue/index.ts'

export const Problem = Type.Object(
  {
    type: Type.String({ description: 'A URI that ends in the stable code' }),
    title: Type.String({ description: 'What happened, in the language asked for' }),
    status: Type.Integer(),
    code: Type.String(),
    detail: Type.Optional(Type.String({ description: 'What to do' })),
    clause: Type.Optional(Type.String({ description: 'The clause that says no, where law made the refusal' })),
    facts: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
    correlationId: Type.Optional(Type.String()),
  },
  { $id: 'Problem' },
)

/** Statuses of the refusals that are not a 422. */
const statuses: Readonly<Record<string, number>> = {
  'access/token-missing': 401,
  'access/token-invalid': 401,
  'access/scope-missing': 403,
  'access/purpose-missing': 400,
  'access/too-many-requests': 429,
  'platform/not-found': 404,
  'platform/request-invalid': 400,
  'platform/too-large': 413,
  'platform/media-type': 415,
  'clearance/declaration-unknown': 404,
  'clearance/leg-unknown': 404,
  'clearance/submission-unknown': 404,
  'exchange/message-unknown': 404,
  'exchange/partner-unknown': 404,
  'clearance/declaration-not-held': 409,
  'clearance/leg-departed': 409,
  'clearance/leg-closed': 409,
  'exchange/message-not-parked': 409,
}

/** The reader's language: the first of ours that the browser or system asks for. */
export function languageOf(request: Pick<FastifyRequest, 'headers'>): string {
  return request.headers['accept-language'] ?? 'en'
}

export async function sendRefusal(request: FastifyRequest, reply: FastifyReply, refusal: Refusal): Promise<void> {
  const { code, clause, ...facts } = refusal
  const status = statuses[code] ?? 422
  const sentence = sentenceOf(code, languageOf(request), facts)
  await reply
    .code(status)
    .type('application/problem+json')
    .send({
      type: `urn:dostyk:refusal:${code}`,
      title: sentence.what,
      status,
      code,
      ...(sentence.todo && { detail: sentence.todo }),
      ...(clause && { clause }),
      ...(Object.keys(facts).length > 0 && { facts }),
    })
}

/** Answers what no route foresaw: bad requests with their place, and failures with nothing but a number to quote. */
export async function sendError(
  error: FastifyError | Fault | Error,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<void> {
  const status = 'statusCode' in error && typeof error.statusCode === 'number' ? error.statusCode : 500
  if ('validation' in error && error.validation) {
    const first = error.validation[0]
    return sendRefusal(request, reply, {
      code: 'platform/request-invalid',
      place: `${error.validationContext ?? 'body'}${first?.instancePath ?? ''}`,
      rule: first?.keyword ?? 'schema',
    })
  }
  if (status === 413) return sendRefusal(request, reply, { code: 'platform/too-large' })
  if (status === 415) return sendRefusal(request, reply, { code: 'platform/media-type' })
  if (status === 429) return sendRefusal(request, reply, { code: 'access/too-many-requests' })
  if (status >= 400 && status < 500)
    return sendRefusal(request, reply, { code: 'platform/request-invalid', rule: 'http' })
  const correlationId = randomUUID()
  const code = error instanceof Fault ? error.code : 'platform/failure'
  const retryable = error instanceof Fault && error.retryable
  request.log.error({ err: error, code, correlationId }, 'request failed')
  await reply
    .code(retryable ? 503 : 500)
    .type('application/problem+json')
    .send({
      type: 'urn:dostyk:failure',
      title: 'failure',
      status: retryable ? 503 : 500,
      code: 'platform/failure',
      correlationId,
    })
}
