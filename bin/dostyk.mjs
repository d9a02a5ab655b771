#!/usr/bin/env node
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { runWithNode24 } from './node24.mjs'

const cli = join(fileURLToPath(new URL('..', import.meta.url)), 'src', 'platform', 'cli.ts')
runWithNode24(['--disable-warning=ExperimentalWarning', cli, ...process.argv.slice(2)])
