/** A process of its own that runs an embedded PostgreSQL on the folder given until it is killed or told to stop. */
import { startEmbeddedPostgres } from '../../src/platform/postgres/index.ts'

const server = await startEmbeddedPostgres({ folder: process.argv[2] ?? '' })
const { appUrl } = await server.createDatabase('kz')
process.on('message', async () => {
  await server.stop()
  process.disconnect()
})
process.send?.({ pid: server.pid, appUrl })
