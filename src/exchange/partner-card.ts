import type { KeyObject } from 'node:crypto'
import { type Static, Type } from 'typebox'
import { Compile } from 'typebox/compile'
import { accept, type Decision, type JsonValue, refuse } from '../kernel/index.ts'
import { fingerprintOf, type Keyring, openKeyset, PublicKeyJwk, publicKeyOf } from './keyset.ts'

/** What an administration hands to its partner when the link is set up: public keys and where to knock. */
export const PartnerCard = Type.Object(
  {
    administration: Type.String({ pattern: '^[A-Z]{2}-[A-Z0-9]{2,14}$' }),
    endpoint: Type.String({ pattern: '^https://[^\\s]{1,200}$' }),
    root: PublicKeyJwk,
    keysets: Type.Object(
      { test: Type.String({ maxLength: 131072 }), live: Type.String({ maxLength: 131072 }) },
      { additionalProperties: false },
    ),
  },
  { additionalProperties: false },
)
export type PartnerCard = Static<typeof PartnerCard>
const validator = Compile(PartnerCard)

export interface OpenedCard {
  readonly card: PartnerCard
  readonly root: KeyObject
  readonly fingerprint: string
  readonly keyrings: { readonly test: Keyring; readonly live: Keyring }
}

export type CardRefusal = { readonly code: 'exchange/card-invalid'; readonly reason: string }

/** Reads a partner card and checks that its root signed both keysets. Whether the root is theirs, only officers know. */
export function openPartnerCard(value: JsonValue): Decision<OpenedCard, CardRefusal> {
  const invalid = (reason: string) => refuse({ code: 'exchange/card-invalid' as const, reason })
  if (!validator.Check(value)) return invalid('members')
  let root: KeyObject
  try {
    root = publicKeyOf(value.root)
  } catch {
    return invalid('root')
  }
  const test = openKeyset(value.keysets.test, { iss: value.administration, mode: 'test', root })
  if (!test.ok) return invalid('keyset-test')
  const live = openKeyset(value.keysets.live, { iss: value.administration, mode: 'live', root })
  if (!live.ok) return invalid('keyset-live')
  return accept({
    card: value,
    root,
    fingerprint: fingerprintOf(root),
    keyrings: { test: test.value, live: live.value },
  })
}
