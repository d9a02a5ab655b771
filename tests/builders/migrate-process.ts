/** A process of its own that migrates the database given and tells its parent what it applied. */
import { migrate } from '../../src/platform/db/index.ts'

const report = await migrate(process.argv[2] ?? '')
process.send?.(report, () => process.disconnect?.())
