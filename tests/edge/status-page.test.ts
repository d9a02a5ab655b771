/** The pages in a real browser, on a real node that has exchanged real samples. */
import { AxeBuilder } from '@axe-core/playwright'
import { sql } from 'kysely'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { changeChannelState } from '../../src/law/index.ts'
import { withActor } from '../../src/platform/db/index.ts'
import { agreementId } from '../../src/platform/node.ts'
import { openBrowser, type TestBrowser } from '../builders/browser.ts'
import { eventually, startNodes, type TwoTestNodes } from '../builders/node.ts'

let nodes: TwoTestNodes
let opened: TestBrowser

beforeAll(async () => {
  ;[nodes, opened] = await Promise.all([startNodes(), openBrowser()])
  await nodes.cn.submitFile('trains/t1/cn-declarations.ndjson')
  await nodes.cn.submitFile('trains/t1/cn-departure.json')
  await nodes.kz.submitFile('trains/t1/kz-list.csv')
  await nodes.kz.submitFile('broken/one-bad-line.ndjson')
  await nodes.settle()
})

afterAll(async () => {
  await opened?.close()
  await nodes?.close()
})

async function withPage<Result>(
  options: { readonly colorScheme?: 'light' | 'dark'; readonly locale?: string },
  work: (page: Page) => Promise<Result>,
): Promise<Result> {
  const context = await opened.browser.newContext({ locale: 'en-GB', ...options })
  try {
    return await work(await context.newPage())
  } finally {
    await context.close()
  }
}

const at = (path: string): string => new URL(path, nodes.kz.httpUrl).href
const newestMessage = async (): Promise<string> =>
  (await nodes.kz.get<{ items: { id: string }[] }>('/api/v1/messages?limit=1')).items[0]?.id ?? ''

describe('every page, in every language, light and dark', () => {
  const pages = {
    status: async () => '/',
    message: async () => `/messages/${await newestMessage()}`,
    'unknown message': async () => '/messages/00000000-0000-7000-8000-000000000000',
    'API pages': async () => '/api/v1/docs',
  }
  for (const [name, path] of Object.entries(pages))
    for (const language of ['en', 'ka'] as const)
      for (const colorScheme of ['light', 'dark'] as const)
        test(`the ${name} page has nothing that keeps people out (${language}, ${colorScheme})`, async () => {
          const violations = await withPage({ colorScheme }, async (page) => {
            await page.goto(at(`${await path()}?lang=${language}`))
            const { violations } = await new AxeBuilder({ page })
              .withTags(['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'])
              .analyze()
            return violations.map(({ id, nodes: found }) => `${id}: ${found.map(({ html }) => html).join(' | ')}`)
          })
          expect(violations).toEqual([])
        })
})

