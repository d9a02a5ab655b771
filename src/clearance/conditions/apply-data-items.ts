import { assert, type Problem, pointer } from '../../kernel/index.ts'
import type { DataItem, MessageTerms } from './package-files.ts'

interface ElementTree {
  on: boolean
  readonly members: Map<string, ElementTree>
}

/** The agreed list of data items, ready to be applied to bodies. */
export interface DataItems {
  readonly items: readonly DataItem[]
  /** What may stand in the body of each message type. */
  readonly elements: ReadonlyMap<string, ElementTree>
}

export function prepareDataItems(items: readonly DataItem[], messages: readonly MessageTerms[]): DataItems {
  const bySchema = new Map<string, ElementTree>()
  for (const { schema, path, on } of items) {
    const tree = bySchema.get(schema) ?? { on: true, members: new Map() }
    bySchema.set(schema, tree)
    let place = tree
    for (const step of path.slice(1).split('/')) {
      const next = place.members.get(step) ?? { on: true, members: new Map() }
      place.members.set(step, next)
      place = next
    }
    place.on = on
  }
  const elements = new Map(
    messages.flatMap(({ type, schema }) => {
      const tree = bySchema.get(schema)
      return tree ? [[type, tree] as const] : []
    }),
  )
  return { items, elements }
}

/**
 * Leaves out of a body what the working group has not agreed, and says what was left out.
 *
 * Why here: the sender applies it before anything is signed, and the receiver to what arrives, so that only agreed
 * elements are sent and none other is kept. A receiver does not refuse the record: an element too many is the sender's
 * defect, and the post must not stand blind for it; it is neither kept nor shown, and both sides are warned.
 * @param type a message type of the conditions
 * @param body a body that its schema admits; only elements without which it stays valid are ever switched off
 * @returns the body itself when nothing was left out; pointers in `leftOut` are into the body given, values never
 * @law STOP-2021/1.4-r2, STOP-2021/3.a, STOP-2021/4-r2
 */
export function applyDataItems<Body extends object>(
  type: string,
  body: Body,
  dataItems: DataItems,
): { readonly body: Body; readonly leftOut: readonly Problem[] } {
  const tree = dataItems.elements.get(type)
  assert(tree, `the conditions know the message type ${type}`)
  const leftOut: Problem[] = []
  const agreed = strip(body, tree, [], leftOut)
  return { body: leftOut.length === 0 ? body : (agreed as Body), leftOut }
}

function strip(value: unknown, tree: ElementTree, path: Array<string | number>, leftOut: Problem[]): unknown {
  if (typeof value !== 'object' || value === null || tree.members.size === 0) return value
  if (Array.isArray(value)) {
    const place = tree.members.get('*')
    return place ? value.map((item, index) => step(item, place, index, path, leftOut)) : value
  }
  const kept: Record<string, unknown> = {}
  for (const [name, member] of Object.entries(value)) {
    const element = tree.members.get(name)
    if (element?.on) kept[name] = step(member, element, name, path, leftOut)
    else
      leftOut.push({
        code: element ? 'clearance/element-not-agreed' : 'clearance/element-not-listed',
        pointer: pointer(...path, name),
      })
  }
  return kept
}

function step(
  value: unknown,
  tree: ElementTree,
  name: string | number,
  path: Array<string | number>,
  leftOut: Problem[],
): unknown {
  path.push(name)
  const agreed = strip(value, tree, path, leftOut)
  path.pop()
  return agreed
}
