import { test, expect } from 'vitest'
import { startNodes } from '../builders/node.ts'
import { createTestDatabase } from '../builders/database.ts'
test('x', async () => {
  console.time('db'); const d = await createTestDatabase(); console.timeEnd('db'); 
  console.time('drop'); await d.drop(); console.timeEnd('drop')
  console.time('a'); const a = await startNodes(); console.timeEnd('a')
  console.time('stopkz'); await a.kz.stop(); console.timeEnd('stopkz')
  console.time('c'); await a.close(); console.timeEnd('c')
  console.time('a2'); const b = await startNodes({stage:'strangers'}); console.timeEnd('a2')
  console.time('c2'); await b.close(); console.timeEnd('c2')
  expect(1).toBe(1)
})
