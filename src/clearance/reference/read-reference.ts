import { readFile } from 'node:fs/promises'
import { Fault } from '../../kernel/index.ts'
import { loadReference, type Reference, type ReferenceList, referenceLists } from './reference.ts'

const PUBLISHED_LISTS = new URL('../../../contracts/stop/1.0/annexes/code-lists/', import.meta.url)

/**
 * Reads the published code lists from their folder, once, at start.
 *
 * @param folder the folder of the lists, with a slash at its end; the shipped one when absent
 * @throws Fault `clearance/code-list-unreadable` when a file is away or is no JSON
 */
export async function readReference(folder: URL = PUBLISHED_LISTS): Promise<Reference> {
  const files = await Promise.all(referenceLists.map(async (list) => [list, await readList(folder, list)] as const))
  return loadReference(Object.fromEntries(files) as Record<ReferenceList, unknown>)
}

async function readList(folder: URL, list: ReferenceList): Promise<unknown> {
  try {
    return JSON.parse(await readFile(new URL(`${list}.json`, folder), 'utf8'))
  } catch (cause) {
    throw new Fault('clearance/code-list-unreadable', `The code list ${list} cannot be read`, {
      cause,
      facts: { list },
    })
  }
}
