/**
 * Checks the rules of the house: who may import whom and through which door, that core touches no world, names, words,
 * that codes are listed, that migrations have no gap, and that every test proves something. `--json` for a machine.
 */
import { globSync, readFileSync } from 'node:fs'
import { relative, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { checkHouse } from './house/check-house.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const patterns = ['src/**/*.{ts,md,sql}', 'tests/**/*.ts', 'tools/**/*.ts', 'bin/*.mjs', 'docs/**/*.md']

const files = new Map(
  patterns
    .flatMap((pattern) => globSync(`${root}/${pattern}`))
    .map((path) => [relative(root, path).split(sep).join('/'), readFileSync(path, 'utf8')] as const),
)
const violations = checkHouse(files)
if (process.argv.includes('--json')) process.stdout.write(`${JSON.stringify(violations, undefined, 2)}\n`)
else {
  for (const { file, line, rule, what } of violations) process.stdout.write(`${file}:${line} ${rule}: ${what}\n`)
  process.stdout.write(
    violations.length === 0 ? `the house is in order: ${files.size} files\n` : `${violations.length} places to mend\n`,
  )
}
process.exitCode = violations.length === 0 ? 0 : 1
