import { expect, test } from 'vitest'
import { codeOf, exchangeCodes, isFinal, outcomes } from './codes.ts'

test('gives every outcome but RECEIVED a stable code with a meaning', () => {
  const codes = outcomes.filter(({ code }) => code !== 'RECEIVED').map(({ code }) => codeOf(code))
  expect(codes.filter((code) => !(code in exchangeCodes))).toEqual([])
  expect(codes.filter((code) => exchangeCodes[code as keyof typeof exchangeCodes].kind !== 'refusal')).toEqual([])
})

test('lists each outcome once, those of a request before those of a message', () => {
  expect(new Set(outcomes.map(({ code }) => code)).size).toBe(outcomes.length)
  const scopes = outcomes.map(({ scope }) => scope)
  expect(scopes.lastIndexOf('request')).toBeLessThan(scopes.indexOf('message'))
})

test('holds an outcome it does not know for one that may change', () => {
  expect(isFinal('ID_CONFLICT')).toBe(true)
  expect(isFinal('BUSY')).toBe(false)
  expect(isFinal('RATE_LIMITED')).toBe(false)
  expect(isFinal('constructor')).toBe(false)
})
