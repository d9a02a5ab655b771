import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { createServer as createTcpServer, type Server as TcpServer } from 'node:net'
import { createServer as createTlsServer, type TLSSocket, type TlsOptions } from 'node:tls'
import { gzipSync } from 'node:zlib'
import { afterEach, describe, expect, test } from 'vitest'
import { makeExpiredTlsKey, makeTlsKey, type TlsKey } from '../../../tests/builders/tls.ts'
import { openPeerServer, PeerClient } from './index.ts'

const home = await makeTlsKey()
const partner = await makeTlsKey()

const closers: Array<() => void> = []
afterEach(() => {
  for (const close of closers.splice(0)) close()
})

/** A server that says what a test tells it to, and counts what it was told. */
async function fakePeer(
  key: TlsKey,
  speak: (socket: TLSSocket, bytesSoFar: number) => void,
  options: TlsOptions = {},
): Promise<{ endpoint: string; heard: () => number; connections: () => number; sockets: TLSSocket[] }> {
  let heard = 0
  let connections = 0
  const sockets: TLSSocket[] = []
  const server = createTlsServer({ ...key, requestCert: true, rejectUnauthorized: false, ...options }, (socket) => {
    sockets.push(socket)
    socket.on('error', () => {})
    let mine = 0
    socket.on('data', (chunk: Buffer) => {
      heard += chunk.length
      mine += chunk.length
      speak(socket, mine)
    })
  })
  server.on('tlsClientError', () => {})
  server.on('connection', () => {
    connections += 1
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  closers.push(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return {
    endpoint: `https://127.0.0.1:${(server.address() as AddressInfo).port}`,
    heard: () => heard,
    connections: () => connections,
    sockets,
  }
}

function client(timeoutSeconds = 5): PeerClient {
  const made = new PeerClient(home, timeoutSeconds)
  closers.push(() => made.close())
  return made
}

const unreachable = { code: 'exchange/peer-unreachable', retryable: true }
const say = (text: string | Buffer) => (socket: TLSSocket) => void socket.write(text)
const post = (endpoint: string, pins: readonly string[], body = 'x'.repeat(1000), timeoutSeconds = 5) =>
  client(timeoutSeconds).post({ endpoint, pins }, '/exchange/v1/frames', body)

describe('whom the client speaks to', () => {
  test('writes no byte to a server that holds another key', async () => {
    const { endpoint, heard, connections } = await fakePeer(await makeTlsKey(), () => {})
    await expect(post(endpoint, [partner.pin])).rejects.toMatchObject({ code: 'exchange/peer-not-pinned' })
    await expect(post(endpoint, [])).rejects.toMatchObject({ code: 'exchange/peer-not-pinned' })
    expect(connections()).toBe(2)
    expect(heard()).toBe(0)
  })

  test('speaks to a pinned key whose certificate ended', async () => {
    const old = await makeExpiredTlsKey()
    const { endpoint } = await fakePeer(old, say('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok'))
    expect(await post(endpoint, [old.pin])).toMatchObject({ status: 200, body: 'ok' })
  })

  test('refuses TLS 1.2', async () => {
    const { endpoint, heard } = await fakePeer(partner, () => {}, { maxVersion: 'TLSv1.2' })
    await expect(post(endpoint, [partner.pin])).rejects.toMatchObject(unreachable)
    expect(heard()).toBe(0)
  })

  test('compares the key anew after the partner published another', async () => {
    const { endpoint } = await fakePeer(partner, say('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok'))
    const one = client()
    await one.post({ endpoint, pins: [partner.pin] }, '/', '')
    await expect(one.post({ endpoint, pins: [(await makeTlsKey()).pin] }, '/', '')).rejects.toMatchObject({
      code: 'exchange/peer-not-pinned',
    })
  })
})

describe('answers that are no answer', () => {
  test.each([
    ['a redirect', 'HTTP/1.1 302 Found\r\nlocation: https://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n', 302, ''],
    ['a page', 'HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 6\r\n\r\n<html>', 200, '<html>'],
    ['a gateway’s refusal', 'HTTP/1.1 502 Bad Gateway\r\ncontent-length: 0\r\n\r\n', 502, ''],
  ])('gives %s back as it is and follows nothing', async (_what, said, status, body) => {
    const { endpoint, sockets } = await fakePeer(partner, say(said))
    expect(await post(endpoint, [partner.pin])).toMatchObject({ status, body })
    expect(sockets.length).toBe(1)
  })

  test('does not unpack a compressed answer', async () => {
    const packed = gzipSync(Buffer.alloc(10 * 1024 * 1024))
    const { endpoint } = await fakePeer(
      partner,
      say(
        Buffer.concat([
          Buffer.from(`HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: ${packed.length}\r\n\r\n`),
          packed,
        ]),
      ),
    )
    const { body } = await post(endpoint, [partner.pin])
    expect(body.length).toBeLessThanOrEqual(packed.length)
  })

  test.each([
    ['a time that is far too long', '99999999', 86_400],
    ['a date', 'Wed, 21 Oct 2099 07:28:00 GMT', undefined],
    ['a negative time', '-5', undefined],
  ])('bounds Retry-After: %s', async (_what, after, seconds) => {
    const said = `HTTP/1.1 503 x\r\nretry-after: ${after}\r\ncontent-length: 0\r\n\r\n`
    const { endpoint } = await fakePeer(partner, say(said))
    expect((await post(endpoint, [partner.pin])).retryAfterSeconds).toBe(seconds)
  })
})

describe('connections that fail', () => {
  test.each([
    ['a truncated answer', (socket: TLSSocket) => socket.end('HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf')],
    [
      'a truncated chunk',
      (socket: TLSSocket) => socket.end('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nff\r\nhalf'),
    ],
    [
      'a connection that breaks in the answer',
      (socket: TLSSocket) => socket.write('HTTP/1.1 200 OK\r\nconte', () => socket.destroy()),
    ],
    ['an answer that is no HTTP', (socket: TLSSocket) => socket.end('+OK POP3 ready\r\n')],
    ['headers without end', (socket: TLSSocket) => socket.write(`HTTP/1.1 200 OK\r\nx: ${'a'.repeat(200_000)}`)],
  ])('reports %s as unreachable, to be tried again', async (_what, speak) => {
    const { endpoint } = await fakePeer(partner, (socket) => void speak(socket))
    await expect(post(endpoint, [partner.pin])).rejects.toMatchObject(unreachable)
  })

  test('stops reading an answer that does not end', async () => {
    let written = 0
    const { endpoint } = await fakePeer(partner, (socket) => {
      socket.write('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nfffffff\r\n')
      const pour = (): void => {
        while (socket.writable && written < 100 * 1024 * 1024) {
          written += 256 * 1024
          if (!socket.write(Buffer.alloc(256 * 1024))) return void socket.once('drain', pour)
        }
      }
      pour()
    })
    await expect(post(endpoint, [partner.pin])).rejects.toMatchObject(unreachable)
    expect(written).toBeLessThan(40 * 1024 * 1024)
  })

  test.each([
    ['never answers', (_socket: TLSSocket) => {}],
    ['answers a byte a second', (socket: TLSSocket) => socket.write('H')],
  ])('gives a partner up that %s', async (_what, speak) => {
    const { endpoint } = await fakePeer(partner, (socket) => void speak(socket))
    const began = Date.now()
    await expect(post(endpoint, [partner.pin], '', 0.5)).rejects.toMatchObject(unreachable)
    expect(Date.now() - began).toBeLessThan(3000)
  })

  test('gives a host up that accepts and never begins its handshake', async () => {
    const server: TcpServer = createTcpServer(() => {})
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    closers.push(() => server.close())
    const endpoint = `https://127.0.0.1:${(server.address() as AddressInfo).port}`
    await expect(post(endpoint, [partner.pin], '', 0.5)).rejects.toMatchObject(unreachable)
  })

  test('reports a partner that does not listen as unreachable', async () => {
    await expect(post('https://127.0.0.1:1', [partner.pin])).rejects.toMatchObject(unreachable)
  })

  test('goes on over a new connection when the kept one went with the partner’s restart', async () => {
    const limits = {
      bodyBytesMax: 1000,
      requestSecondsMax: 5,
      connectionsMax: 10,
      strangersMax: 5,
      requestsPerPeerMax: 5,
    }
    const start = (port: number) =>
      openPeerServer(partner, { host: '127.0.0.1', port }, limits, {
        knows: async () => true,
        refused: () => {},
        answer: async () => ({ status: 200, contentType: 'text/plain', body: 'ok' }),
      })
    const one = client()
    let server = await start(0)
    const { port } = server
    const send = () => one.post({ endpoint: `https://127.0.0.1:${port}`, pins: [partner.pin] }, '/', 'x')
    for (let restarts = 0; restarts < 5; restarts += 1) {
      expect((await send()).status).toBe(200)
      server.breakOff()
      // Sent before this side has learnt that its connection is gone.
      const racing = send()
      await server.close()
      server = await start(port)
      const late = await racing.then(
        ({ status }) => status,
        (error: unknown) => error,
      )
      expect([200, expect.objectContaining(unreachable)]).toContainEqual(late)
    }
    expect((await send()).status).toBe(200)
    await server.close()
  })

  test('sends once more when a kept connection turns out to be dead', async () => {
    const { endpoint, sockets } = await fakePeer(partner, (socket, bytes) => {
      // The first connection answers once and dies at the second request, as one does whose server was restarted.
      if (socket !== sockets[0] || bytes < 400) socket.write('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok')
      else socket.destroy()
    })
    const one = client()
    const send = () => one.post({ endpoint, pins: [partner.pin] }, '/exchange/v1/frames', 'x'.repeat(150))
    expect((await send()).status).toBe(200)
    expect((await send()).status).toBe(200)
    expect(sockets.length).toBe(2)
  })
})
