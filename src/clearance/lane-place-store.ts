/** Where a message stands in its lane, against the one whose content is shown. */
import { sql } from 'kysely'
import type { MessagePayload, Mode } from '../exchange/index.ts'
import type { AdministrationId } from '../kernel/index.ts'
import type { Transaction } from '../platform/db/index.ts'

/** One message that was received, as a store that keeps its content names it. */
export interface ReceivedFrom {
  readonly partner: AdministrationId
  readonly mode: Mode
  readonly message: string
  readonly place: Pick<MessagePayload, 'lane' | 'epoch' | 'seq'>
  readonly now: Date
}

/**
 * Whether a message stands behind the one that is shown already: an older one that arrives later changes nothing that is
 * shown. Messages of two lanes have no order but that of arrival.
 */
export async function isBehind(tx: Transaction, received: ReceivedFrom, shown: string | null): Promise<boolean> {
  if (shown === null) return false
  const { partner, mode, place } = received
  const { rows } = await sql`
    select 1 from exchange.inbound where id = ${shown} and partner = ${partner} and mode = ${mode}
      and lane = ${place.lane} and (epoch, seq) > (${place.epoch}, ${place.seq})`.execute(tx)
  return rows.length > 0
}
