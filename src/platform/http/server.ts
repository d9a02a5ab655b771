/** The systems' and officers' interface: strict validation, tokens, problems, OpenAPI, health and metrics. */
import rateLimit from '@fastify/rate-limit'
import swagger from '@fastify/swagger'
import { type TypeBoxTypeProvider, TypeBoxValidatorCompiler } from '@fastify/type-provider-typebox'
import Fastify, {
  LogController, type FastifyBaseLogger, type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import { Fault } from '../../kernel/index.ts'
import { type ActedBy, type Database, withActor } from '../db/index.ts'
import { findToken, type Scope, type Token } from '../identity/tokens.ts'
import { Problem, sendError, sendRefusal } from './problem.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The scope a token must have; a route without one is open. */
    scope?: Scope
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

/** Who acts by a token, and for what. Reading what partners sent needs the purpose said out loud. */
export function actedBy(request: FastifyRequest, purpose: string): ActedBy {
  return { actor: `token:${request.token?.name ?? ''}`, purpose }
}

export async function makeHttpServer(options: HttpServerOptions): Promise<HttpServer> {
  const app = Fastify({
    loggerInstance: options.logger,
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: options.bodyBytesMax,
    requestTimeout: 0,
    routerOptions: { maxParamLength: 200 },
    genReqId: () => crypto.randomUUID(),
  })
    .setValidatorCompiler(TypeBoxValidatorCompiler)
    .withTypeProvider<TypeBoxTypeProvider>()
  app.decorateRequest('token', undefined)
  app.addSchema(Problem)
  app.setErrorHandler(sendError)
  app.setNotFoundHandler((request, reply) => sendRefusal(request, reply, { code: 'platform/not-found' }))
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Dostyk',
        version: options.version,
        description:
          'Hand over declarations and railway lists, follow decisions and the fate of every message, and read what partner administrations sent.',
      },
      components: {
        securitySchemes: {
          token: {
            type: 'http',
            scheme: 'bearer',
            description: 'Made by `dostyk token create`; has scopes and a rate.',
          },
        },
      },
    },
    refResolver: {
      buildLocalReference: (schema, _base, _fragment, index) => String(schema['$id'] ?? `schema${index}`),
    },
  })
  await app.register(rateLimit, {
    global: true,
    hook: 'preHandler',
    max: (request) => request.token?.requestsPerMinute ?? 600,
    timeWindow: 60_000,
    keyGenerator: (request) => request.token?.id ?? request.ip,
    errorResponseBuilder: () => Object.assign(new Error('too many requests'), { statusCode: 429 }),
    allowList: (request) => request.routeOptions.url === '/healthz' || request.routeOptions.url === '/readyz',
  })
  app.addHook('onRequest', (request, reply) => authenticate(options, request, reply))
  app.addHook('onSend', async (request, reply) => {
    reply.header('x-content-type-options', 'nosniff')
    reply.header('referrer-policy', 'no-referrer')
    reply.header('cache-control', 'no-store')
    if (!reply.hasHeader('content-security-policy'))
      reply.header('content-security-policy', "default-src 'none'; frame-ancestors 'none'")
    reply.header('x-request-id', request.id)
  })
  return app
}

async function authenticate(options: HttpServerOptions, request: FastifyRequest, reply: FastifyReply): Promise<void> {
  const scope = request.routeOptions.config.scope
  if (!scope) return
  const secret = /^Bearer ([\w-]+)$/.exec(request.headers.authorization ?? '')?.[1]
  if (!secret) return sendRefusal(request, reply, { code: 'access/token-missing' })
  const token = await withActor(options.db, { actor: 'edge', purpose: 'authentication' }, (tx) =>
    findToken(tx, secret, options.now()),
  )
  if (!token) return sendRefusal(request, reply, { code: 'access/token-invalid' })
  if (!token.scopes.includes(scope)) return sendRefusal(request, reply, { code: 'access/scope-missing', scope })
  request.token = token
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
