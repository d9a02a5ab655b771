/** TLS keys with certificates, and raw connections that say exactly the bytes a test wants said. */
import { createHash, createPublicKey, generateKeyPairSync } from 'node:crypto'
import { once } from 'node:events'
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls'
import { makeSelfSignedCertificate } from '../../src/platform/keys/self-signed-certificate.ts'

export interface TlsKey {
  readonly key: string
  readonly cert: string
  /** SHA-256 of the SubjectPublicKeyInfo, base64url. */
  readonly pin: string
}

export async function makeTlsKey(): Promise<TlsKey> {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const spki = createPublicKey(privateKey).export({ type: 'spki', format: 'der' })
  return {
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
    cert: await makeSelfSignedCertificate(privateKey, 'peer', new Date().toISOString()),
    pin: createHash('sha256').update(spki).digest('base64url'),
  }
}

/** A key whose certificate ended years ago, and whose signature of itself is wrong by that. */
export async function makeExpiredTlsKey(): Promise<TlsKey> {
  const made = await makeTlsKey()
  const der = Buffer.from(made.cert.replaceAll(/-----.*?-----|\s/g, ''), 'base64')
  der.write('20200101000000Z', der.indexOf('99991231235959Z'), 'latin1')
  const cert = `-----BEGIN CERTIFICATE-----\n${der.toString('base64')}\n-----END CERTIFICATE-----\n`
  return { ...made, cert }
}

/** Connects with a key or, as a stranger may, with none. */
export async function connectTls(
  port: number,
  key: TlsKey | undefined,
  options: ConnectionOptions = {},
): Promise<TLSSocket> {
  const socket = connect({
    host: '127.0.0.1',
    port,
    ...(key && { key: key.key, cert: key.cert }),
    rejectUnauthorized: false,
    ...options,
  })
  await once(socket, 'secureConnect')
  return socket
}

/** Everything the other side still says, until it closes, breaks off or has been silent for so long. */
export function hear(socket: TLSSocket, silenceMs = 3000): Promise<string> {
  return new Promise((resolve) => {
    let heard = ''
    const done = (): void => {
      clearTimeout(timer)
      resolve(heard)
    }
    const timer = setTimeout(done, silenceMs)
    socket.on('data', (chunk: Buffer) => {
      heard += chunk.toString('latin1')
      timer.refresh()
    })
    socket.once('close', done)
    socket.on('error', () => {})
  })
}
