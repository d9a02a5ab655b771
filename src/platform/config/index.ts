/** The node's one configuration file: strict JSON, checked whole before anything starts. */
import { readFile } from 'node:fs/promises'
import { dirname, isAbsolute, resolve } from 'node:path'
import { type Static, Type } from 'typebox'
import { Compile } from 'typebox/compile'
import { Settings } from 'typebox/system'
import { accept, type Decision, Fault, type JsonValue, readJson, refuse } from '../../kernel/index.ts'

const closed = { additionalProperties: false } as const
const Path = Type.String({ minLength: 1, maxLength: 500 })
const Host = Type.String({ minLength: 1, maxLength: 253 })
const Port = Type.Integer({ minimum: 0, maximum: 65535, description: '0 takes a free port' })

export const Config = Type.Object(
  {
    administration: Type.Object(
      {
        id: Type.String({ pattern: '^[A-Z]{2}-[A-Z0-9]{2,14}$', description: 'Country and body, such as KZ-KGD' }),
        country: Type.String({ pattern: '^[A-Z]{2}$' }),
        zone: Type.String({ minLength: 1, maxLength: 60, description: 'IANA zone that times are shown in' }),
      },
      closed,
    ),
    database: Type.Object(
      {
        url: Type.Optional(
          Type.String({ pattern: '^postgres(ql)?://', description: 'Or DATABASE_URL in the environment' }),
        ),
        ownerUrl: Type.Optional(
          Type.String({ pattern: '^postgres(ql)?://', description: 'Login that owns the tables; else the url itself' }),
        ),
        embedded: Type.Optional(
          Type.Object(
            {
              folder: Path,
              // A database called dostyk would give its login the name of the role dostyk_app.
              database: Type.Optional(
                Type.String({ pattern: '^(?!(dostyk|postgres|template[01])$)[a-z][a-z0-9_]{0,30}$' }),
              ),
            },
            { ...closed, description: 'The PostgreSQL that came with this program, in a folder of its own' },
          ),
        ),
      },
      closed,
    ),
    http: Type.Object({ host: Host, port: Port }, closed),
    exchange: Type.Object(
      {
        host: Host,
        port: Port,
        publicUrl: Type.String({ pattern: '^https://', description: 'Where partners reach this node' }),
        retryDelaySecondsMin: Type.Optional(Type.Number({ minimum: 0.1, maximum: 3600 })),
        retryDelaySecondsMax: Type.Optional(Type.Number({ minimum: 0.1, maximum: 86400 })),
      },
      closed,
    ),
    keys: Type.Object(
      { folder: Path, passphraseFile: Type.Optional(Path) },
      { ...closed, description: 'The passphrase stands in its own file or in DOSTYK_KEY_PASSPHRASE' },
    ),
    intake: Type.Object({ watchedFolder: Type.Optional(Path) }, closed),
    log: Type.Object(
      {
        level: Type.Union([
          Type.Literal('debug'),
          Type.Literal('info'),
          Type.Literal('warn'),
          Type.Literal('error'),
          Type.Literal('silent'),
        ]),
      },
      closed,
    ),
  },
  closed,
)
export type Config = Static<typeof Config>
const validator = Compile(Config)

export interface ConfigProblem {
  readonly pointer: string
  /** What is wrong, as a JSON Schema keyword: required, additionalProperties, type, pattern … */
  readonly rule: string
  /** The member that is missing, or that nobody knows. */
  readonly member?: string
  /** The known member that the unknown one is most like. */
  readonly nearest?: string
  readonly expected?: string
}

export type ConfigRefusal =
  | { readonly code: 'platform/config-unreadable'; readonly reason: string; readonly line?: number }
  | { readonly code: 'platform/config-invalid'; readonly problems: readonly ConfigProblem[] }

const PROBLEMS_MAX = 1000
const limits = { lengthMax: 100_000, depthMax: 8, otherNumbers: 'keep' } as const

