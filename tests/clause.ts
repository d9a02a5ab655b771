import { fileURLToPath } from 'node:url'
import { type TestFunction, test } from 'vitest'
import type { ClauseRef } from '../src/kernel/index.ts'
import { readTreaties } from '../src/law/index.ts'

const law = readTreaties(fileURLToPath(new URL('../treaties', import.meta.url)))

/**
 * Writes a test that proves one or more clauses; `npm run clauses` counts it for each of them.
 *
 * Why: the tag is a claim about law, so one that names no clause fails at once. Write references and titles out in
 * place: the ledger reads them from the source.
 * @param refs such as `STOP-2021/2.3-r1`, or several
 * @throws Fault `law/clause-unknown`
 */
export function clause(refs: ClauseRef | readonly ClauseRef[], title: string, run: TestFunction): void {
  const ids = [refs].flat().map((ref) => law.clause(ref).id)
  test(`[${ids.join(', ')}] ${title}`, run)
}
