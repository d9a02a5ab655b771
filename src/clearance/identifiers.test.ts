import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  checkCnUscc,
  checkContainerNumber,
  checkEsrStation,
  checkKzBinIin,
  checkMrn,
  checkUnNumber,
  checkVin,
  checkWagon1520,
  checkWagonCn,
  checkWagonNumber,
  checkWagonUic,
  isKzPersonNumber,
} from './identifiers.ts'

const digits = (length: number) => fc.stringMatching(new RegExp(`^[0-9]{${length}}$`))
/** The one digit that completes a number, found by trying. */
function completed(body: string, check: (value: string) => string): string | undefined {
  return Array.from('0123456789', (digit) => body + digit).find((value) => check(value) === 'ok')
}
const changedAt = (value: string, place: number, digit: string) =>
  value.slice(0, place) + digit + value.slice(place + 1)

describe('container numbers', () => {
  test('accepts numbers seen on real boxes and the textbook one', () => {
    for (const number of ['MZWU2146680', 'BEAU5694302', 'CSQU3054383'])
      expect(checkContainerNumber(number), number).toBe('ok')
  })
  test('names a wrong check digit', () => expect(checkContainerNumber('CSQU3054384')).toBe('check-digit'))
  test('accepts 0 where the remainder is 10', () => {
    const ten = fc
      .sample(digits(6), { numRuns: 2000, seed: 1 })
      .find((serial) => checkContainerNumber(`CSQU${serial}0`) === 'ok')
    expect(ten).toBeDefined()
  })
  test.each(['CSQA3054383', 'CSU3054383', 'csqu3054383', 'CSQU305438', 'СSQU3054383', 'CSQU3054383 ', ''])(
    'tells %j from an ISO number',
    (value) => expect(checkContainerNumber(value)).toBe('format'),
  )
  test('catches any one wrong digit of the serial number but those that leave the remainder 10 beside 0', () => {
    fc.assert(
      fc.property(digits(6), fc.nat(5), fc.nat(9), (serial, place, digit) => {
        const number = completed(`CSQU${serial}`, checkContainerNumber)
        if (number === undefined || number[4 + place] === String(digit)) return
        const wrong = changedAt(number, 4 + place, String(digit))
        // Remainders 0 and 10 share the check digit 0: the one weakness of the rule.
        if (checkContainerNumber(wrong) === 'ok') expect(number.endsWith('0')).toBe(true)
      }),
    )
  })
})

describe('wagon numbers', () => {
  test('accepts real wagons of the 1520 space', () => {
    for (const number of ['95236196', '95535399']) expect(checkWagon1520(number)).toBe('ok')
  })
  test('refuses the shape of anything but eight digits', () => {
    for (const value of ['9523619', '952361960', '9523619A', '٩٥٢٣٦١٩٦']) expect(checkWagon1520(value)).toBe('format')
  })
  test('catches every single wrong digit', () => {
    fc.assert(
      fc.property(digits(7), fc.nat(7), fc.nat(9), (body, place, digit) => {
        const number = completed(body, checkWagon1520) ?? ''
        fc.pre(number[place] !== String(digit))
        expect(checkWagon1520(changedAt(number, place, String(digit)))).toBe('check-digit')
      }),
    )
  })
  test('catches neighbours changed over, except 0 and 9', () => {
    fc.assert(
      fc.property(digits(7), fc.nat(6), (body, place) => {
        const number = completed(body, checkWagon1520) ?? ''
        const [a = '', b = ''] = [number[place], number[place + 1]]
        fc.pre(a !== b && !(a + b === '09' || a + b === '90'))
        expect(checkWagon1520(changedAt(changedAt(number, place, b), place + 1, a))).toBe('check-digit')
      }),
    )
  })
  test('accepts a UIC number and catches its wrong check digit', () => {
    expect(checkWagonUic('218124712173')).toBe('ok')
    expect(checkWagonUic('218124712174')).toBe('check-digit')
    expect(checkWagonUic('21812471217')).toBe('format')
  })
  test('asks no check digit of a Chinese wagon', () => {
    expect(checkWagonCn('5270011')).toBe('ok')
    expect(checkWagonCn('52700111')).toBe('format')
  })
  test('reads the type from the length when none is stated, and keeps to a stated one', () => {
    expect(checkWagonNumber('95535399')).toBe('ok')
    expect(checkWagonNumber('5270011')).toBe('ok')
    expect(checkWagonNumber('218124712173')).toBe('ok')
    expect(checkWagonNumber('95535399', 'UIC-12')).toBe('format')
    expect(checkWagonNumber('123456789')).toBe('format')
  })
})

