/**
 * The wire between two nodes: HTTPS with mutual TLS 1.3, where each side knows the other by the public key that its
 * keyset pins, not by a certificate authority.
 */
export { PeerClient } from './client.ts'
export type { TlsIdentity } from './pinned-tls.ts'
export * from './server.ts'
