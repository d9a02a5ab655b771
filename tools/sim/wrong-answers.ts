import type { AnswerResult } from '../../src/exchange/link-request.ts'
import type { Random } from './random.ts'

/**
 * Spoils results before the partner signs them, as faulty software of the partner would: each is one a sender must not
 * believe. What a partner truthfully stored is never made a final refusal here that quotes the right digest.
 */
export function spoilResults(random: Random, results: readonly AnswerResult[]): readonly AnswerResult[] {
  if (results.length === 0) return [{ index: 0, outcome: 'RECEIVED' }]
  const at = random.integer(0, results.length - 1)
  const other = results[random.integer(0, results.length - 1)]!
  const spoil = random.pick<(result: AnswerResult) => readonly AnswerResult[]>([
    () => [],
    (result) => [{ ...result, index: 499 }],
    (result) => [{ ...result, outcome: 'ASK_TOMORROW' }],
    ({ receipt: _, ...result }) => [{ ...result, outcome: 'RECEIVED' }],
    (result) => [
      { ...result, outcome: 'RECEIVED', receipt: other.index === at ? 'a.b.c' : (other.receipt ?? 'a.b.c') },
    ],
    (result) => [{ ...result, outcome: 'RECEIVED', receipt: unsigned(result.receipt) }],
    ({ digest: _, ...result }) => [{ ...result, outcome: 'TYPE_UNKNOWN' }],
    (result) => [{ ...result, outcome: 'SIGNATURE_INVALID', digest: 'A'.repeat(43) }],
  ])
  return results.flatMap((result, index) => (index === at ? spoil(result) : [result]))
}

/** The receipt with a signature by nobody. */
function unsigned(receipt: string | undefined): string {
  const [header = 'a', payload = 'b'] = (receipt ?? '').split('.')
  return `${header}.${payload}.${Buffer.alloc(64, 1).toString('base64url')}`
}
