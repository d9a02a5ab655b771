import { type Static, Type } from 'typebox'
import { Compile } from 'typebox/compile'
import type { Instant } from '../kernel/index.ts'
import { findVerificationKey, type Keyring } from './keyset.ts'
import { isInstant, type MessagePayload, Mode } from './message.ts'
import { readJws, type Signer, signJws, verifyJws } from './strict-jws.ts'

/** The receiver's signed word that it holds a message: one per message, made in the commit that stored it. */
export const ReceiptPayload = Type.Object(
  {
    iss: Type.String({ maxLength: 17 }),
    aud: Type.String({ maxLength: 17 }),
    mode: Mode,
    id: Type.String({ maxLength: 36 }),
    digest: Type.String({ maxLength: 43 }),
    outcome: Type.Literal('RECEIVED'),
    at: Type.String({ maxLength: 30 }),
  },
  { additionalProperties: false },
)
export type ReceiptPayload = Static<typeof ReceiptPayload>
const validator = Compile(ReceiptPayload)

export function composeReceipt(
  message: Pick<MessagePayload, 'id' | 'iss' | 'aud' | 'mode'>,
  digest: string,
  at: Instant,
  signer: Signer,
): string {
  const payload: ReceiptPayload = {
    iss: message.aud,
    aud: message.iss,
    mode: message.mode,
    id: message.id,
    digest,
    outcome: 'RECEIVED',
    at,
  }
  return signJws('dx1-receipt', payload, signer).compact
}

/**
 * Whether a receipt proves that the partner holds exactly this message: right kind, right parties and mode, the id and
 * digest we hold, and a signature by a key of the message's audience that was valid when the receipt was made.
 */
export function provesReceipt(
  compact: string,
  message: { id: string; digest: string; iss: string; aud: string; mode: Mode },
  keyring: Keyring,
): ReceiptPayload | undefined {
  const read = readJws(compact, 'dx1-receipt')
  if (!read.ok || !validator.Check(read.value.payload)) return undefined
  const receipt = read.value.payload
  const about =
    receipt.iss === message.aud &&
    receipt.aud === message.iss &&
    receipt.mode === message.mode &&
    receipt.id === message.id &&
    receipt.digest === message.digest
  if (!about || !isInstant(receipt.at)) return undefined
  const key = findVerificationKey(keyring, read.value.kid, new Date(receipt.at))
  return key && verifyJws(read.value, key) ? receipt : undefined
}
