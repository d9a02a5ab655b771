/** The line between two nodes, with the ways in which a line can fail: bytes pass, or some of them do not. */
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

/**
 * `up`: everything passes. `cut`: nobody gets through, and who was is thrown out. `silent`: connections open and nothing
 * passes, as behind a dead router. `answers-lost`: requests pass and what is answered to them does not.
 */
export type LineState = 'up' | 'cut' | 'silent' | 'answers-lost'

/** A client that sent this much is past the handshake, and what comes back to it is an answer. */
const handshakeBytesMax = 4096

/** A connection whose answer was swallowed breaks this long after, when the request was surely dealt with. */
const swallowMs = 200

export interface Line {
  readonly port: number
  /** Where the line leads; another node's port takes the place of the one behind it. */
  leadTo(port: (() => number) | number): void
  set(state: LineState): void
  cut(): void
  restore(): void
  close(): Promise<void>
}

/** Listens on a free port of the loopback and leads to the port behind it. */
export async function openLine(target: () => number): Promise<Line> {
  let state: LineState = 'up'
  let lead: () => number = target
  const open = new Set<Socket>()
  const keep = (socket: Socket): void => {
    open.add(socket)
    socket.on('close', () => open.delete(socket))
    socket.on('error', () => socket.destroy())
  }
  const server = createServer((incoming) => {
    keep(incoming)
    if (state === 'cut') {
      incoming.destroy()
      return
    }
    const outgoing = connect(lead(), '127.0.0.1')
    keep(outgoing)
    let sentBytes = 0
    incoming.on('data', (chunk: Buffer) => {
      sentBytes += chunk.length
      if (state !== 'silent') outgoing.write(chunk)
    })
    outgoing.on('data', (chunk: Buffer) => {
      if (state === 'answers-lost' && sentBytes > handshakeBytesMax) setTimeout(() => incoming.destroy(), swallowMs)
      else if (state !== 'silent') incoming.write(chunk)
    })
    incoming.on('close', () => outgoing.end())
    outgoing.on('close', () => incoming.destroy())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const dropAll = (): void => {
    for (const socket of open) socket.destroy()
  }
  const set = (wanted: LineState): void => {
    state = wanted
    if (wanted === 'cut') dropAll()
  }
  return {
    port: (server.address() as AddressInfo).port,
    leadTo: (port) => {
      lead = typeof port === 'number' ? () => port : port
      dropAll()
    },
    set,
    cut: () => set('cut'),
    restore: () => {
      // What stood on a silent line is dead at both ends.
      if (state === 'silent') dropAll()
      set('up')
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        dropAll()
      }),
  }
}
