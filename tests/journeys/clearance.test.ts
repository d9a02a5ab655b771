import { afterAll, beforeAll, expect, test } from 'vitest'
import { aHomeDeclaration } from '../builders/clearance.ts'
import { startNodes, type TwoTestNodes } from '../builders/node.ts'

let two: TwoTestNodes
beforeAll(async () => {
  console.time('start')
  two = await startNodes()
  console.timeEnd('start')
})
afterAll(async () => {
  console.time('close')
  await two?.close()
  console.timeEnd('close')
})

test('reaches the partner', async () => {
  const taken = await two.cn.take({ record: 'declaration', content: aHomeDeclaration() })
  await two.settle()
  console.log(taken, await two.cn.get('/api/v1/messages'), await two.kz.placesOf('941120260112345678'))
  expect(taken.outcome).toBe('taken')
})
