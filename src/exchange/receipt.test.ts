import { describe, expect, test } from 'vitest'
import {
  china,
  forgeJws,
  kazakhstan,
  keysetPayload,
  messageDraft,
  mirrorSignature,
  payloadOf,
  signKeyset,
  stranger,
  testId,
  testMessage,
  testNow,
} from '../../tests/builders/exchange.ts'
import { openKeyset } from './keyset.ts'
import { composeReceipt, provesReceipt } from './receipt.ts'

const { digest, draft, compact } = testMessage()
const held = { id: draft.id, digest, iss: draft.iss, aud: draft.aud, mode: draft.mode }
const keyring = china.keyrings.live
const at = testNow.toISOString()
const signer = china.signer('live')
const receipt = composeReceipt(draft, digest, at, signer)
const payload = payloadOf(receipt)
const forged = (changes: Record<string, unknown>): string =>
  forgeJws({ payload: { ...payload, ...changes } }, signer, 'dx1-receipt')

test('proves that the partner holds the message', () => {
  expect(provesReceipt(receipt, held, keyring)).toEqual({
    iss: 'CN-GACC',
    aud: 'KZ-KGD',
    mode: 'live',
    id: draft.id,
    digest,
    outcome: 'RECEIVED',
    at,
  })
})

test('proves it with the mirrored signature too', () => {
  expect(provesReceipt(mirrorSignature(receipt), held, keyring)?.digest).toBe(digest)
})

describe('a receipt proves one message of one sender', () => {
  test.each<[string, Record<string, unknown>]>([
    ['about another id', { id: testId(2) }],
    ['about other content', { digest: testMessage({ seq: 2 }).digest }],
    ['for somebody else', { aud: 'GE-RS' }],
    ['of somebody else', { iss: 'GE-RS' }],
    ['of the sender itself', { iss: 'KZ-KGD', aud: 'CN-GACC' }],
    ['of the other mode', { mode: 'test' }],
    ['with another outcome', { outcome: 'ACCEPTED' }],
    ['with another member', { note: 'thank you' }],
    ['without a time', { at: undefined }],
    ['with a time that does not exist', { at: '2026-02-30T03:00:00.000Z' }],
    ['with only a year', { at: '2026' }],
    ['with a time in words', { at: 'Sun, 22 Nov 2026 03:00:00' }],
    ['with a time in another zone', { at: '2026-11-22T08:00:00.000+05:00' }],
    ['made before its key was valid', { at: '2026-10-31T23:59:59.999Z' }],
    ['made when its key had expired', { at: '2027-01-30T00:00:00.000Z' }],
  ])('refuses one %s', (_, changes) => {
    expect(provesReceipt(forged(changes), held, keyring)).toBeUndefined()
  })

  test('admits one made in the first and in the last moment of its key', () => {
    expect(provesReceipt(forged({ at: '2026-11-01T00:00:00.000Z' }), held, keyring)?.id).toBe(draft.id)
    expect(provesReceipt(forged({ at: '2027-01-29T23:59:59.999Z' }), held, keyring)?.id).toBe(draft.id)
  })
})

describe('a receipt counts only with a key of the message’s audience', () => {
  test('refuses one the sender forged with its own key', () => {
    const own = composeReceipt(draft, digest, at, kazakhstan.signer('live'))
    expect(provesReceipt(own, held, keyring)).toBeUndefined()
    const claimed = forgeJws({ payload }, { ...kazakhstan.signer('live'), kid: signer.kid }, 'dx1-receipt')
    expect(provesReceipt(claimed, held, keyring)).toBeUndefined()
  })

  test('refuses one by a third administration', () => {
    expect(provesReceipt(composeReceipt(draft, digest, at, stranger.signer('live')), held, keyring)).toBeUndefined()
  })

  test('refuses one signed with the partner’s test key', () => {
    expect(provesReceipt(composeReceipt(draft, digest, at, china.signer('test')), held, keyring)).toBeUndefined()
  })

  test('refuses one signed with a key that is published for another use', () => {
    const swapped = keysetPayload('CN-GACC', 'live')
    const keys = swapped.keys.map((key) => (key.use === 'sign' ? { ...key, use: 'decrypt' as const } : key))
    const opened = openKeyset(signKeyset({ ...swapped, keys }, china.root), {
      iss: 'CN-GACC',
      mode: 'live',
      root: china.root.publicKey,
    })
    expect(opened.ok && provesReceipt(receipt, held, opened.value)).toBeUndefined()
  })

  test('refuses one whose signature is over something else', () => {
    const [head, , signature] = receipt.split('.')
    const other = Buffer.from(JSON.stringify({ ...payload, at: '2026-11-22T04:00:00.000Z' })).toString('base64url')
    expect(provesReceipt(`${head}.${other}.${signature}`, held, keyring)).toBeUndefined()
  })
})

describe('a receipt is nothing else', () => {
  test('refuses the message itself, sent back', () => {
    expect(provesReceipt(compact, held, kazakhstan.keyrings.live)).toBeUndefined()
    expect(provesReceipt(compact, held, keyring)).toBeUndefined()
  })

  test('refuses a receipt we gave for a message of theirs', () => {
    const theirs = messageDraft({ iss: china.id, aud: kazakhstan.id })
    const ours = composeReceipt(theirs, digest, at, kazakhstan.signer('live'))
    expect(provesReceipt(ours, held, keyring)).toBeUndefined()
    expect(provesReceipt(ours, held, kazakhstan.keyrings.live)).toBeUndefined()
  })

  test.each(['', 'OK', `${receipt}\n`, `${receipt.slice(0, -1)}`, receipt.toUpperCase()])('refuses %j', (text) => {
    expect(provesReceipt(text, held, keyring)).toBeUndefined()
  })
})
