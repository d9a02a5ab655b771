// The certificate library finds its parts through the Reflect metadata API, which must be there before it.
import 'reflect-metadata'
import { createPublicKey, type KeyObject } from 'node:crypto'
import * as x509 from '@peculiar/x509'
import type { Instant } from '../../kernel/index.ts'

x509.cryptoProvider.set(globalThis.crypto)

const algorithm = { name: 'ECDSA', namedCurve: 'P-256' } as const

/**
 * Makes the self-signed certificate that a TLS key needs on the wire.
 *
 * Why: peers recognise the key, pinned in a signed keyset, and look at nothing else of the certificate. So it holds
 * the least that TLS takes: a name, a key, and the date without end that RFC 5280 §4.1.2.5 gives for such.
 * @param key an EC P-256 private key
 * @returns PEM
 */
export async function makeSelfSignedCertificate(key: KeyObject, name: string, notBefore: Instant): Promise<string> {
  const pkcs8 = new Uint8Array(key.export({ type: 'pkcs8', format: 'der' }))
  const spki = new Uint8Array(createPublicKey(key).export({ type: 'spki', format: 'der' }))
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    name: [{ CN: [name] }],
    notBefore: new Date(notBefore),
    notAfter: new Date('9999-12-31T23:59:59Z'),
    keys: {
      privateKey: await crypto.subtle.importKey('pkcs8', pkcs8, algorithm, true, ['sign']),
      publicKey: await crypto.subtle.importKey('spki', spki, algorithm, true, ['verify']),
    },
    signingAlgorithm: { name: 'ECDSA', hash: 'SHA-256' },
  })
  return `${certificate.toString('pem')}\n`
}
