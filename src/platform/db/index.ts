export { type Database, type DatabaseOptions, openDatabase } from './database.ts'
export { listen, type NotificationHandler, notify, type Subscription } from './listen.ts'
export { type Migration, type MigrationReport, migrate, readMigrations } from './migrate.ts'
export { describeUrl, faultOf } from './postgres-errors.ts'
export type { Tables } from './row-types.ts'
export {
  type ActedBy,
  type PreparedStatement,
  runPrepared,
  type Transaction,
  type TransactionOptions,
  withActor,
} from './with-actor.ts'
