// Runs a script with the Node.js 24 that npm installed beside the project, whatever Node.js started this file.
import { spawn } from 'node:child_process'
import { createRequire } from 'node:module'
import { constants } from 'node:os'
import { dirname, join } from 'node:path'

/** @returns {string} the path of a Node.js of at least version 24, or a sentence that says what to do */
export function findNode24() {
  if (Number(process.versions.node.split('.')[0]) >= 24) return process.execPath
  const name = `node-${process.platform === 'win32' ? 'win' : process.platform}-${process.arch}`
  try {
    const folder = dirname(createRequire(import.meta.url).resolve(`${name}/package.json`))
    return join(folder, 'bin', process.platform === 'win32' ? 'node.exe' : 'node')
  } catch {
    process.stderr.write(
      `Dostyk runs on Node.js 24 and this is ${process.version}. The package ${name} that brings it is not installed: ` +
        'run "npm ci" without --omit=optional, or install Node.js 24 and start again.\n',
    )
    process.exit(69)
  }
}

/** Starts Node.js 24 with these arguments, passes signals on, and ends as it ended. */
export function runWithNode24(args) {
  const child = spawn(findNode24(), args, { stdio: 'inherit' })
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
  child.on('exit', (code, signal) => process.exit(code ?? 128 + (constants.signals[signal ?? 'SIGTERM'] ?? 15)))
}

if (process.argv[1] && import.meta.filename === process.argv[1]) runWithNode24(process.argv.slice(2))
