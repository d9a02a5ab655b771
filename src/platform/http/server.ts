/** The systems' and officers' interface: strict validation, tokens, problems, OpenAPI. */
import rateLimit from '@fastify/rate-limit'
import swagger from '@fastify/swagger'
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import Fastify, {
  type FastifyBaseLogger,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  type FastifySchemaCompiler,
  LogController,
} from 'fastify'
import type { TSchema } from 'typebox'
import { Compile } from 'typebox/compile'
import { recordEvents } from '../../audit/index.ts'
import { Fault } from '../../kernel/index.ts'
import { type ActedBy, type Database, withActor } from '../db/index.ts'
import { findToken, type Scope, type Token } from '../identity/tokens.ts'
import { Problem, refuseConnection, sendError, sendRefusal } from './problem.ts'
import { readJsonBody } from './strict-body.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The scope a token must have; a route without one is open. */
    scope?: Scope
    /** The media types of a body that is read as a stream, for the document; the content tells the format. */
    takes?: readonly string[]
  }
  interface FastifyRequest {
    token: Token | undefined
  }
}

export interface HttpServerOptions {
  readonly db: Database
  readonly logger: FastifyBaseLogger
  readonly version: string
  /** Largest body that is read at once; submissions are streamed and have no such bound. */
  readonly bodyBytesMax: number
  readonly now: () => Date
}

export type HttpServer = FastifyInstance<
  import('node:http').Server,
  import('node:http').IncomingMessage,
  import('node:http').ServerResponse,
  FastifyBaseLogger,
  TypeBoxTypeProvider
>

/** What the reader of received data must state: there is one purpose the Protocol allows. */
export const purposeHeader = 'dostyk-purpose'

/** Requests a minute from one address without a token, and bad tokens a minute before an address must wait. */
const openRequestsPerMinute = 600
const badTokensPerMinute = 30
/** A connection on which nothing moves for so long is ended. */
const idleMs = 120_000
/** What is under way when the node stops may take so long to end. */
const closeGraceMs = 10_000

/** Who acts by a token, and for what. Reading what partners sent needs the purpose said out loud. */
export function actedBy(request: FastifyRequest, purpose: string): ActedBy {
  return { actor: `token:${request.token?.name ?? ''}`, purpose }
}

/** Checks and changes nothing: no coercion, no defaults, no silent removal. */
const checkStrictly: FastifySchemaCompiler<TSchema> = ({ schema }) => {
  const validator = Compile(schema)
  return (value: unknown) => (validator.Check(value) ? { value } : { error: validator.Errors(value) })
}

export async function makeHttpServer(options: HttpServerOptions): Promise<HttpServer> {
  const app = Fastify({
    loggerInstance: options.logger,
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: options.bodyBytesMax,
    requestTimeout: 0,
    connectionTimeout: idleMs,
    routerOptions: { maxParamLength: 200 },
    genReqId: () => crypto.randomUUID(),
    frameworkErrors: sendError,
    clientErrorHandler: refuseConnection,
  })
    .setValidatorCompiler(checkStrictly)
    .withTypeProvider<TypeBoxTypeProvider>()
  app.decorateRequest('token', undefined)
  app.addSchema(Problem)
  app.setErrorHandler(sendError)
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, async (_request: FastifyRequest, body: Buffer) =>
    readJsonBody(body),
  )
  const allowedAt = watchRoutes(app)
  await app.register(swagger, openApi(options.version))
  await app.register(rateLimit, {
    global: true,
    hook: 'onRequest',
    max: (request) => request.token?.requestsPerMinute ?? openRequestsPerMinute,
    timeWindow: 60_000,
    keyGenerator: (request) => request.token?.id ?? request.ip,
    errorResponseBuilder: () => Object.assign(new Error('too many requests'), { statusCode: 429 }),
    allowList: (request) => request.routeOptions.url === '/healthz' || request.routeOptions.url === '/readyz',
  })
  const limitByAddress = (max: number): Limiter => {
    const count = app.createRateLimit({ max, timeWindow: 60_000, keyGenerator: (request) => request.ip })
    return async (request, reply) => {
      const counted = await count(request)
      if (counted.isAllowed || !counted.isExceeded) return true
      reply.header('retry-after', String(counted.ttlInSeconds))
      await sendRefusal(request, reply, { code: 'access/too-many-requests' })
      return false
    }
  }
  const allowStray = limitByAddress(openRequestsPerMinute)
  const allowBadToken = limitByAddress(badTokensPerMinute)
  // Before a body is read: whoever calls a wrong address or without a right sends it in vain.
  app.addHook('onRequest', async (request, reply) => {
    if (!request.is404) return authenticate(options, allowBadToken, request, reply)
    if (await allowStray(request, reply)) return answerStray(request, reply, allowedAt(request.url))
  })
  app.addHook('onSend', async (request, reply) => {
    reply.header('x-content-type-options', 'nosniff')
    reply.header('referrer-policy', 'no-referrer')
    if (!reply.hasHeader('cache-control')) reply.header('cache-control', 'no-store')
    if (!reply.hasHeader('content-security-policy'))
      reply.header('content-security-policy', "default-src 'none'; frame-ancestors 'none'")
    reply.header('x-request-id', request.id)
  })
  app.addHook('preClose', async () => {
    setTimeout(() => app.server.closeAllConnections(), closeGraceMs).unref()
  })
  return app
}

