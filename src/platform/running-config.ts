/** A configuration made ready to run: its database is up, its passphrase is read. */
import { readFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { Fault } from '../kernel/index.ts'
import { type Config, readConfig } from './config/index.ts'
import {
  type EmbeddedPostgres,
  findEmbeddedPostgres,
  type RunningEmbeddedPostgres,
  startEmbeddedPostgres,
} from './postgres/index.ts'

export interface RunningConfig {
  readonly config: Config
  readonly database: { readonly url: string; readonly ownerUrl: string }
  readonly passphrase: string
}

/** Its login for the node is `<name>_app`, which must not be the role dostyk_app itself. */
const databaseName = 'dostyk_node'
/** How often a process that joined another's server looks whether it is still there. */
const watchMs = 1000

/**
 * Reads a configuration and brings up what it needs. The environment's DATABASE_URL and DOSTYK_KEY_PASSPHRASE stand in
 * for what the file does not say. An embedded database that another process of ours runs is joined, and taken over when
 * that process ends.
 * @returns with `stop`, which ends an embedded database that was started here
 */
export async function prepareConfig(
  path: string,
  env: Readonly<Record<string, string | undefined>>,
): Promise<RunningConfig & { stop(): Promise<void> }> {
  const config = await readConfig(path)
  const passphrase = await readPassphrase(config, env)
  const { url = env['DATABASE_URL'], ownerUrl, embedded } = config.database
  if (url) return { config, passphrase, database: { url, ownerUrl: ownerUrl ?? url }, stop: async () => {} }
  if (!embedded)
    throw new Fault('platform/database-not-named', 'the configuration names no database', {
      facts: { path, pointer: '/database' },
    })
  const { server, stop } = await openEmbedded(embedded.folder)
  try {
    const urls = await server.createDatabase(embedded.database ?? databaseName)
    return { config, passphrase, database: { url: urls.appUrl, ownerUrl: urls.ownerUrl }, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

async function openEmbedded(folder: string): Promise<{ server: EmbeddedPostgres; stop(): Promise<void> }> {
  try {
    const started = await startEmbeddedPostgres({ folder })
    return { server: started, stop: () => started.stop() }
  } catch (error) {
    const running =
      error instanceof Fault && error.code === 'platform/postgres-in-use'
        ? await findEmbeddedPostgres({ folder })
        : undefined
    if (!running) throw error
    return { server: running, stop: takeOver(folder, running) }
  }
}

/**
 * Watches a server that another process of ours runs, and starts it again at the same address when it has ended with
 * that process: a node that was started beside a command must not lose its database to the command's end.
 * @returns what ends the watch, and the server if it runs here by then
 */
function takeOver(folder: string, joined: EmbeddedPostgres): () => Promise<void> {
  const { port, searchParams } = new URL(joined.appUrlFor(databaseName))
  const place = searchParams.has('host') ? { folder } : { folder, port: Number(port) }
  const stopping = new AbortController()
  let own: RunningEmbeddedPostgres | undefined
  const watch = async (): Promise<void> => {
    while (!own && !stopping.signal.aborted) {
      await sleep(watchMs, undefined, { signal: stopping.signal, ref: false }).catch(() => {})
      if (stopping.signal.aborted || (await findEmbeddedPostgres({ folder }).catch(() => undefined))) continue
      // Another process may be quicker; then its server is watched.
      own = await startEmbeddedPostgres(place).catch(() => undefined)
    }
  }
  const watching = watch()
  return async () => {
    stopping.abort()
    await watching
    await own?.stop()
  }
}

async function readPassphrase(config: Config, env: Readonly<Record<string, string | undefined>>): Promise<string> {
  const { passphraseFile } = config.keys
  const text = passphraseFile
    ? await readFile(passphraseFile, 'utf8').catch((cause: unknown) => {
        throw new Fault('platform/keys-missing', `the passphrase file ${passphraseFile} cannot be read`, {
          cause,
          facts: { file: passphraseFile },
        })
      })
    : env['DOSTYK_KEY_PASSPHRASE']
  if (!text?.trim())
    throw new Fault('platform/passphrase-missing', 'no passphrase opens the keys', {
      facts: { pointer: '/keys/passphraseFile' },
    })
  return text.trim()
}
