#!/usr/bin/env node
/** `dostyk`: the one command of the node. */
import { exitCodes, reportError } from './cli/output.ts'
import { makeProgram } from './cli/program.ts'

if (Number(process.versions.node.split('.')[0]) < 24) {
  process.stderr.write(
    `Dostyk runs on Node.js 24 or newer, and this is ${process.version}. Start it with "npx dostyk".\n`,
  )
  process.exit(exitCodes.unavailable)
}

// Whoever reads our answer may have seen enough of it: `dostyk list messages | head`.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error
  process.exit(exitCodes.done)
})

try {
  await makeProgram().parseAsync()
} catch (error) {
  process.exitCode = reportError(error)
}
