/** What both ends have in common: TLS 1.3 and nothing older, and a peer known by its key alone. */
import { createHash } from 'node:crypto'
import type { TLSSocket } from 'node:tls'

export interface TlsIdentity {
  readonly key: string
  readonly cert: string
}

/** SHA-256 of the SubjectPublicKeyInfo of the key that the peer proved to hold, base64url. */
export function pinOf(socket: TLSSocket): string | undefined {
  try {
    const certificate = socket.getPeerX509Certificate()
    if (!certificate) return undefined
    return createHash('sha256')
      .update(certificate.publicKey.export({ type: 'spki', format: 'der' }))
      .digest('base64url')
  } catch {
    // A certificate of a kind of key that this program cannot read is nobody's that we know.
    return undefined
  }
}

export const tlsOptions = { minVersion: 'TLSv1.3', maxVersion: 'TLSv1.3' } as const
