import { setTimeout as sleep } from 'node:timers/promises'
import { type Database, faultOf } from '../platform/db/index.ts'
import { numberEntries } from './store.ts'

export interface Sequencer {
  /** Ends after the step under way. */
  stop(): Promise<void>
}

const ENTRIES_PER_STEP_MAX = 2000
const IDLE_MS = 200
const AFTER_FAULT_MS = 1000

/**
 * Numbers committed entries, several times a second, for as long as the process runs.
 *
 * Why: every process of a node runs one; an advisory lock lets one of them work at a time, and the next takes over
 * when it ends.
 * @param onFault told of each step that failed; the sequencer goes on
 */
export function startSequencer(database: Database, onFault: (error: unknown) => void): Sequencer {
  const stopping = new AbortController()
  const pause = (milliseconds: number) =>
    sleep(milliseconds, undefined, { signal: stopping.signal }).catch(() => undefined)
  const run = async () => {
    while (!stopping.signal.aborted) {
      try {
        const numbered = await numberEntries(database, ENTRIES_PER_STEP_MAX)
        if (numbered !== ENTRIES_PER_STEP_MAX) await pause(IDLE_MS)
      } catch (error) {
        onFault(faultOf(error))
        await pause(AFTER_FAULT_MS)
      }
    }
  }
  const done = run()
  return {
    stop: () => {
      stopping.abort()
      return done
    },
  }
}
