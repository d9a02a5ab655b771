#!/usr/bin/env node
/** `dostyk`: the one command of the node. Each subcommand stands in its own file under `cli/`. */
import { Command } from 'commander'
import { registerConditionsCommands } from './cli/conditions.ts'
import { registerDemoCommand } from './cli/demo.ts'
import { registerInitCommand } from './cli/init.ts'
import { registerKeysCommands } from './cli/keys.ts'
import { registerListCommands } from './cli/list.ts'
import { registerMessageCommands } from './cli/messages.ts'
import { exitCodes, reportError } from './cli/output.ts'
import { registerPartnerCommands } from './cli/partner.ts'
import { registerServeCommands } from './cli/serve.ts'
import { registerSubmitCommand } from './cli/submit.ts'
import { registerTokenCommands } from './cli/token.ts'
import { version } from './version.ts'

if (Number(process.versions.node.split('.')[0]) < 24) {
  process.stderr.write(
    `Dostyk runs on Node.js 24 or newer, and this is ${process.version}. Start it with "npx dostyk".\n`,
  )
  process.exit(exitCodes.unavailable)
}

const program = new Command('dostyk')
  .description(
    'Hands clearance data of trains to the neighbour’s customs, proves it, and keeps the fate of every message',
  )
  .version(version)
  // Subcommands take this over when they are made.
  .exitOverride()
  .showHelpAfterError('(add --help to see how it is called)')
  .configureHelp({ showGlobalOptions: true })
  .addHelpText(
    'after',
    `
Exit codes:
  0  done
  1  refused by the rules, or some records were refused: the answer says which and why
  2  the command was called wrongly
  69 the database, a partner or a file is not available: try again
  70 the program failed: this is a defect
  78 the configuration or the keys cannot be used

The configuration is taken from --config, else from DOSTYK_CONFIG, else from ./dostyk.json.`,
  )

registerDemoCommand(program)
registerInitCommand(program)
registerServeCommands(program)
registerSubmitCommand(program)
registerListCommands(program)
registerMessageCommands(program)
registerPartnerCommands(program)
registerConditionsCommands(program)
registerTokenCommands(program)
registerKeysCommands(program)

try {
  await program.parseAsync()
} catch (error) {
  process.exitCode = reportError(error)
}
