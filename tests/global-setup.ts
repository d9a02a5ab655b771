/**
 * One embedded PostgreSQL for a whole test run, started when the first test asks for a database.
 *
 * Tests run in processes of their own, so they ask over HTTP on the loopback: POST / gives the addresses of a fresh,
 * migrated database (a copy of one that was migrated once), DELETE /<name> drops it.
 */
import { chmod, mkdtemp, readdir, rm } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestProject } from 'vitest/node'
import { migrate } from '../src/platform/db/index.ts'
import { type RunningEmbeddedPostgres, startEmbeddedPostgres } from '../src/platform/postgres/index.ts'

declare module 'vitest' {
  export interface ProvidedContext {
    testDatabases: string
  }
}

const FOLDER_PREFIX = 'dostyk-test-'
const TEMPLATE = 'dostyk_test'

interface TestServer {
  readonly postgres: RunningEmbeddedPostgres
  readonly folder: string
}

async function startServer(): Promise<TestServer> {
  const folder = await mkdtemp(join(tmpdir(), `${FOLDER_PREFIX}${process.pid}-`))
  // Started by root, the server runs as an ordinary user, who must get through here.
  await chmod(folder, 0o755)
  const postgres = await startEmbeddedPostgres({ folder: join(folder, 'pg') })
  try {
    const { ownerUrl } = await postgres.createDatabase(TEMPLATE)
    await migrate(ownerUrl)
    return { postgres, folder }
  } catch (error) {
    await postgres.remove()
    await rm(folder, { recursive: true, force: true })
    throw error
  }
}

/** Removes what runs that were killed left behind; their servers ended with them. */
async function sweep(): Promise<void> {
  for (const name of await readdir(tmpdir())) {
    const pid = Number(/^dostyk-test-(\d+)-/.exec(name)?.[1])
    if (!pid) continue
    try {
      process.kill(pid, 0)
    } catch {
      await rm(join(tmpdir(), name), { recursive: true, force: true })
    }
  }
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  let server: Promise<TestServer> | undefined
  let count = 0
  const http: Server = createServer(async (request, response) => {
    try {
      server ??= sweep().then(startServer)
      const { postgres } = await server
      if (request.method === 'DELETE') {
        await postgres.dropDatabase((request.url ?? '').slice(1))
        response.end('{}')
        return
      }
      count += 1
      const name = `test_${count}`
      const urls = await postgres.createDatabase(name, { template: TEMPLATE })
      response.end(JSON.stringify({ name, ...urls }))
    } catch (error) {
      response.statusCode = 500
      response.end(error instanceof Error ? `${error.stack}` : String(error))
    }
  })
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve))
  project.provide('testDatabases', `http://127.0.0.1:${(http.address() as AddressInfo).port}`)
  return async () => {
    http.closeAllConnections()
    http.close()
    const started = await server?.catch(() => undefined)
    await started?.postgres.remove()
    if (started) await rm(started.folder, { recursive: true, force: true })
  }
}
