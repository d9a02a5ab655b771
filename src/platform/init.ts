/** Sets a new node up: a folder with its configuration, keys, watched folder and the card it hands to its partner. */
import { randomBytes } from 'node:crypto'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { PartnerCard } from '../exchange/index.ts'
import { Fault, isAdministrationId } from '../kernel/index.ts'
import { type Config, parseConfig } from './config/index.ts'
import { createKeys, type NodeKeys, openKeys } from './keys/index.ts'

export interface InitOptions {
  readonly folder: string
  readonly administration: string
  readonly zone: string
  readonly httpPort: number
  readonly exchangePort: number
  /** Where partners reach this node. */
  readonly publicUrl: string
  /** The embedded PostgreSQL's folder and database, or none where DATABASE_URL is given at start. */
  readonly embedded?: { readonly folder: string; readonly database?: string } | undefined
  readonly exchangeHost?: string
  readonly retry?: { readonly min: number; readonly max: number }
  readonly logLevel?: Config['log']['level']
  readonly now: Date
}

/** Writes a file that must not be there yet. */
async function writeNew(path: string, text: string, mode: number): Promise<void> {
  await writeFile(path, text, { flag: 'wx', mode }).catch((cause: unknown) => {
    throw new Fault('platform/folder-not-empty', `${path} exists already; nothing was changed`, {
      cause,
      facts: { path },
    })
  })
}

/** The public card of a node, for its partner. */
export function cardOf(keys: NodeKeys, endpoint: string): PartnerCard {
  return {
    administration: keys.administration,
    endpoint,
    root: keys.rootPublicJwk,
    keysets: { test: keys.keyset('test'), live: keys.keyset('live') },
  }
}

/**
 * Makes the folder of a node. Nothing that exists is overwritten.
 * @returns the path of the configuration and the fingerprint that two officers read to the partner's
 */
export async function initialiseNode(
  options: InitOptions,
): Promise<{ configPath: string; cardPath: string; fingerprint: string }> {
  const { folder, administration, zone } = options
  if (!isAdministrationId(administration))
    throw new Fault('platform/administration-invalid', `${administration} is no administration id`, {
      facts: { administration },
    })
  const config: Config = {
    administration: { id: administration, country: administration.slice(0, 2), zone },
    database: options.embedded ? { embedded: options.embedded } : {},
    http: { host: '127.0.0.1', port: options.httpPort },
    exchange: {
      host: options.exchangeHost ?? '0.0.0.0',
      port: options.exchangePort,
      publicUrl: options.publicUrl,
      ...(options.retry && { retryDelaySecondsMin: options.retry.min, retryDelaySecondsMax: options.retry.max }),
    },
    keys: { folder: 'keys', passphraseFile: 'passphrase' },
    intake: { watchedFolder: 'inbox' },
    log: { level: options.logLevel ?? 'info' },
  }
  const checked = parseConfig(JSON.stringify(config))
  if (!checked.ok) {
    const { code, ...facts } = checked.refusal
    throw new Fault(code, 'these options make no usable configuration', { facts })
  }
  await mkdir(folder, { recursive: true, mode: 0o711 })
  const configPath = join(folder, 'dostyk.json')
  await writeNew(configPath, `${JSON.stringify(config, null, 2)}\n`, 0o600)
  const passphrase = randomBytes(32).toString('base64url')
  await writeNew(join(folder, 'passphrase'), `${passphrase}\n`, 0o600)
  await mkdir(join(folder, 'inbox'), { recursive: true, mode: 0o700 })
  const keysFolder = join(folder, 'keys')
  await createKeys({ folder: keysFolder, passphrase, administration, now: options.now.toISOString() })
  const keys = await openKeys({ folder: keysFolder, passphrase })
  const cardPath = join(folder, 'partner-card.json')
  await writeNew(cardPath, `${JSON.stringify(cardOf(keys, options.publicUrl), null, 2)}\n`, 0o644)
  return { configPath, cardPath, fingerprint: keys.rootFingerprint }
}
