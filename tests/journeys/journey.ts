/** What the journeys say often: declarations that no other test uses, and what either side is shown of them. */
import type { DeclarationRow, HomeDeclaration, ReceivedRow, ReceivedVersionRow } from '../../src/clearance/index.ts'
import type { MessageFate } from '../../src/exchange/index.ts'
import { aHomeDeclaration, type DeepPartial } from '../builders/clearance.ts'
import type { HomeRecordToSubmit, JourneyNode } from '../builders/node.ts'

let numbered = 0

/** A declaration number that no other test of the file uses. */
export function newNumber(): string {
  numbered += 1
  return `9411202601${String(numbered).padStart(8, '0')}`
}

/** A declaration as the national system hands it over. */
export function declaration(
  id: string,
  versionId = 1,
  overrides: DeepPartial<HomeDeclaration> = {},
): HomeRecordToSubmit {
  const content = aHomeDeclaration({ ...overrides, declaration: { ...overrides.declaration, id, versionId } })
  return { record: 'declaration', content }
}

/** What a reader of received data must say. */
export const customsControl = { 'dostyk-purpose': 'customs-control' }

export type HomeDetail = DeclarationRow & {
  versions: ReadonlyArray<{ version: number; message: string | null; leftOut: unknown }>
}
export type ReceivedDetail = ReceivedRow & { versions: readonly ReceivedVersionRow[] }

/** A declaration of this side with its decision. */
export async function atHome(node: JourneyNode, key: string): Promise<HomeDetail> {
  return await node.get(`/api/v1/declarations/${key}`)
}

/** What a node is shown of a partner's declaration, if anything. */
export async function received(node: JourneyNode, id: string, mode = 'live'): Promise<ReceivedDetail | undefined> {
  const { items } = await node.get<{ items: readonly ReceivedRow[] }>(
    `/api/v1/received?declarationId=${id}&mode=${mode}`,
    { headers: customsControl },
  )
  const [row] = items
  return row && (await node.get<ReceivedDetail>(`/api/v1/received/${row.key}`, { headers: customsControl }))
}

/** Messages that a node sent about a declaration or a leg, newest first. */
export async function sentAbout(node: JourneyNode, key: string): Promise<readonly MessageFate[]> {
  return (await node.get<{ items: readonly MessageFate[] }>(`/api/v1/messages?subject=${key}&direction=out`)).items
}

export async function typesAbout(node: JourneyNode, key: string): Promise<readonly string[]> {
  return (await sentAbout(node, key)).map(({ type }) => type)
}
