/** What a task waits for: it is handed the way to go on, and uses it once. */
export type Pause = (wake: Wake) => void
/** A task as it is written: it runs without interruption between two pauses, like a process between two system calls. */
export type Work<Value = void> = Generator<Pause, Value, unknown>

export interface Wake {
  resume(value?: unknown): void
  fail(error: unknown): void
}

interface Event {
  readonly at: number
  readonly order: number
  readonly run: () => void
}

/** Virtual time: events run one after another in order of their instant, and nothing happens in between. */
export class Timeline {
  now: number
  private readonly heap: Event[] = []
  private order = 0

  constructor(start: number) {
    this.now = start
  }

  at(instant: number, run: () => void): void {
    const event = { at: Math.max(instant, this.now), order: this.order++, run }
    const { heap } = this
    let index = heap.push(event) - 1
    while (index > 0) {
      const parent = (index - 1) >> 1
      if (!before(event, heap[parent]!)) break
      heap[index] = heap[parent]!
      index = parent
    }
    heap[index] = event
  }

  after(milliseconds: number, run: () => void): void {
    this.at(this.now + milliseconds, run)
  }

  /** Runs the next event. @returns false when there is none */
  step(): boolean {
    const { heap } = this
    const first = heap[0]
    const last = heap.pop()
    if (!first || !last) return false
    if (heap.length > 0) {
      let index = 0
      for (;;) {
        let child = 2 * index + 1
        if (child >= heap.length) break
        if (child + 1 < heap.length && before(heap[child + 1]!, heap[child]!)) child += 1
        if (!before(heap[child]!, last)) break
        heap[index] = heap[child]!
        index = child
      }
      heap[index] = last
    }
    this.now = first.at
    first.run()
    return true
  }
}

function before(a: Event, b: Event): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order)
}

/** How a task ended: with a value, with an error of its own, or because its process died. */
export type Ending<Value> =
  | { readonly kind: 'done'; readonly value: Value }
  | { readonly kind: 'failed'; readonly error: unknown }
  | { readonly kind: 'stopped' }

class Task<Value> {
  private turn = 0
  private ended = false
  private readonly work: Work<Value>
  private readonly end: (ending: Ending<Value>) => void

  constructor(work: Work<Value>, end: (ending: Ending<Value>) => void) {
    this.work = work
    this.end = end
  }

  advance(step: () => IteratorResult<Pause, Value>): void {
    if (this.ended) return
    let result: IteratorResult<Pause, Value>
    try {
      result = step()
    } catch (error) {
      this.finish({ kind: 'failed', error })
      return
    }
    if (result.done) {
      this.finish({ kind: 'done', value: result.value })
      return
    }
    this.turn += 1
    const mine = this.turn
    result.value({
      resume: (value) => mine === this.turn && this.advance(() => this.work.next(value)),
      fail: (error) => mine === this.turn && this.advance(() => this.work.throw(error)),
    })
  }

  start(): void {
    this.advance(() => this.work.next())
  }

  stop(): void {
    if (this.ended) return
    this.ended = true
    // Runs the `finally` blocks: an open transaction rolls back and its locks are free.
    this.work.return(undefined as never)
    this.end({ kind: 'stopped' })
  }

  private finish(ending: Ending<Value>): void {
    this.ended = true
    this.end(ending)
  }
}

/** One operating-system process of a node: what it was doing dies with it, what it committed does not. */
export class Process {
  readonly name: string
  up = true
  private readonly tasks = new Set<{ stop(): void }>()

  constructor(name: string) {
    this.name = name
  }

  get busy(): boolean {
    return this.tasks.size > 0
  }

  run<Value>(work: Work<Value>, end: (ending: Ending<Value>) => void): void {
    const task = new Task(work, (ending) => {
      this.tasks.delete(task)
      end(ending)
    })
    this.tasks.add(task)
    task.start()
  }

  crash(): void {
    this.up = false
    for (const task of [...this.tasks]) task.stop()
  }
}
