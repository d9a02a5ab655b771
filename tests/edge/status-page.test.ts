/** The pages in a real browser, on a real node that has exchanged real samples. */
import { AxeBuilder } from '@axe-core/playwright'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openBrowser, type TestBrowser } from '../builders/browser.ts'
import { startNodes, type TwoTestNodes } from '../builders/node.ts'

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
