import pg from 'pg'
import { describe, expect, test } from 'vitest'
import { Fault } from '../../kernel/index.ts'
import { createTelemetry } from './index.ts'

const administration = { id: 'KZ-KGD', country: 'KZ', zone: 'Asia/Almaty' }

/** The lines that a piece of work logs. */
function linesOf(
  work: (telemetry: ReturnType<typeof createTelemetry>) => void,
  level: 'info' | 'silent' = 'info',
): Record<string, unknown>[] {
  const lines: Record<string, unknown>[] = []
  work(createTelemetry({ log: { level }, administration }, { write: (line) => lines.push(JSON.parse(line)) }))
  return lines
}

describe('a log line', () => {
  test('says when, who and what happened, with the facts that are allowed', () => {
    const [line] = linesOf(({ logger }) => logger.info({ partner: 'CN-GACC', messages: 3 }, 'frame sent'))
    expect(line).toMatchObject({ administration: 'KZ-KGD', partner: 'CN-GACC', messages: 3, msg: 'frame sent' })
    expect(line?.['time']).toMatch(/^\d{4}-\d{2}-\d{2}T.*Z$/)
  })

  test('drops every member that is not on the list, whatever stands in it', () => {
    const [line] = linesOf(({ logger }) =>
      logger.info({ consignee: 'Aigul', body: { goods: 'tea' }, req: { headers: { authorization: 'x' } } }, 'taken'),
    )
    expect(Object.keys(line ?? {}).sort()).toEqual(['administration', 'level', 'msg', 'time'])
  })

  test('gives a fault its code and sentence, and neither its facts nor its cause', () => {
    const fault = new Fault('platform/database-busy', 'A lock took too long.', {
      retryable: true,
      facts: { name: 'Aigul' },
      cause: new Error('Aigul'),
    })
    const lines = linesOf(({ logger }) => logger.warn({ err: fault }, 'again'))
    expect(lines[0]?.['err']).toEqual({
      code: 'platform/database-busy',
      retryable: true,
      message: 'A lock took too long.',
    })
    expect(JSON.stringify(lines)).not.toContain('Aigul')
  })

  test('gives an error of the database without the row it failed on', () => {
    const error = new pg.DatabaseError('duplicate key value (Aigul)', 10, 'error')
    Object.assign(error, { code: '23505', detail: 'Key (name)=(Aigul) already exists.' })
    const lines = linesOf(({ logger }) => logger.error({ err: error }, 'failed'))
    expect(lines[0]?.['err']).toMatchObject({ code: '23505' })
    expect(JSON.stringify(lines)).not.toContain('Aigul')
  })

  test('of a child logger is held to the same list', () => {
    const lines = linesOf(({ logger }) => logger.child({ correlationId: 'c-1' }).info({ goods: 'tea' }, 'answered'))
    expect(lines[0]).toMatchObject({ correlationId: 'c-1' })
    expect(JSON.stringify(lines)).not.toContain('tea')
  })

  test('is not written when nobody wants any', () => {
    expect(linesOf(({ logger }) => logger.error('x'), 'silent')).toEqual([])
  })
})

describe('counters', () => {
  test('of two nodes in one process do not mix', async () => {
    const [one, two] = [0, 1].map(() => createTelemetry({ log: { level: 'silent' }, administration }))
    one?.metrics.records.inc({ outcome: 'taken' }, 5)
    expect(await one?.registry.metrics()).toContain('dostyk_records_total{outcome="taken"} 5')
    expect(await two?.registry.metrics()).not.toContain('outcome="taken"')
  })

  test('all carry the name of the program, and help', async () => {
    const { registry } = createTelemetry({ log: { level: 'silent' }, administration })
    const own = (await registry.getMetricsAsJSON()).filter(({ name }) => !/^(process|nodejs)_/.test(name))
    expect(own.length).toBeGreaterThan(0)
    for (const { name, help } of own) {
      expect(name).toMatch(/^dostyk_[a-z_]+$/)
      expect(help).not.toBe('')
    }
  })
})
