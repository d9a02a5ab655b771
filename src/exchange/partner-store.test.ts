import { sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../../tests/builders/database.ts'
import { asTest, china, kazakhstan, keysetPayload, signKeyset, stranger } from '../../tests/builders/exchange.ts'
import { clause } from '../../tests/clause.ts'
import type { JsonValue } from '../kernel/index.ts'
import { openPartnerCard, type PartnerCard } from './partner-card.ts'
import { addPartner, approvePartner, listPartners, loadPartners } from './partner-store.ts'

let testDatabase: TestDatabase
beforeAll(async () => {
  testDatabase = await createTestDatabase()
})
afterAll(() => testDatabase.drop())

const officers = ['A. Officer', 'B. Officer']

async function add(card: PartnerCard): Promise<string> {
  const opened = openPartnerCard(card as unknown as JsonValue)
  if (!opened.ok) return opened.refusal.code
  const added = await asTest(testDatabase.database, (tx) => addPartner(tx, opened.value, 'operator'))
  return added.ok ? 'added' : added.refusal.code
}

async function approve(
  partner: string,
  approval: { fingerprint: string; officers: readonly string[] },
): Promise<string> {
  const approved = await asTest(testDatabase.database, (tx) => approvePartner(tx, partner, approval, 'operator'))
  return approved.ok ? 'approved' : approved.refusal.code
}

const load = () => asTest(testDatabase.database, loadPartners)

/** China’s card with another live keyset. */
function cardWith(changes: Parameters<typeof keysetPayload>[2]): PartnerCard {
  const live = signKeyset(keysetPayload('CN-GACC', 'live', changes), china.root)
  return { ...china.card, keysets: { test: china.keysets.test, live } }
}

describe('a partner goes from its card to its approval', () => {
  clause('STOP-2021/1.2-r3', 'is kept unapproved, and nothing is exchanged with it yet', async () => {
    expect(await add(china.card)).toBe('added')
    const rows = await asTest(testDatabase.database, listPartners)
    expect(rows).toEqual([
      {
        id: 'CN-GACC',
        endpoint: 'https://cn-gacc.example:8443',
        state: 'added',
        fingerprint: china.fingerprint,
        approvedAt: null,
        approvedBy: null,
      },
    ])
    expect(await load()).toEqual([])
  })

  test('changes nothing when the same card comes again', async () => {
    expect(await add(china.card)).toBe('added')
    expect((await asTest(testDatabase.database, listPartners)).length).toBe(1)
  })

  test.each<[string, string, { fingerprint: string; officers: readonly string[] }, string]>([
    ['an unknown partner', 'GE-RS', { fingerprint: stranger.fingerprint, officers }, 'exchange/partner-unknown'],
    ['another fingerprint', 'CN-GACC', { fingerprint: stranger.fingerprint, officers }, 'exchange/fingerprint-differs'],
    [
      'half a fingerprint',
      'CN-GACC',
      { fingerprint: china.fingerprint.slice(0, 39), officers },
      'exchange/fingerprint-differs',
    ],
    ['no fingerprint', 'CN-GACC', { fingerprint: '', officers }, 'exchange/fingerprint-differs'],
    [
      'one officer',
      'CN-GACC',
      { fingerprint: china.fingerprint, officers: ['A. Officer'] },
      'exchange/two-persons-needed',
    ],
    [
      'one officer twice',
      'CN-GACC',
      { fingerprint: china.fingerprint, officers: ['A. Officer', ' A. Officer '] },
      'exchange/two-persons-needed',
    ],
    [
      'an officer without a name',
      'CN-GACC',
      { fingerprint: china.fingerprint, officers: ['A. Officer', ' '] },
      'exchange/two-persons-needed',
    ],
  ])('refuses an approval with %s', async (_, partner, approval, code) => {
    expect(await approve(partner, approval)).toBe(code)
    expect(await load()).toEqual([])
  })

  test('is approved by two officers who read the same fingerprint, in whatever spelling', async () => {
    const spelled = china.fingerprint.toUpperCase().replaceAll(' ', ':')
    expect(await approve('CN-GACC', { fingerprint: spelled, officers })).toBe('approved')
    const [partner] = await load()
    expect(partner?.id).toBe('CN-GACC')
    expect(partner?.keyrings.live?.tlsPins).toEqual([china.pin])
    expect(partner?.keyrings.test?.mode).toBe('test')
  })
})

describe('a known partner', () => {
  test('refuses a card with another root', async () => {
    const other = { ...stranger.card, administration: 'CN-GACC' }
    const keysets = {
      test: signKeyset(keysetPayload('CN-GACC', 'test'), stranger.root),
      live: signKeyset(keysetPayload('CN-GACC', 'live'), stranger.root),
    }
    expect(await add({ ...other, keysets })).toBe('exchange/partner-exists')
  })

  test('takes a newer keyset and a new address, and stays approved', async () => {
    expect(await add({ ...cardWith({ number: 2 }), endpoint: 'https://cn.example:9443' })).toBe('added')
    const [partner] = await load()
    expect(partner?.endpoint).toBe('https://cn.example:9443')
    expect(partner?.keyrings.live?.number).toBe(2)
    expect(partner?.keyrings.test?.number).toBe(1)
  })

  test('refuses an older keyset', async () => {
    expect(await add(china.card)).toBe('exchange/keyset-rolled-back')
    expect((await load())[0]?.endpoint).toBe('https://cn.example:9443')
  })

  test('refuses another keyset under a number it holds', async () => {
    expect(await add(cardWith({ number: 2, iat: 1 }))).toBe('exchange/keyset-conflict')
  })

  test('takes the same keyset, signed again, for the same', async () => {
    expect(await add(cardWith({ number: 2 }))).toBe('added')
  })

  test('loses a mode whose stored keyset its root did not sign', async () => {
    const forged = signKeyset(keysetPayload('CN-GACC', 'live', { number: 3 }), kazakhstan.root)
    await asTest(testDatabase.database, (tx) =>
      sql`insert into exchange.keyset (partner, mode, number, keyset) values ('CN-GACC', 'live', 3, ${forged})`.execute(
        tx,
      ),
    )
    const [partner] = await load()
    expect(partner?.keyrings.live).toBeUndefined()
    expect(partner?.keyrings.test?.number).toBe(1)
  })

  test('is nobody once it is revoked', async () => {
    await asTest(testDatabase.database, (tx) => sql`update exchange.partner set state = 'revoked'`.execute(tx))
    expect(await load()).toEqual([])
  })
})

test('keeps keysets for good: the node cannot change or remove one', async () => {
  const attempt = (statement: string) => asTest(testDatabase.database, (tx) => sql.raw(statement).execute(tx))
  await expect(attempt('update exchange.keyset set number = 9')).rejects.toThrow(/permission denied/)
  await expect(attempt('delete from exchange.keyset')).rejects.toThrow(/permission denied/)
})
