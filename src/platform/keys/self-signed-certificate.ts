/**
 * Writes the self-signed certificate that a TLS key needs on the wire (X.509 v3, RFC 5280, in DER).
 *
 * Why: peers recognise the key, pinned in a signed keyset, and look at nothing else of the certificate. So it holds
 * the least that TLS takes: a name, a key, and the date without end that RFC 5280 §4.1.2.5 gives for such.
 */
import { createPublicKey, type KeyObject, sign } from 'node:crypto'

const tags = {
  integer: 0x02,
  bits: 0x03,
  oid: 0x06,
  utf8: 0x0c,
  sequence: 0x30,
  set: 0x31,
  time: 0x18,
  version: 0xa0,
} as const

function der(tag: keyof typeof tags, ...contents: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(contents)
  const { length } = content
  const lengthBytes = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff]
  return Buffer.concat([Uint8Array.of(tags[tag], ...lengthBytes), content])
}

const text = (value: string) => Buffer.from(value, 'utf8')
/** The OIDs 2.5.4.3 (commonName) and 1.2.840.10045.4.3.2 (ecdsa-with-SHA256). */
const commonName = der('oid', Uint8Array.of(0x55, 0x04, 0x03))
const ecdsaWithSha256 = der('sequence', der('oid', Uint8Array.of(0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02)))

/** `2026-11-22T03:00:00.000Z` as GeneralizedTime. */
function time(instant: string): Buffer {
  return der('time', text(`${instant.slice(0, 19).replaceAll(/[-T:]/g, '')}Z`))
}

/**
 * @param key an EC P-256 private key
 * @param serial 16 random bytes
 * @param notBefore an instant in UTC, from the year 2050 on or before alike
 * @returns PEM
 */
export function makeSelfSignedCertificate(key: KeyObject, name: string, serial: Uint8Array, notBefore: string): string {
  const subject = der('sequence', der('set', der('sequence', commonName, der('utf8', text(name)))))
  // A first byte of 0x01 to 0x7f keeps the number positive and its encoding minimal.
  const number = Buffer.concat([Uint8Array.of(((serial[0] ?? 0) & 0x7e) | 0x01), serial.subarray(1)])
  const body = der(
    'sequence',
    der('version', der('integer', Uint8Array.of(2))),
    der('integer', number),
    ecdsaWithSha256,
    subject,
    der('sequence', time(notBefore), time('9999-12-31T23:59:59Z')),
    subject,
    createPublicKey(key).export({ type: 'spki', format: 'der' }),
  )
  const signature = sign('sha256', body, { key, dsaEncoding: 'der' })
  const certificate = der('sequence', body, ecdsaWithSha256, der('bits', Uint8Array.of(0), signature))
  const lines = certificate.toString('base64').match(/.{1,64}/g) ?? []
  return ['-----BEGIN CERTIFICATE-----', ...lines, '-----END CERTIFICATE-----', ''].join('\n')
}