describe('stations', () => {
  test('accepts the border stations of the 1520 space', () => {
    const known = ['708507', '707701', '704101', '720104', '704402', '666501', '664900', '711105', '688708', '662905']
    for (const code of [...known, '663404', '693602', '945404', '735203'])
      expect(checkEsrStation(code), code).toBe('ok')
  })
  test('accepts five digits, which have no check digit', () => expect(checkEsrStation('70850')).toBe('ok'))
  test('every five digits have exactly one check digit', () => {
    fc.assert(
      fc.property(digits(5), (body) => {
        const valid = Array.from('0123456789').filter((digit) => checkEsrStation(body + digit) === 'ok')
        expect(valid).toHaveLength(1)
      }),
    )
  })
  test('names a wrong digit and a wrong shape', () => {
    expect(checkEsrStation('708508')).toBe('check-digit')
    expect(checkEsrStation('KZDOS')).toBe('format')
  })
})

describe('national numbers', () => {
  test('accepts published Kazakh business numbers and catches a wrong digit', () => {
    for (const number of ['991140001226', '940140000385', '060640004748', '970740000392'])
      expect(checkKzBinIin(number), number).toBe('ok')
    expect(checkKzBinIin('991140001227')).toBe('check-digit')
    expect(checkKzBinIin('99114000122')).toBe('format')
  })
  test('gives a Kazakh number one check digit at most', () => {
    fc.assert(
      fc.property(digits(11), (body) => {
        const valid = Array.from('0123456789').filter((digit) => checkKzBinIin(body + digit) === 'ok')
        expect(valid.length).toBeLessThanOrEqual(1)
      }),
    )
  })
  test("tells a person's number by its day of birth", () => {
    const person = completed('90010135012', checkKzBinIin) ?? ''
    expect(isKzPersonNumber(person)).toBe(true)
    expect(isKzPersonNumber('991140001226')).toBe(false)
    expect(isKzPersonNumber('900101350120x')).toBe(false)
    expect(isKzPersonNumber('850101300123')).toBe(true)
    expect(isKzPersonNumber('851301300123')).toBe(false)
  })
  test('accepts Chinese unified codes and catches a wrong character', () => {
    for (const code of ['914403001922038216', '91330100799655058B', '91440300708461136T'])
      expect(checkCnUscc(code), code).toBe('ok')
    expect(checkCnUscc('914403001922038215')).toBe('check-digit')
    expect(checkCnUscc('91440300192203821I')).toBe('format')
  })
  test('catches every single wrong character of a Chinese code', () => {
    const letters = '0123456789ABCDEFGHJKLMNPQRTUWXY'
    fc.assert(
      fc.property(fc.nat(17), fc.constantFrom(...letters), (place, letter) => {
        const code = '91440300708461136T'
        fc.pre(code[place] !== letter)
        expect(checkCnUscc(changedAt(code, place, letter))).toBe('check-digit')
      }),
    )
  })
})

describe('other identifiers', () => {
  test('accepts movement references of real form and catches a wrong check', () => {
    for (const mrn of ['24GB000246J8NY33L7', '19GBCKKCQSXV2FGVA8', '20GB1NA4Y2YSRFGVR6'])
      expect(checkMrn(mrn)).toBe('ok')
    expect(checkMrn('24GB000246J8NY33L8')).toBe('check-digit')
    expect(checkMrn('941120260112345678')).toBe('format')
  })
  test('asks only the character set of a vehicle number', () => {
    expect(checkVin('LGXCE4CB5P0123456')).toBe('ok')
    for (const value of ['LGXCE4CB5P012345', 'LGXCE4CBIP0123456', 'LGXCE4CB5PO123456'])
      expect(checkVin(value)).toBe('format')
  })
  test('asks four digits of a UN number', () => {
    expect(checkUnNumber('3480')).toBe('ok')
    expect(checkUnNumber('UN3480')).toBe('format')
  })
  test('never throws, whatever the text', () => {
    const checks = [
      checkContainerNumber,
      checkWagonNumber,
      checkEsrStation,
      checkKzBinIin,
      checkCnUscc,
      checkMrn,
      checkVin,
    ]
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        for (const check of checks) expect(['ok', 'format', 'check-digit']).toContain(check(text))
      }),
    )
  })
})
