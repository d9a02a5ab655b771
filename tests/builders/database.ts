import { inject } from 'vitest'
import { type Database, openDatabase } from '../../src/platform/db/index.ts'

export interface TestDatabase {
  readonly database: Database
  readonly ownerUrl: string
  readonly appUrl: string
  drop(): Promise<void>
}

/** A fresh, migrated database on real PostgreSQL, for one test file or one test. */
export async function createTestDatabase(options: { readonly max?: number } = {}): Promise<TestDatabase> {
  const server = inject('testDatabases')
  const response = await fetch(server, { method: 'POST' })
  if (!response.ok) throw new Error(await response.text())
  const { name, ownerUrl, appUrl } = (await response.json()) as { name: string; ownerUrl: string; appUrl: string }
  const database = openDatabase({ url: appUrl, max: options.max ?? 8 })
  return {
    database,
    ownerUrl,
    appUrl,
    drop: async () => {
      await database.close()
      await fetch(`${server}/${name}`, { method: 'DELETE' })
    },
  }
}