/** Reads a configuration's text. Every problem is listed, not only the first. */
export function parseConfig(text: string): Decision<Config, ConfigRefusal> {
  const read = readJson(text, limits)
  if (!read.ok)
    return refuse({
      code: 'platform/config-unreadable' as const,
      reason: read.refusal.code,
      line: text.slice(0, read.refusal.at).split('\n').length,
    })
  const value = plainNumbers(read.value)
  if (validator.Check(value)) {
    const problems = findContradictions(value)
    return problems.length === 0 ? accept(value) : refuse({ code: 'platform/config-invalid' as const, problems })
  }
  const problems = errorsOf(value).flatMap(({ keyword, instancePath, params }): ConfigProblem[] => {
    const facts = params as Record<string, unknown>
    if (keyword === 'required')
      return (facts['requiredProperties'] as string[]).map((member) => ({
        pointer: instancePath,
        rule: keyword,
        member,
      }))
    if (keyword === 'additionalProperties')
      return (facts['additionalProperties'] as string[]).map((member) => {
        const nearest = nearestOf(member, knownMembers(instancePath))
        return { pointer: instancePath, rule: keyword, member, ...(nearest && { nearest }) }
      })
    if (keyword === 'boolean' || keyword === 'const') return []
    const expected = facts['pattern'] ?? facts['type'] ?? facts['limit']
    return [{ pointer: instancePath, rule: keyword, ...(expected !== undefined && { expected: String(expected) }) }]
  })
  return refuse({ code: 'platform/config-invalid' as const, problems })
}

/** All that the validator finds; on its own it stops at eight, of which some only repeat another. */
function errorsOf(value: unknown): ReturnType<typeof validator.Errors> {
  const { maxErrors } = Settings.Get()
  Settings.Set({ maxErrors: PROBLEMS_MAX })
  try {
    return validator.Errors(value)
  } finally {
    Settings.Set({ maxErrors })
  }
}

function findContradictions(config: Config): ConfigProblem[] {
  const problems: ConfigProblem[] = []
  const { administration, exchange } = config
  if (!administration.id.startsWith(`${administration.country}-`))
    problems.push({ pointer: '/administration/country', rule: 'country', expected: administration.id.slice(0, 2) })
  if (!Intl.supportedValuesOf('timeZone').includes(administration.zone) && administration.zone !== 'UTC')
    problems.push({ pointer: '/administration/zone', rule: 'zone', expected: 'Asia/Almaty' })
  const { retryDelaySecondsMin: min, retryDelaySecondsMax: max } = exchange
  if (min !== undefined && max !== undefined && min > max)
    problems.push({ pointer: '/exchange/retryDelaySecondsMax', rule: 'minimum', expected: String(min) })
  return problems
}

/** Numbers with a fraction are meant as they are written here: no mass and no money stands in a configuration. */
function plainNumbers(value: JsonValue): unknown {
  if (Array.isArray(value)) return value.map(plainNumbers)
  if (value === null || typeof value !== 'object') return value
  if ('text' in value && typeof value.text === 'string' && value.constructor !== Object) return Number(value.text)
  return Object.fromEntries(
    Object.entries(value as Record<string, JsonValue>).map(([key, member]) => [key, plainNumbers(member)]),
  )
}

function knownMembers(pointer: string): readonly string[] {
  let schema: { properties?: Record<string, unknown> } = Config as never
  for (const token of pointer.split('/').slice(1)) schema = (schema.properties?.[token] ?? {}) as typeof schema
  return Object.keys(schema.properties ?? {})
}

function nearestOf(name: string, known: readonly string[]): string | undefined {
  const ranked = known
    .map((each) => ({ each, distance: editDistance(name.toLowerCase(), each.toLowerCase()) }))
    .sort((a, b) => a.distance - b.distance)
  return ranked[0] && ranked[0].distance <= 3 ? ranked[0].each : undefined
}

function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i]
    for (let j = 1; j <= b.length; j += 1)
      next.push(
        Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)),
      )
    row = next
  }
  return row[b.length] ?? 0
}

/**
 * Reads the configuration file. Relative paths in it are relative to its folder.
 * @throws Fault platform/config-missing, platform/config-unreadable, platform/config-invalid
 */
export async function readConfig(path: string): Promise<Config> {
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    throw new Fault('platform/config-missing', `the configuration ${path} cannot be read`, { cause, facts: { path } })
  })
  const parsed = parseConfig(text)
  if (!parsed.ok) {
    const { code, ...facts } = parsed.refusal
    throw new Fault(code, `the configuration ${path} cannot be used`, { facts: { path, ...facts } })
  }
  const config = parsed.value
  const folder = dirname(resolve(path))
  const place = (given: string): string => (isAbsolute(given) ? given : resolve(folder, given))
  return {
    ...config,
    database: {
      ...config.database,
      ...(config.database.embedded && {
        embedded: { ...config.database.embedded, folder: place(config.database.embedded.folder) },
      }),
    },
    keys: {
      folder: place(config.keys.folder),
      ...(config.keys.passphraseFile && { passphraseFile: place(config.keys.passphraseFile) }),
    },
    intake: { ...(config.intake.watchedFolder && { watchedFolder: place(config.intake.watchedFolder) }) },
  }
}
