/** Plays trains through both nodes: a train is done when each of its clearances is recorded as ACCEPTED at the sender. */
import { assert } from '../../src/kernel/index.ts'
import { trainLength } from './declarations.ts'
import { BooksWatch, type Rig } from './rig.ts'

const accepted = {
  name: 'bench/accepted',
  text: `select subject as key from exchange.outbound where subject = any($1::uuid[]) and answer = 'accepted'`,
}
const intervalMs = 20

export interface Played {
  readonly clearances: number
  readonly seconds: number
  /** The declarations of the train that came last, as the sender's books name them. */
  readonly lastTrain: readonly string[]
}

/**
 * Keeps a number of trains on their way until all are through.
 * @param next gives the next train, or nothing when all were given
 * @param inFlight how many trains are on their way at once
 */
export async function playTrains(
  rig: Rig,
  next: () => string | undefined,
  inFlight: number,
  onTrain?: (clearances: number) => void,
): Promise<Played> {
  const watch = await BooksWatch.open(rig.sender, accepted, intervalMs)
  let clearances = 0
  let lastTrain: readonly string[] = []
  const startedAt = performance.now()
  let endedAt = startedAt
  const track = async (): Promise<void> => {
    for (let train = next(); train !== undefined; train = next()) {
      const { taken, results } = await rig.submit(train)
      const keys = results.flatMap(({ about, problems }) => (about && problems.length === 0 ? [about] : []))
      assert(
        taken === trainLength && keys.length === trainLength,
        'a train of the measurement is taken without a warning',
      )
      const last = keys.at(-1)
      assert(last, 'a train has a last clearance')
      // The last one is nearly always the last to be answered, and then all of them are there at one more look.
      await watch.found(last)
      const seen = await Promise.all(keys.map((key) => watch.found(key)))
      endedAt = Math.max(endedAt, ...seen)
      clearances += keys.length
      lastTrain = keys
      onTrain?.(clearances)
    }
  }
  try {
    await Promise.all(Array.from({ length: inFlight }, track))
  } finally {
    await watch.close()
  }
  return { clearances, seconds: (endedAt - startedAt) / 1000, lastTrain }
}

/** Gives a number of trains one after another. */
export function trains(count: number, make: () => string): () => string | undefined {
  let given = 0
  return () => {
    if (given === count) return undefined
    given += 1
    return make()
  }
}
