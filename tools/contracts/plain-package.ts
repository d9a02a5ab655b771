/**
 * The contract of a protocol is a folder of prose, schemas and examples. Its index names each file with its digest and
 * one digest over all; a frozen one never changes.
 */
import { canonicalJson } from '../../src/kernel/index.ts'
import { digestOf } from '../../src/law/index.ts'
import { type PackageFindings, prettyJson, sha256Text } from './stop-package.ts'

/** A JSON file is digested by its content, any other by its bytes. */
function fileDigest(file: string, text: string): string {
  if (!file.endsWith('.json')) return sha256Text(text)
  try {
    return sha256Text(canonicalJson(JSON.parse(text)))
  } catch {
    // An example of what is no JSON is a file like any other.
    return sha256Text(text)
  }
}

/** @param texts every file of the folder by path; what else the index says is kept */
export function makePlainPackage(texts: ReadonlyMap<string, string>): PackageFindings {
  const files = [...texts]
    .filter(([file]) => file !== 'index.json' && file !== 'frozen.json')
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([file, text]) => ({ file, digest: fileDigest(file, text) }))
  const digest = digestOf(Object.fromEntries(files.map(({ file, digest }) => [file, digest])))
  const earlier: Record<string, unknown> = JSON.parse(texts.get('index.json') ?? '{}')
  const frozen: { digest?: unknown } | undefined = texts.has('frozen.json')
    ? JSON.parse(texts.get('frozen.json') ?? '{}')
    : undefined
  const status = frozen ? 'frozen' : 'draft'
  const changed = frozen !== undefined && frozen.digest !== digest
  return {
    generated: changed ? new Map() : new Map([['index.json', prettyJson({ ...earlier, status, digest, files })]]),
    problems: changed ? ['The version is frozen and has changed: a change is a new version'] : [],
    digests: [['all files', digest]],
    status,
  }
}

/** What freezes a protocol's contract from a day on: the record of its digest. */
export function freezePlainPackage(texts: ReadonlyMap<string, string>, on: string): ReadonlyMap<string, string> {
  const [[, digest] = ['', '']] = makePlainPackage(texts).digests
  return new Map([['frozen.json', prettyJson({ frozenOn: on, digest })]])
}