describe('the status page', () => {
  test('shows how the channel, the link, the trains and the intake stand', async () => {
    const text = await withPage({}, async (page) => {
      await page.goto(at('/'))
      return await page.locator('main').innerText()
    })
    expect(text).toContain('Status of the node KZ-KGD')
    expect(text).toContain('All are met: live, Technical Conditions 1.0.')
    expect(text).toMatch(/From 2027-02-04 the texts differ .*Clause STOP-2021\/9\.2-r2/s)
    expect(text).toMatch(/X8091\s+0001847/)
    expect(text).toMatch(/intake\/json-syntax\s+The record is not JSON\./)
  })

  test('shows no goods, no parties and no declaration numbers', async () => {
    const html = await (await fetch(at('/'))).text()
    const [row] = await nodes.kz.rows(
      sql<{ content: { parties: unknown; items: unknown; declaration: { id: string } } }>`
        select content from clearance.received_version limit 1`,
    )
    const words = JSON.stringify([row?.content.parties, row?.content.items])
      .split(/[^\p{L}\p{N}]+/u)
      .filter((word) => word.length > 5)
    expect(words.length).toBeGreaterThan(5)
    const [, body = ''] = html.split('<main')
    expect([row?.content.declaration.id ?? '', ...words].filter((word) => body.includes(word))).toEqual([])
  })

  test('speaks the language of the browser, and the one chosen from then on', async () => {
    const seen = await withPage({ locale: 'kk-KZ' }, async (page) => {
      await page.goto(at('/'))
      const browser = await page.locator('html').getAttribute('lang')
      await page.getByRole('link', { name: '中文' }).click()
      const chosen = await page.locator('html').getAttribute('lang')
      await page.locator('tbody a').first().click()
      return { browser, chosen, afterLink: await page.locator('html').getAttribute('lang') }
    })
    expect(seen).toEqual({ browser: 'kk', chosen: 'zh', afterLink: 'zh' })
  })

  test('gives times in the zone of the administration, with UTC beside them', async () => {
    const [shown, title, machine] = await withPage({}, async (page) => {
      await page.goto(at('/'))
      const time = page.locator('main time').first()
      return [await time.innerText(), await time.getAttribute('title'), await time.getAttribute('datetime')]
    })
    const local = new Date(machine ?? '').toLocaleString('sv-SE', { timeZone: 'Asia/Almaty' })
    expect([shown, title]).toEqual([local, `${machine?.slice(0, 19).replace('T', ' ')} UTC`])
  })

  test('can be reached and read by keyboard alone', async () => {
    const reached = await withPage({}, async (page) => {
      await page.goto(at('/'))
      await page.keyboard.press('Tab')
      const first = await page.locator(':focus').innerText()
      await page.keyboard.press('Enter')
      const landed = await page.locator(':focus').getAttribute('id')
      const seen = new Set<string>()
      for (let n = 0; n < 60; n += 1) {
        await page.keyboard.press('Tab')
        const focus = page.locator(':focus')
        if ((await focus.count()) === 0) break
        seen.add((await focus.getAttribute('href')) ?? (await focus.getAttribute('aria-label')) ?? '')
      }
      return { first, landed, seen }
    })
    expect([reached.first, reached.landed]).toEqual(['To the content', 'content'])
    expect([...reached.seen]).toEqual(
      expect.arrayContaining(['Link', 'Trains', `/messages/${await newestMessage()}`, '/api/v1/docs', '/metrics']),
    )
  })

  test('loads nothing from elsewhere, runs no script and refreshes only when asked to', async () => {
    const requested = await withPage({}, async (page) => {
      const urls: string[] = []
      page.on('request', (request) => urls.push(new URL(request.url()).pathname))
      await page.goto(at('/'))
      await page.getByRole('link', { name: 'Refresh every 30 seconds' }).click()
      await page.getByRole('link', { name: 'Stop refreshing' }).waitFor()
      return urls
    })
    expect(new Set(requested)).toEqual(new Set(['/', '/style.css']))
    const plain = await fetch(at('/'))
    const refreshing = await fetch(at('/?refresh=30'))
    expect([plain.headers.get('refresh'), refreshing.headers.get('refresh')]).toEqual([null, '30'])
    expect(plain.headers.get('content-security-policy')).toMatch(/^default-src 'none'; style-src 'self'/)
    expect(await plain.text()).not.toMatch(/<script|style=|onclick/)
  })

  test('is whole on a narrow screen: nothing but tables scrolls sideways', async () => {
    const width = await withPage({}, async (page) => {
      await page.setViewportSize({ width: 360, height: 740 })
      await page.goto(at('/'))
      return await page.locator('html').evaluate((html) => html.scrollWidth)
    })
    expect(width).toBeLessThanOrEqual(360)
  })

  test('shows a name that is markup as text', async () => {
    const [leg] = await nodes.kz.rows(sql<{ key: string }>`select key from clearance.leg limit 1`)
    await nodes.kz.rows(
      sql`update clearance.leg set leg = jsonb_set(leg, '{trainNumber}', '"<b>7</b>"') where key = ${leg?.key}`,
    )
    await new Promise((resolve) => setTimeout(resolve, 3000))
    const html = await (await fetch(at('/'))).text()
    expect([html.includes('<b>7</b>'), html.includes('&lt;b&gt;7&lt;/b&gt;')]).toEqual([false, true])
  })
})

describe('the page of a message', () => {
  test('shows its fate, states and digest, and not its content', async () => {
    const { items } = await nodes.kz.get<{ items: Array<{ id: string; digest: string; answerId: string }> }>(
      '/api/v1/messages?direction=in&type=EXP-CLR&limit=1',
    )
    const [message] = items
    const { text, next } = await withPage({}, async (page) => {
      await page.goto(at(`/messages/${message?.id}`))
      const text = await page.locator('main').innerText()
      await page.getByRole('link', { name: message?.answerId ?? '' }).click()
      return { text, next: await page.locator('h1').innerText() }
    })
    expect(text).toContain(message?.digest)
    expect(text).toMatch(/State\s+accepted/)
    expect(next).toBe(`Message ${message?.answerId}`)
  })

  test.each(['not-an-id', '00000000-0000-7000-8000-000000000000', '%3Cscript%3E'])(
    'says so when there is none: %s',
    async (id) => {
      const response = await fetch(at(`/messages/${id}`))
      expect([response.status, response.headers.get('content-type')]).toEqual([404, 'text/html; charset=utf-8'])
      expect(await response.text()).not.toContain('<script')
    },
  )
})

test('a channel that is suspended is told first of all, with the clause and what to do', async () => {
  const { kz, cn } = nodes
  const by = kz.services.recordedBy('test')
  const channel = { home: kz.services.me, partner: cn.services.me, agreement: agreementId }
  const changed = await withActor(kz.db, { actor: 'test', purpose: 'administration' }, (tx) =>
    changeChannelState(tx, kz.services.law, channel, { to: 'suspended', reason: 'a test' }, by),
  )
  expect(changed.ok).toBe(true)
  const shown = await eventually(async () => {
    const html = await (await fetch(at('/'))).text()
    return html.includes('No exchange with CN-GACC: The channel with this partner is suspended.')
  })
  expect(shown).toBe(true)
  const text = await withPage({}, async (page) => {
    await page.goto(at('/'))
    return await page.locator('main').innerText()
  })
  expect(text).toMatch(/suspended\.\s+Two authorised persons open it again .*\s+Clause STOP-2021\/4-r\d/)
})
