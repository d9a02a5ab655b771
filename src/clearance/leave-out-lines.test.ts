import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { aHomeDeclaration, type DeepPartial } from '../../tests/builders/clearance.ts'
import { addDecimals } from '../kernel/index.ts'
import { areSeparable, leaveOutLines } from './leave-out-lines.ts'
import type { HomeDeclaration } from './model.ts'
import { readReference } from './reference/index.ts'

const { marks } = await readReference()
type Item = HomeDeclaration['items'][number]
const [line] = aHomeDeclaration().items
const item = (sequence: number, more: Partial<Item> = {}): Item => ({
  sequence,
  commodityCode: '640299',
  description: { text: `goods ${sequence}`, language: 'en' },
  grossMass: String(sequence * 100),
  netMass: String(sequence * 90),
  packages: [{ typeCode: 'CT', quantity: sequence }],
  amount: { value: String(sequence * 1000), currency: 'USD' },
  ...more,
})
const home = (items: Item[], more: DeepPartial<HomeDeclaration> = {}) =>
  aHomeDeclaration({ items, equipment: [], ...more })
const [A, B] = ['XDKU1000018', 'XDKU1000023']
const inA = { equipmentIds: [A] }
const inB = { equipmentIds: [B] }
const boxes = {
  equipment: [
    { id: A, grossMass: '5000', packageQuantity: 9, seals: [{ id: 'S1' }] },
    { id: B, grossMass: '6000', packageQuantity: 8 },
  ],
}

describe('lines are separable', () => {
  const unweighed = { grossMass: undefined, packages: undefined }
  test('when no remaining line shares a container or wagon with them, weighed or not', () => {
    expect(
      areSeparable(home([item(1, { ...inA, ...unweighed }), item(2, { ...inB, ...unweighed })], boxes), new Set([0])),
    ).toBe(true)
  })
  test('within one box when every line in it is weighed and packed for itself', () => {
    expect(
      areSeparable(home([item(1, inA), item(2, inA), item(3, { ...inB, ...unweighed })], boxes), new Set([0])),
    ).toBe(true)
    expect(areSeparable(home([item(1, inA), item(2, { ...inA, grossMass: undefined })], boxes), new Set([0]))).toBe(
      false,
    )
    expect(
      areSeparable(home([item(1, inA), item(2, { ...inA, packages: [{ quantity: 0 }] })], boxes), new Set([0])),
    ).toBe(false)
  })
  test('without stated units only while there is one unit at most', () => {
    const two = [item(1), item(2)]
    expect(areSeparable(home(two), new Set([0]))).toBe(true)
    expect(
      areSeparable(
        home(two, { equipment: [{ id: A, onWagon: '95535399' }], wagons: [{ number: '95535399' }] }),
        new Set([0]),
      ),
    ).toBe(true)
    expect(areSeparable(home(two, boxes), new Set([0]))).toBe(false)
    expect(areSeparable(home(two, { wagons: [{ number: '95535399' }, { number: '95236196' }] }), new Set([0]))).toBe(
      false,
    )
  })
  test('never when masses stand in the header alone', () =>
    expect(areSeparable(home([item(1, unweighed), item(2, unweighed)]), new Set([0]))).toBe(false))
})

