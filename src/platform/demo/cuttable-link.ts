/** The line between two nodes, as a demonstration can cut it: bytes pass or they do not. */

import type { AddressInfo } from 'node:net'
import { connect, createServer, type Server, type Socket } from 'node:net'

export interface CuttableLink {
  readonly port: number
  /** How many bytes have passed so far, in both directions together. */
  carriedBytes(): number
  cut(): void
  restore(): void
  close(): Promise<void>
}

/** Listens on a free port of the loopback and passes everything on, unread, to the port behind it. */
export async function openLink(targetPort: () => number): Promise<CuttableLink> {
  let up = true
  let carried = 0
  const open = new Set<Socket>()
  const keep = (socket: Socket): void => {
    open.add(socket)
    socket.on('close', () => open.delete(socket))
    socket.on('error', () => socket.destroy())
  }
  const server: Server = createServer((incoming) => {
    keep(incoming)
    if (!up) {
      incoming.destroy()
      return
    }
    const outgoing = connect(targetPort(), '127.0.0.1')
    keep(outgoing)
    incoming.pipe(outgoing).pipe(incoming)
    for (const socket of [incoming, outgoing])
      socket.on('data', (chunk: Buffer) => {
        carried += chunk.length
      })
    incoming.on('close', () => outgoing.destroy())
    outgoing.on('close', () => incoming.destroy())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const dropAll = (): void => {
    for (const socket of open) socket.destroy()
  }
  return {
    port: (server.address() as AddressInfo).port,
    carriedBytes: () => carried,
    cut: () => {
      up = false
      dropAll()
    },
    restore: () => {
      up = true
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        dropAll()
      }),
  }
}
