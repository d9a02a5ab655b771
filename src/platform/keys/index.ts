export { createKeys, type KeyFolder, type NodeKeys, type NodeSigner, openKeys, renewKeysets } from './key-store.ts'
export {
  issueKeyset,
  type KeysetContent,
  type KeysetEntry,
  type Mode,
  type PublicJwk,
  signEs256,
} from './keyset.ts'
