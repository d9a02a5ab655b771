import { readdirSync, readFileSync } from 'node:fs'
import { join, sep } from 'node:path'
import { Fault } from '../kernel/index.ts'
import type { Law } from './law.ts'
import { parseTreaties } from './parse-treaties.ts'

/**
 * Reads the law from a treaties folder.
 *
 * Why: read once at the start and before anything is opened, so it may block; a folder that does not read stops the
 * start.
 * @param folder holds a folder per instrument, and open-questions.json
 * @throws Fault `law/treaty-unreadable`
 */
export function readTreaties(folder: string): Law {
  return parseTreaties(readFiles(folder))
}

function readFiles(folder: string): Array<{ path: string; text: string }> {
  try {
    return readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((path) => path.endsWith('.json'))
      .map((path) => ({ path: path.split(sep).join('/'), text: readFileSync(join(folder, path), 'utf8') }))
  } catch (cause) {
    throw new Fault('law/treaty-unreadable', `the treaties folder ${folder} cannot be read`, {
      cause,
      facts: { path: folder, pointer: '' },
    })
  }
}
