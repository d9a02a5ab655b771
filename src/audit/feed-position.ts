import { accept, type Decision, refuse } from '../kernel/index.ts'

/** A place in the event feed: an entry's position in the record and the event's index in that entry. */
export interface FeedPosition {
  readonly position: number
  readonly index: number
}

export type FeedPositionRefusal = { readonly code: 'audit/position-invalid' }

/** Before everything. Reading "after" it gives the first event. */
export const feedStart: FeedPosition = { position: 0, index: 0 }

/** `17.2`: the third event of entry 17. The id of an event in the feed, and where to resume after it. */
export function writeFeedPosition({ position, index }: FeedPosition): string {
  return `${position}.${index}`
}

export function parseFeedPosition(text: string): Decision<FeedPosition, FeedPositionRefusal> {
  const match = /^(0|[1-9]\d{0,14})\.(0|[1-9]\d{0,5})$/.exec(text)
  if (!match) return refuse({ code: 'audit/position-invalid' as const })
  return accept({ position: Number(match[1]), index: Number(match[2]) })
}

/** Whether an event stands after a place. */
export function isAfter(at: FeedPosition, after: FeedPosition): boolean {
  return at.position > after.position || (at.position === after.position && at.index > after.index)
}