describe('the record of the remaining lines', () => {
  test('drops units that only carried what was left out, their notes with them', () => {
    const left = leaveOutLines(home([item(1, inA), item(2, inB)], boxes), new Set([0]), marks)
    expect(left.equipment).toEqual([boxes.equipment[1]])
    expect(left.consignment.notes).toBeUndefined()
  })
  test('keeps a shared box with its seals and without its figures, and the notes', () => {
    const left = leaveOutLines(
      home([item(1, inA), item(2, inA)], { equipment: boxes.equipment.slice(0, 1) }),
      new Set([0]),
      marks,
    )
    expect(left.equipment).toEqual([{ id: A, seals: [{ id: 'S1' }] }])
    expect(left.consignment.notes).toHaveLength(1)
  })
  test('drops wagons with their boxes, and the masses of a wagon that carried both', () => {
    const on = (onWagon: string) => ({
      wagons: [
        { number: '95535399', grossMass: '60000' },
        { number: '95236196', grossMass: '50000' },
      ],
      equipment: [
        { id: A, onWagon: '95535399' },
        { id: B, onWagon },
      ],
    })
    const lines = [item(1, inA), item(2, inB)]
    expect(leaveOutLines(home(lines, on('95236196')), new Set([0]), marks).wagons).toEqual([
      { number: '95236196', grossMass: '50000' },
    ])
    expect(leaveOutLines(home(lines, on('95535399')), new Set([0]), marks).wagons).toEqual([{ number: '95535399' }])
  })
  test('drops a total that the remaining lines do not state, rather than leak it', () => {
    const lines = [
      item(1, inA),
      item(2, { ...inB, grossMass: undefined, netMass: undefined, amount: undefined, packages: undefined }),
    ]
    const { declaration } = leaveOutLines(home(lines, boxes), new Set([0]), marks)
    for (const name of ['totalGrossMass', 'totalNetMass', 'invoiceAmount', 'totalPackageQuantity'])
      expect(declaration).not.toHaveProperty(name)
    expect(declaration.goodsItemQuantity).toBe(1)
  })
  test('drops an amount whose lines are in two currencies', () => {
    const lines = [item(1), item(2), item(3, { amount: { value: '1', currency: 'EUR' } })]
    expect(leaveOutLines(home(lines), new Set([0]), marks).declaration).not.toHaveProperty('invoiceAmount')
  })
  test('states no total that the declaration did not', () => {
    const bare = {
      goodsItemQuantity: undefined,
      totalPackageQuantity: undefined,
      totalGrossMass: undefined,
      totalNetMass: undefined,
      invoiceAmount: undefined,
    }
    const { declaration } = leaveOutLines(home([item(1), item(2)], { declaration: bare }), new Set([0]), marks)
    for (const name of Object.keys(bare)) expect(declaration).not.toHaveProperty(name)
  })
  test('recounts a temporary declaration', () => {
    const temporary = (netMass?: string) => ({ declaration: { temporary: { validUntil: '2027-01-01', netMass } } })
    const remaining = (more: Partial<Item>) =>
      leaveOutLines(home([item(1), item(2, more)], temporary('270')), new Set([0]), marks).declaration.temporary
    expect(remaining({})).toEqual({ validUntil: '2027-01-01', netMass: '180' })
    expect(remaining({ netMass: undefined })).toEqual({ validUntil: '2027-01-01' })
  })
  test('keeps commercial documents and no other, and what was controlled stays at home', () => {
    const left = leaveOutLines(
      home([item(1), item(2)], {
        documents: [
          { typeCode: '380', id: 'I' },
          { typeCode: '851', id: 'phyto' },
        ],
        declaration: { previousDocuments: [{ typeCode: '785' }] },
        customsDecision: { controlTypeCodes: ['8'], controlResult: 'A2' },
      }),
      new Set([0]),
      marks,
    )
    expect(left.documents).toEqual([{ typeCode: '380', id: 'I' }])
    expect(left.declaration).not.toHaveProperty('previousDocuments')
    expect(left.customsDecision).toEqual({ statusCode: 'cleared', releaseDateTime: '2026-11-21T04:00:00.000Z' })
  })
  test('is the whole without the marks of home when nothing is left out', () => {
    const whole = leaveOutLines(aHomeDeclaration({ exclusion: { postal: false } }), new Set(), marks)
    expect(whole).toEqual(aHomeDeclaration())
  })
  test('is numbered from one, sums up exactly and bears no trace of the other lines, for any lines left out', () => {
    const scenario = fc.integer({ min: 2, max: 8 }).chain((count) =>
      fc.tuple(
        fc.array(fc.constantFrom(inA, inB), { minLength: count, maxLength: count }),
        fc.subarray(
          Array.from({ length: count }, (_, index) => index),
          { minLength: 1, maxLength: count - 1 },
        ),
      ),
    )
    fc.assert(
      fc.property(scenario, ([units, leftOut]) => {
        const lines = units.map((unit, index) =>
          item(index + 1, { ...unit, grossMass: String(7 ** (index + 2)), marks: undefined } as Partial<Item>),
        )
        const left = leaveOutLines(home(lines, boxes), new Set(leftOut), marks)
        const kept = lines.filter((_, index) => !leftOut.includes(index))
        expect(left.items.map(({ sequence }) => sequence)).toEqual(kept.map((_, index) => index + 1))
        expect(left.declaration.totalGrossMass).toBe(addDecimals(kept.map(({ grossMass = '0' }) => grossMass)))
        const wire = JSON.stringify(left)
        for (const index of leftOut) {
          expect(wire).not.toContain(`goods ${index + 1}"`)
          expect(wire).not.toContain(`"${7 ** (index + 2)}"`.replace(`"${left.declaration.totalGrossMass}"`, 'total'))
        }
        const used = new Set(kept.flatMap(({ equipmentIds = [] }) => equipmentIds))
        expect(left.equipment.map(({ id }) => id)).toEqual([A, B].filter((id) => used.has(id ?? '')))
      }),
    )
  })
})

test('the builder line the tests lean on is packed and weighed', () =>
  expect(line).toMatchObject({ grossMass: '12200', packages: [{ quantity: 200 }] }))
