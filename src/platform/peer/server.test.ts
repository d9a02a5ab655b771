import { once } from 'node:events'
import { connect as connectTcp, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { connect as connectTlsRaw } from 'node:tls'
import { afterEach, describe, expect, test } from 'vitest'
import { connectTls, hear, makeExpiredTlsKey, makeTlsKey, type TlsKey } from '../../../tests/builders/tls.ts'
import { openPeerServer, PeerClient, type PeerRequest, type PeerResponse, type PeerServer } from './index.ts'

const home = await makeTlsKey()
const partner = await makeTlsKey()
const stranger = await makeTlsKey()
const limits = {
  bodyBytesMax: 64 * 1024,
  requestSecondsMax: 1,
  connectionsMax: 40,
  strangersMax: 10,
  requestsPerPeerMax: 4,
}

const open: PeerServer[] = []
afterEach(async () => {
  for (const server of open.splice(0)) {
    server.breakOff()
    await server.close()
  }
})

async function serve(
  answer: (request: PeerRequest) => Promise<PeerResponse> = async ({ body }) => ({
    status: 200,
    contentType: 'application/jose',
    body: `${body.length}`,
  }),
  known: readonly TlsKey[] = [partner],
): Promise<{ port: number; seen: PeerRequest[] }> {
  const seen: PeerRequest[] = []
  const server = await openPeerServer(home, { host: '127.0.0.1', port: 0 }, limits, {
    knows: async (pin) => known.some((each) => each.pin === pin),
    refused: () => {},
    answer: (request) => {
      seen.push(request)
      return answer(request)
    },
  })
  open.push(server)
  return { port: server.port, seen }
}

const head = (length: number | string, rest = ''): string =>
  `POST /exchange/v1/frames HTTP/1.1\r\nhost: x\r\ncontent-length: ${length}\r\n${rest}\r\n`

describe('whom the server lets speak', () => {
  test('refuses TLS 1.2', async () => {
    const { port } = await serve()
    const socket = connectTlsRaw({
      host: '127.0.0.1',
      port,
      ...partner,
      rejectUnauthorized: false,
      maxVersion: 'TLSv1.2',
    })
    const [error] = (await once(socket, 'error')) as [NodeJS.ErrnoException]
    expect(error.code).toMatch(/PROTOCOL_VERSION|ECONNRESET/)
  })

  test('admits a pinned key whose certificate ended: the key counts, never the dates', async () => {
    const old = await makeExpiredTlsKey()
    const { port, seen } = await serve(undefined, [old])
    const socket = await connectTls(port, old)
    socket.write(`${head(2)}{}`)
    expect(await hear(socket, 300)).toMatch(/^HTTP\/1\.1 200 /)
    expect(seen.map(({ peerPin }) => peerPin)).toEqual([old.pin])
  })

  test.each([
    ['no certificate', undefined],
    ['another key', stranger],
  ])('refuses %s before the body has come, and keeps nothing of it', async (_what, key) => {
    const { port, seen } = await serve()
    const socket = await connectTls(port, key)
    socket.write(head(60_000))
    const heard = await hear(socket, 300)
    expect(heard).toMatch(/^HTTP\/1\.1 403 /)
    expect(heard).toContain('"code":"exchange/peer-unknown"')
    expect(seen).toEqual([])
  })
})

describe('what the server refuses', () => {
  test.each([
    ['GET', 405, 'exchange/request-invalid', 'GET / HTTP/1.1\r\nhost: x\r\n\r\n'],
    ['PUT with a body', 405, 'exchange/request-invalid', `${head(9).replace('POST', 'PUT')}123456789`],
    ['a length over the limit', 413, 'exchange/frame-too-large', head(limits.bodyBytesMax + 1)],
    ['bytes that are no HTTP', 400, 'exchange/request-invalid', 'SSH-2.0-OpenSSH_9.6\r\n\r\n'],
    ['two lengths', 400, 'exchange/request-invalid', head(3, 'content-length: 5\r\n')],
    ['a length beside chunks', 400, 'exchange/request-invalid', head(3, 'transfer-encoding: chunked\r\n')],
    ['a header that never ends', 400, 'exchange/request-invalid', head(3, `x: ${'a'.repeat(20_000)}\r\n`)],
  ])('answers %s with %i %s', async (_what, status, code, sent) => {
    const { port, seen } = await serve()
    const socket = await connectTls(port, partner)
    socket.write(sent)
    const heard = await hear(socket, 300)
    expect(heard).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `))
    expect(heard).toContain(`"code":"${code}"`)
    expect(seen).toEqual([])
  })

  test.each([
    ['by its length', (bytes: number) => head(bytes)],
    [
      'in chunks',
      (bytes: number) => `POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n${bytes.toString(16)}\r\n`,
    ],
  ])('tells a sender who never stops that its body %s is too large', async (_what, header) => {
    const { port, seen } = await serve()
    const socket = await connectTls(port, partner)
    const heard = hear(socket)
    socket.write(header(200 * 1024 * 1024))
    const pour = setInterval(() => socket.writable && socket.write(Buffer.alloc(256 * 1024, 0x61)), 1)
    try {
      expect(await heard).toMatch(/^HTTP\/1\.1 413 [\s\S]*"exchange\/frame-too-large"/)
    } finally {
      clearInterval(pour)
      socket.destroy()
    }
    expect(seen).toEqual([])
  })

  test('gives the refusal to an ordinary client that is still sending', async () => {
    const { port } = await serve()
    const client = new PeerClient(partner, 5)
    const post = (body: string) =>
      client.post({ endpoint: `https://127.0.0.1:${port}`, pins: [home.pin] }, '/exchange/v1/frames', body)
    const answers = await Promise.all(Array.from({ length: 4 }, () => post('x'.repeat(3 * 1024 * 1024))))
    client.close()
    expect(answers.map(({ status }) => status)).toEqual([413, 413, 413, 413])
  })

  test('answers 503 when nothing could be stored, and serves the next request', async () => {
    let fails = true
    const { port } = await serve(async () => {
      if (fails) throw new Error('the database is away')
      return { status: 200, contentType: 'application/jose', body: 'stored' }
    })
    const socket = await connectTls(port, partner)
    socket.write(`${head(2)}{}`)
    await sleep(100)
    fails = false
    socket.write(`${head(2)}{}`)
    const heard = await hear(socket, 300)
    expect(heard).toMatch(
      /HTTP\/1\.1 503 [\s\S]*retry-after: 5[\s\S]*"exchange\/busy"[\s\S]*HTTP\/1\.1 200 [\s\S]*stored/,
    )
  })
})

describe('slow, half-open and greedy peers', () => {
  const closedWithin = async (socket: Socket, ms: number): Promise<boolean> =>
    await Promise.race([
      once(
        socket.resume().on('error', () => {}),
        'close',
      ).then(() => true),
      sleep(ms, false),
    ])

  test.each([
    ['headers', 'POST / HTTP/1.1\r\nhost: x\r\nx-'],
    ['a body', head(1000)],
  ])('cuts off a partner that sends %s a byte at a time', async (_what, start) => {
    const { port, seen } = await serve()
    const socket = await connectTls(port, partner)
    socket.write(start)
    const drip = setInterval(() => socket.writable && socket.write('a'), 50)
    try {
      expect(await closedWithin(socket, 4000)).toBe(true)
    } finally {
      clearInterval(drip)
      socket.destroy()
    }
    expect(seen).toEqual([])
  })

  test('ends a connection that never begins its handshake, and one that says nothing after it', async () => {
    const { port } = await serve()
    const silent = connectTcp(port, '127.0.0.1')
    const mute = await connectTls(port, stranger)
    expect(await Promise.all([closedWithin(silent, 4000), closedWithin(mute, 4000)])).toEqual([true, true])
  })

  test('keeps a place for the partner however many strangers hold connections open', async () => {
    const { port } = await serve()
    const crowd: Socket[] = []
    for (let index = 0; index < limits.connectionsMax * 2; index += 1) {
      const socket = connectTcp(port, '127.0.0.1')
      socket.on('error', () => {})
      crowd.push(socket)
      await once(socket, 'connect')
    }
    const socket = await connectTls(port, partner)
    socket.write(`${head(2)}{}`)
    expect(await hear(socket, 300)).toMatch(/^HTTP\/1\.1 200 /)
    for (const each of crowd) each.destroy()
  })

  test('takes few requests of one key at once and tells the others to come again', async () => {
    let release = (): void => {}
    const gate = new Promise<void>((resolve) => {
      release = resolve
    })
    const { port, seen } = await serve(async () => {
      await gate
      return { status: 200, contentType: 'application/jose', body: '' }
    })
    const sockets = await Promise.all(Array.from({ length: 6 }, () => connectTls(port, partner)))
    const answers = sockets.map((socket) => hear(socket, 500))
    for (const socket of sockets) socket.write(`${head(2)}{}`)
    await sleep(200)
    expect(seen.length).toBe(limits.requestsPerPeerMax)
    release()
    const statuses = (await Promise.all(answers)).map((text) => text.slice(9, 12)).sort()
    expect(statuses).toEqual(['200', '200', '200', '200', '503', '503'])
  })

  test('answers pipelined requests in their order, the surplus with 503', async () => {
    const { port } = await serve(async ({ body }) => {
      await sleep(Number(body))
      return { status: 200, contentType: 'application/jose', body: `waited ${body}` }
    })
    const socket = await connectTls(port, partner)
    socket.write(`${head(3)}200${head(3)}100${head(1)}0`)
    const heard = await hear(socket, 500)
    expect([...heard.matchAll(/waited (\d+)/g)].map(([, ms]) => ms)).toEqual(['200', '100', '0'])
    const flood = await connectTls(port, partner)
    flood.write(`${head(2)}10`.repeat(200))
    const statuses = [...(await hear(flood, 500)).matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => status)
    expect(statuses.filter((status) => status === '200').length).toBeLessThanOrEqual(limits.requestsPerPeerMax)
    expect(statuses).toContain('503')
  })

  test('stays whole when connections break in the middle of everything', async () => {
    const { port, seen } = await serve()
    for (let index = 0; index < 20; index += 1) {
      const socket = await connectTls(port, partner)
      socket.on('error', () => {})
      socket.write(head(1000).slice(0, 10 + index * 4))
      await sleep(1)
      socket.destroy()
    }
    const socket = await connectTls(port, partner)
    socket.write(`${head(2)}{}`)
    expect(await hear(socket, 300)).toMatch(/^HTTP\/1\.1 200 /)
    expect(seen.length).toBe(1)
  })
})
