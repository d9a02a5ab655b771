import { type Command, InvalidArgumentError } from 'commander'
import { initialiseNode } from '../init.ts'
import { print, printJson } from './output.ts'

export function portOf(text: string): number {
  const port = Number(text)
  if (!/^\d{1,5}$/.test(text) || port > 65535) throw new InvalidArgumentError('a port is a number up to 65535')
  return port
}

export function registerInitCommand(program: Command): void {
  program
    .command('init')
    .description('make the folder of a new node: configuration, keys, watched folder, and the card for the partner')
    .argument('<dir>', 'a new or empty folder')
    .requiredOption('--administration <id>', 'whose node it is: country and body, such as KZ-KGD or CN-GACC')
    .requiredOption('--zone <zone>', 'IANA zone that times are shown in, such as Asia/Almaty')
    .requiredOption('--public-url <url>', 'where the partner reaches this node, https://host:port')
    .option('--http-port <port>', 'port of the interface for home systems, on the loopback', portOf, 8080)
    .option('--exchange-port <port>', 'port of the exchange with partners', portOf, 8443)
    .option('--external-database', 'write no embedded database: DATABASE_URL names one at start')
    .option('--json', 'print as JSON')
    .addHelpText(
      'after',
      `
The passphrase that opens the keys is written to DIR/passphrase, readable by you alone. DIR/keys/root.private.jwe signs
keysets and is not needed to run: move it to a safe place off this machine.`,
    )
    .action(
      async (
        dir: string,
        options: {
          administration: string
          zone: string
          publicUrl: string
          httpPort: number
          exchangePort: number
          externalDatabase?: boolean
          json?: boolean
        },
      ) => {
        const made = await initialiseNode({
          folder: dir,
          administration: options.administration,
          zone: options.zone,
          httpPort: options.httpPort,
          exchangePort: options.exchangePort,
          publicUrl: options.publicUrl,
          embedded: options.externalDatabase ? undefined : { folder: 'postgres' },
          now: new Date(),
        })
        if (options.json) return printJson(made)
        print(`Configuration  ${made.configPath}`)
        print(`Partner card   ${made.cardPath}   (public: give it to the partner)`)
        print(`Fingerprint    ${made.fingerprint}`)
        print('\nRead the fingerprint to the partner’s officers by another way than the card travels.')
        print(`Then: dostyk partner add THEIR-CARD --config ${made.configPath}`)
      },
    )
}
