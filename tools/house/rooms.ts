/** The house as data: the rooms, who may import whom, and what only the shell may touch. */

/** What a room's core may import. Its shell files may use the infrastructure of the platform besides. */
export const rooms: Readonly<Record<string, readonly string[]>> = {
  kernel: [],
  law: ['kernel'],
  audit: ['kernel'],
  exchange: ['kernel', 'law', 'audit'],
  clearance: ['kernel', 'law', 'audit', 'exchange'],
}

/** What any shell file may import: whoever writes also records what was done, in the same transaction. */
export const shellMayImport: readonly string[] = ['audit']

/** Rooms inside a room, with a door of their own. They see their parent's files; others come through a door. */
export const innerRooms: Readonly<Record<string, readonly string[]>> = {
  clearance: ['conditions', 'intake', 'reference'],
}

/** Folders of the platform that know no domain. Everything else there puts the domains together. */
export const infrastructure: readonly string[] = [
  'catalogue',
  'config',
  'db',
  'http',
  'identity',
  'keys',
  'peer',
  'postgres',
  'telemetry',
]

/** What infrastructure may import beside other infrastructure: it records what it refused. */
export const infrastructureMayImport: readonly string[] = ['kernel', 'audit']

/** The domains of codes that a room's codes.ts may hold. */
export const codeDomains: Readonly<Record<string, readonly string[]>> = {
  law: ['law'],
  audit: ['audit'],
  exchange: ['exchange'],
  clearance: ['clearance', 'intake'],
  platform: ['platform', 'access'],
}

/** Files of a domain that may touch the world, told by their name. */
export const shellFile = /(^|[/-])(store|routes|jobs)\.ts$/

/** Files that read the data shipped with the program, once, at the start; they may use the file system and no more. */
export const shippedDataFiles: ReadonlySet<string> = new Set([
  'src/law/read-treaties.ts',
  'src/clearance/conditions/read-conditions.ts',
  'src/clearance/reference/read-reference.ts',
])

/** Modules that core never imports: the world is behind each of them. */
export const worldlyModules =
  /^(node:(child_process|cluster|dgram|dns|fs|http2?|https|inspector|net|os|perf_hooks|process|readline|repl|timers|tls|worker_threads)(\/.*)?|@fastify\/.*|fastify|kysely|pg|pino|prom-client|undici|uuid)$/

export const fileSystemModules = /^node:(fs|fs\/promises|path|url)$/

/** Random parts of node:crypto. Digests, signatures and public keys are arithmetic, and core may do it. */
export const randomNames = /^(random|generateKey|generatePrime|webcrypto|getRandomValues|default$|\*$)/

/** A type costs nothing when the program runs: core may say in whose transaction somebody saves. */
export const typesForCore: ReadonlySet<string> = new Set(['src/platform/db/index.ts'])

export const forbiddenLastWords: ReadonlySet<string> = new Set([
  'utils',
  'util',
  'helpers',
  'helper',
  'common',
  'misc',
  'manager',
  'base',
])

/** Written so that this file does not find itself. */
export const forbiddenWords = new RegExp(
  `\\b(${['TO', 'FIX', 'HA'].map((a, i) => a + ['DO', 'ME', 'CK'][i]).join('|')})\\b|@ts-(ignore|expect-error|nocheck)`,
)
