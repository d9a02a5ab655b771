import { describe, expect, test } from 'vitest'
import { type AuditEventType, auditEventSchemas, auditEvents, narrowToFeed } from './events.ts'

describe('the closed list of events', () => {
  test('shows in the feed only facts that the event has', () => {
    for (const { facts, feed } of Object.values(auditEvents))
      if (Array.isArray(feed)) expect(facts).toEqual(expect.arrayContaining([...feed]))
  })

  test('has a schema for each event', () => {
    expect(Object.keys(auditEventSchemas)).toEqual(Object.keys(auditEvents))
  })

  test('keeps the ground for leaving data out of the feed', () => {
    const event = {
      type: 'declaration.decided' as const,
      subject: 'd',
      facts: { outcome: 'withheld', ground: 'x/secret' },
    }
    expect(narrowToFeed(event)).toEqual({ type: 'declaration.decided', subject: 'd', facts: { outcome: 'withheld' } })
  })

  test('keeps who approved, and what guards the node, out of the feed', () => {
    const withFacts = (type: AuditEventType, facts: Record<string, string>) =>
      narrowToFeed({ type, subject: 's', facts })
    expect(withFacts('partner.approved', { officers: 'A, B' })?.facts).toEqual({})
    expect(withFacts('conditions.approved', { name: 'A', post: 'B', on: '2026-11-22' })?.facts).toEqual({
      on: '2026-11-22',
    })
    expect(withFacts('token.refused', { reason: 'x' })).toBeUndefined()
  })
})
