import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { decimal } from '../../../tests/builders/intake.ts'
import {
  holdsInvisible,
  onlyOne,
  readDecimal,
  readMass,
  readTime,
  scaleDecimal,
  stationFrom,
  unitNumber,
  wagonIdType,
} from './values.ts'

const zone = 'Asia/Almaty'

describe('readTime', () => {
  test.each([
    ['20261120', '102', { on: '2026-11-20' }],
    ['202611201015', '203', { on: '2026-11-20', at: '2026-11-20T05:15:00.000Z' }],
    ['20261120101530', '204', { on: '2026-11-20', at: '2026-11-20T05:15:30.000Z' }],
    ['202611201015+0800', '205', { on: '2026-11-20', at: '2026-11-20T02:15:00.000Z' }],
    ['20261120101530Z', '304', { on: '2026-11-20', at: '2026-11-20T10:15:30.000Z' }],
    ['20261120101530+01', '304', { on: '2026-11-20', at: '2026-11-20T09:15:30.000Z' }],
    ['20261120101530+0530', '304', { on: '2026-11-20', at: '2026-11-20T04:45:30.000Z' }],
    ['20261120101530', '304', { on: '2026-11-20', at: '2026-11-20T05:15:30.000Z' }],
    ['2026-11-20', undefined, { on: '2026-11-20' }],
    ['2026-11-20T23:30', undefined, { on: '2026-11-20', at: '2026-11-20T18:30:00.000Z' }],
    ['2026-11-20T23:30:00.5Z', undefined, { on: '2026-11-20', at: '2026-11-20T23:30:00.500Z' }],
    ['2026-11-20T23:30:00-05:00', '304', { on: '2026-11-20', at: '2026-11-21T04:30:00.000Z' }],
  ])('reads %s in format %s', (text, format, expected) => {
    expect(readTime(text, format, zone)).toEqual(expected)
  })

  test('reads a local time by the zone as it was on that day', () => {
    expect(readTime('2024-02-29T12:00:00', undefined, zone)?.at).toBe('2024-02-29T06:00:00.000Z')
    expect(readTime('2024-03-01T12:00:00', undefined, zone)?.at).toBe('2024-03-01T07:00:00.000Z')
  })

  test.each([
    ['20261120', '204'],
    ['20261120101530', '102'],
    ['202611201015', '205'],
    ['20261320', '102'],
    ['20260230', undefined],
    ['2026-11-20T25:00', undefined],
    ['2026-11-20Z', undefined],
    ['20 November 2026', undefined],
    ['261120', '101'],
    ['', undefined],
  ])('does not read %j in format %s', (text, format) => {
    expect(readTime(text, format, zone)).toBeUndefined()
  })
})

describe('readDecimal and readMass', () => {
  test('read what XML and UN/CEFACT write, in canonical form', () => {
    expect(readDecimal('1000.000000000000')).toBe('1000')
    expect(readDecimal('+007.50')).toBe('7.5')
    expect(readDecimal('.5')).toBe('0.5')
    expect(readDecimal('5.')).toBe('5')
    expect(readDecimal('-0')).toBe('0')
  })

  test('do not read signs, exponents, commas, and more digits than the model holds', () => {
    for (const text of ['-1', '1e3', '1,5', '1 000', '', '.', 'NaN', '0.0000001', '12345678901234567'])
      expect(readDecimal(text)).toBeUndefined()
  })

  test('convert tonnes and grams exactly and leave other units alone', () => {
    expect(readMass('51.6', 'TNE')).toBe('51600')
    expect(readMass('0.0000005', 'TNE')).toBe('0.0005')
    expect(readMass('1500', 'GRM')).toBe('1.5')
    expect(readMass('7', undefined)).toBe('7')
    expect(readMass('7', 'LBR')).toBe('unit')
    expect(readMass('x', 'LBR')).toBeUndefined()
  })

  test('scale there and back to the same decimal', () => {
    fc.assert(
      fc.property(decimal, fc.integer({ min: 0, max: 4 }), (value, power) => {
        const up = scaleDecimal(value, power)
        expect(up === undefined ? value : scaleDecimal(up, -power)).toBe(value)
      }),
    )
  })
})

describe('identifiers', () => {
  test('write container and wagon numbers in one way and leave other texts as they are', () => {
    expect(unitNumber('mscu 123456-7')).toBe('MSCU1234567')
    expect(unitNumber('9420 5776')).toBe('94205776')
    expect(unitNumber('31 80 4556 123-4')).toBe('318045561234')
    expect(unitNumber('leased box 12')).toBe('leased box 12')
  })

  test('tell wagons by how many digits they have', () => {
    expect([wagonIdType('94205776'), wagonIdType('318045561234'), wagonIdType('1234567'), wagonIdType('X1')]).toEqual([
      '1520-8',
      'UIC-12',
      'CN-7',
      undefined,
    ])
  })

  test('see what the eye does not', () => {
    for (const hidden of ['\u200b', '\u202e', '\u2066', '\u00ad', '\ufeff', '\u3164'])
      expect(holdsInvisible(`A${hidden}B`)).toBe(true)
    for (const plain of ['MSCU1234567', '№ 5/2-Ж', '中文']) expect(holdsInvisible(plain)).toBe(false)
  })
})

describe('stationFrom', () => {
  test('sorts codes by their shape and makes a name of one it does not know', () => {
    expect(stationFrom({ codes: ['708507', 'kzdos'] })).toEqual({ esr: '708507', unLocode: 'KZDOS' })
    expect(stationFrom({ codes: ['DOSTYK-1'] })).toEqual({ name: { text: 'DOSTYK-1', language: 'und' } })
    expect(stationFrom({ codes: [] })).toBeUndefined()
  })
})

test('onlyOne gives a value that all share and none when they differ', () => {
  expect(onlyOne(['a', undefined, 'a'])).toBe('a')
  expect(onlyOne(['a', 'b'])).toBeUndefined()
  expect(onlyOne([])).toBeUndefined()
})
