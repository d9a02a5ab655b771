import { refusedRecord } from './read-record.ts'
import { joinKeys } from './reading-rows.ts'
import type { FoundRecord } from './record-reader.ts'

/** A record that was read, while rows of it may still come. */
interface Waiting {
  found: FoundRecord
  readonly bytes: number
  /** Undefined for a row that nobody can tell the record of. */
  readonly key: readonly string[] | undefined
}

const WAITING_MAX = 5000
/** How many records that went on are remembered at least, so that rows that come after them are known as theirs. */
const GONE_MIN = 50_000

/**
 * Lets the records of a table wait for rows of theirs that stand apart.
 *
 * Why: a table sorted by box instead of declaration has the rows of one record apart, and taking the first of them would
 * take it by half. So records go on when the table ends, or when too many wait; what has rows elsewhere is refused, as
 * far as it has not gone on. The same rows once more are only a repetition.
 */
export class WaitingRecords {
  private readonly bytesMax: number
  private queue: Waiting[] = []
  /** Where the queue begins: taking its head away each time would move all the others. */
  private head = 0
  /** By the first member of the key, which tells most records. */
  private readonly byName = new Map<string, Waiting[]>()
  private gone = new Set<string>()
  private goneBefore = new Set<string>()
  /** How many bytes of records wait. */
  bytes = 0

  constructor(bytesMax: number) {
    this.bytesMax = bytesMax
  }

  add(found: FoundRecord, key: readonly string[] | undefined): void {
    const next: Waiting = { found, bytes: found.bytes.bytes.length, key }
    this.queue.push(next)
    this.bytes += next.bytes
    if (key === undefined) return
    const name = key[0] ?? ''
    const same = this.byName.get(name) ?? []
    const other = same.find((one) => one.key && joinKeys(one.key, key) !== undefined)
    if (other !== undefined && !isRepeated(other.found, found)) {
      next.found = refusedAsApart(found, other.found.line)
      other.found = refusedAsApart(other.found, found.line)
    } else if (other === undefined && this.hasGone(nameOf(key))) next.found = refusedAsApart(found, undefined)
    this.byName.set(name, [...same, next])
  }

  /** What need not wait any longer; at the end of the table, all. */
  *goOn(isEnd: boolean): Generator<FoundRecord> {
    for (;;) {
      const next = this.queue[this.head]
      const tooMany = this.bytes > this.bytesMax || this.queue.length - this.head > WAITING_MAX
      if (next === undefined || !(isEnd || tooMany)) return
      this.head += 1
      if (this.head === WAITING_MAX) {
        this.queue = this.queue.slice(this.head)
        this.head = 0
      }
      this.bytes -= next.bytes
      if (next.key !== undefined) this.forget(next, next.key)
      yield next.found
    }
  }

  private forget(next: Waiting, key: readonly string[]): void {
    const name = key[0] ?? ''
    const others = (this.byName.get(name) ?? []).filter((one) => one !== next)
    if (others.length === 0) this.byName.delete(name)
    else this.byName.set(name, others)
    this.gone.add(nameOf(key))
    if (this.gone.size < GONE_MIN) return
    this.goneBefore = this.gone
    this.gone = new Set()
  }

  private hasGone(name: string): boolean {
    return this.gone.has(name) || this.goneBefore.has(name)
  }
}

/** Whether both read as one record, which then stands twice; a refused one is judged by its bytes. */
function isRepeated(a: FoundRecord, b: FoundRecord): boolean {
  if (a.read.record === undefined || b.read.record === undefined) return a.bytes.bytes.equals(b.bytes.bytes)
  return JSON.stringify(a.read.record) === JSON.stringify(b.read.record)
}

const nameOf = (key: readonly string[]): string => key.join('\t')

function refusedAsApart(found: FoundRecord, otherLine: number | undefined): FoundRecord {
  const facts = otherLine === undefined ? undefined : { otherLine }
  return { ...found, read: refusedRecord(found.read.format, 'intake/csv-rows-apart', facts) }
}