function openApi(version: string) {
  return {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Dostyk',
        version,
        description:
          'Hand over declarations and railway lists, follow decisions and the fate of every message, and read what partner administrations sent. Requests are read strictly: an unknown member or parameter is refused. Lists are newest first; where a list has `next`, give it as `before` (or `after`) for the next page. Refusals are RFC 9457 problems with a stable code.',
      },
      tags: [
        { name: 'intake', description: 'Hand records over and see what became of each' },
        { name: 'declarations', description: 'Decisions on this side’s declarations' },
        { name: 'trains', description: 'Legs of trains: listed, departed, closed' },
        { name: 'received', description: 'What partners sent; confidential, for customs control only' },
        { name: 'messages', description: 'The fate of every message, with its signed proof' },
        { name: 'exchange', description: 'Partners, links and refusals' },
        { name: 'law', description: 'Agreements, clauses, Technical Conditions and their approvals' },
        { name: 'events', description: 'What happened, as it happens' },
      ],
      components: {
        securitySchemes: {
          token: {
            type: 'http' as const,
            scheme: 'bearer',
            description: 'Made by `dostyk token create`; has scopes and a rate.',
          },
        },
      },
    },
    /** A route's scope is said once, where it is enforced; OpenAPI repeats it. */
    transform: ({ schema, url, route }: Parameters<NonNullable<SwaggerTransform>>[0]) => {
      const { scope, takes } = route.config ?? {}
      const body = takes && { consumes: [...takes], body: { type: 'string', format: 'binary' } }
      return { url, schema: scope ? { ...schema, ...body, security: [{ token: [scope] }] } : schema }
    },
    refResolver: {
      buildLocalReference: (schema: { $id?: unknown }, _base: unknown, _fragment: unknown, index: number) =>
        String(schema.$id ?? `schema${index}`),
    },
  }
}

type SwaggerTransform = import('@fastify/swagger').FastifyDynamicSwaggerOptions['transform']

/** Remembers which methods each path takes, so that a known path with another method is told apart from an unknown one. */
function watchRoutes(app: HttpServer): (url: string) => readonly string[] {
  const known: Array<{ readonly path: RegExp; readonly methods: readonly string[] }> = []
  app.addHook('onRoute', ({ url, method }) => {
    const pattern = url.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&').replaceAll(/:\w+/g, '[^/]+')
    known.push({ path: new RegExp(`^${pattern}$`), methods: [method].flat() })
  })
  return (url) => {
    const [path = ''] = url.split('?')
    const methods = known.filter((route) => route.path.test(path)).flatMap((route) => route.methods)
    return methods.length === 0 ? [] : [...new Set([...methods, 'OPTIONS'])].sort()
  }
}

const secretOf = (request: FastifyRequest): string | undefined =>
  /^Bearer ([\w-]{1,200})$/.exec(request.headers.authorization ?? '')?.[1]

/** Counts a request against its address. @returns false when it is one too many and was answered so */
type Limiter = (request: FastifyRequest, reply: FastifyReply) => Promise<boolean>

async function answerStray(request: FastifyRequest, reply: FastifyReply, methods: readonly string[]): Promise<void> {
  if (methods.length === 0) return sendRefusal(request, reply, { code: 'platform/not-found' })
  const allowed = methods.join(', ')
  reply.header('allow', allowed)
  if (request.method === 'OPTIONS') await reply.code(204).send()
  else await sendRefusal(request, reply, { code: 'platform/method-not-allowed', method: request.method, allowed })
}

async function authenticate(
  options: HttpServerOptions,
  allowBadToken: Limiter,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<void> {
  const scope = request.routeOptions.config?.scope
  if (!scope) return
  const secret = secretOf(request)
  if (!secret) return sendRefusal(request, reply, { code: 'access/token-missing' })
  const token = await readToken(options, secret)
  if (token?.scopes.includes(scope)) {
    request.token = token
    return
  }
  if (!(await allowBadToken(request, reply))) return
  const refusal = token
    ? ({ code: 'access/scope-missing', scope } as const)
    : ({ code: 'access/token-invalid' } as const)
  const by = { actor: 'edge', purpose: 'authentication' }
  await withActor(options.db, by, (tx) =>
    recordEvents(tx, by, [
      {
        type: 'token.refused',
        subject: token?.id ?? 'unknown',
        facts: { code: refusal.code, ...(token && { name: token.name }) },
      },
    ]),
  )
  return sendRefusal(request, reply, refusal)
}

function readToken(options: Pick<HttpServerOptions, 'db' | 'now'>, secret: string): Promise<Token | undefined> {
  return withActor(options.db, { actor: 'edge', purpose: 'authentication' }, (tx) =>
    findToken(tx, secret, options.now()),
  )
}

/** Whether the token of a long answer still holds; it may be revoked while the answer goes on. */
export async function isStillAllowed(
  options: Pick<HttpServerOptions, 'db' | 'now'>,
  request: FastifyRequest,
): Promise<boolean> {
  const scope = request.routeOptions.config.scope
  const secret = secretOf(request)
  const token = secret === undefined ? undefined : await readToken(options, secret)
  return scope === undefined || (token?.scopes.includes(scope) ?? false)
}

/** Starts listening, or says plainly why it cannot. */
export async function listenHttp(app: HttpServer, address: { host: string; port: number }): Promise<string> {
  try {
    return await app.listen(address)
  } catch (cause) {
    throw new Fault('platform/port-unavailable', `cannot listen on ${address.host}:${address.port}`, {
      cause,
      facts: address,
    })
  }
}
