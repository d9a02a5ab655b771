import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { canonicalJson } from '../kernel/index.ts'
import { type ChainedEntry, type ChainHead, chainDigest, chainStart, decideChain, leafDigest } from './chain.ts'

function entriesAfter(head: ChainHead, count: number): ChainedEntry[] {
  const entries: ChainedEntry[] = []
  let { position, chain } = head
  for (let made = 0; made < count; made += 1) {
    position += 1
    const id = `id-${position}`
    const at = '2026-11-22T03:00:00.000Z'
    const events = [{ type: 'node.started', subject: `s-${position}`, facts: {} }]
    const content = canonicalJson({ id, at, actor: 'a', purpose: 'p', events })
    const salt = new Uint8Array(16).fill(position)
    const leaf = leafDigest(salt, content)
    chain = chainDigest(chain, leaf)
    entries.push({ position, id, at, salt, subjects: [`s-${position}`], content, leaf, chain })
  }
  return entries
}

const broken = (position: number, found: string) => ({
  ok: false,
  refusal: { code: 'audit/chain-broken', position, found },
})

/** The entries with one of them changed. */
function changed(entries: readonly ChainedEntry[], index: number, change: Partial<ChainedEntry>): ChainedEntry[] {
  return entries.map((entry, at) => (at === index ? { ...entry, ...change } : entry))
}

describe('decideChain', () => {
  const five = entriesAfter(chainStart, 5)

  test('admits an unbroken chain and gives its head', () => {
    expect(decideChain(chainStart, five)).toEqual({ ok: true, value: { position: 5, chain: five[4]?.chain } })
  })

  test('admits the second half after the head of the first', () => {
    const head = decideChain(chainStart, five.slice(0, 2))
    expect(head.ok && decideChain(head.value, five.slice(2))).toMatchObject({ ok: true, value: { position: 5 } })
  })

  test('changes nothing when there is nothing', () => {
    expect(decideChain(chainStart, [])).toEqual({ ok: true, value: chainStart })
  })

  test('refuses a missing entry at the first place it misses', () => {
    expect(decideChain(chainStart, five.toSpliced(2, 1))).toEqual(broken(3, 'gap'))
  })

  test('refuses entries in another order', () => {
    expect(decideChain(chainStart, [five[1], five[0]] as ChainedEntry[])).toEqual(broken(1, 'gap'))
  })

  test('refuses a changed content, a changed salt and a changed leaf', () => {
    const content = (five[2]?.content ?? '').replace('"p"', '"q"')
    expect(decideChain(chainStart, changed(five, 2, { content }))).toEqual(broken(3, 'leaf'))
    expect(decideChain(chainStart, changed(five, 2, { salt: new Uint8Array(16) }))).toEqual(broken(3, 'leaf'))
    expect(decideChain(chainStart, changed(five, 2, { leaf: new Uint8Array(32) }))).toEqual(broken(3, 'leaf'))
  })

  test('refuses an entry rewritten with its own leaf, at that entry', () => {
    const content = (five[2]?.content ?? '').replace('"p"', '"q"')
    const leaf = leafDigest(five[2]?.salt ?? new Uint8Array(), content)
    expect(decideChain(chainStart, changed(five, 2, { content, leaf }))).toEqual(broken(3, 'chain'))
  })

  test('refuses a chain rewritten from an entry on, for one who kept the true head', () => {
    const kept = { position: 2, chain: five[1]?.chain ?? new Uint8Array() }
    const rewritten = entriesAfter({ position: 1, chain: new Uint8Array(32).fill(9) }, 4)
    expect(decideChain(kept, rewritten.slice(1))).toEqual(broken(3, 'chain'))
  })

  test.each([{ subjects: ['other'] }, { id: 'other' }, { at: '2026-11-22T03:00:00.001Z' }])(
    'refuses columns that say otherwise than the content: %o',
    (change) => {
      expect(decideChain(chainStart, changed(five, 3, change))).toEqual(broken(4, 'columns'))
    },
  )

  test('finds any single flipped byte of any digest or salt', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 4 }),
        fc.constantFrom('salt', 'leaf', 'chain'),
        fc.nat(15),
        fc.integer({ min: 1, max: 255 }),
        (index, field, byte, flip) => {
          const bytes = Uint8Array.from(five[index]?.[field as 'salt'] ?? [])
          bytes[byte] = (bytes[byte] ?? 0) ^ flip
          const decision = decideChain(chainStart, changed(five, index, { [field]: bytes }))
          expect(decision).toMatchObject({ ok: false, refusal: { position: index + 1 } })
        },
      ),
    )
  })
})
