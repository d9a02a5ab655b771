/** The command with all its subcommands; each stands in a file of its own. */
import { Command } from 'commander'
import { version } from '../version.ts'
import { registerConditionsCommands } from './conditions.ts'
import { registerDemoCommand } from './demo.ts'
import { registerInitCommand } from './init.ts'
import { registerKeysCommands } from './keys.ts'
import { registerListCommands } from './list.ts'
import { registerMessageCommands } from './messages.ts'
import { registerPartnerCommands } from './partner.ts'
import { registerServeCommands } from './serve.ts'
import { registerSubmitCommand } from './submit.ts'
import { registerTokenCommands } from './token.ts'

export function makeProgram(): Command {
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
  return program
}
