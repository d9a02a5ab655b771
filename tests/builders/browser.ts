/**
 * A real browser for tests: the one of CHROMIUM_PATH, the machine's own, or the one a development package brings, which
 * is unpacked with its libraries into a folder of its own and needs nothing else on the machine.
 */
import { existsSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { inflate } from '@sparticuz/chromium'
import { type Browser, chromium } from 'playwright-core'

const installed = [process.env['CHROMIUM_PATH'], '/usr/bin/chromium', '/usr/bin/chromium-browser']

const flags = [
  '--no-sandbox',
  '--no-zygote',
  '--disable-gpu',
  '--disable-dev-shm-usage',
  '--disable-webgl',
  '--font-render-hinting=none',
]

export interface TestBrowser {
  readonly browser: Browser
  close(): Promise<void>
}

/** Starts a browser; close it, and what was unpacked for it is gone. */
export async function openBrowser(): Promise<TestBrowser> {
  const own = installed.find((path) => path !== undefined && existsSync(path))
  const unpacked = own === undefined ? await unpack() : undefined
  const executablePath = own ?? unpacked?.executablePath ?? ''
  try {
    const env = { ...process.env, ...unpacked?.env } as Record<string, string>
    const browser = await chromium.launch({ executablePath, args: flags, env })
    return {
      browser,
      close: async () => {
        await browser.close()
        await unpacked?.remove()
      },
    }
  } catch (error) {
    await unpacked?.remove()
    throw error
  }
}

interface Unpacked {
  readonly executablePath: string
  readonly env: Readonly<Record<string, string>>
  remove(): Promise<void>
}

async function unpack(): Promise<Unpacked> {
  const folder = await mkdtemp(join(tmpdir(), 'dostyk-browser-'))
  const packed = fileURLToPath(new URL('../bin/', import.meta.resolve('@sparticuz/chromium')))
  // The package unpacks into the system's temporary folder, whatever that is when it is called.
  const before = process.env['TMPDIR']
  process.env['TMPDIR'] = folder
  try {
    for (const archive of ['chromium.br', 'fonts.tar.br', 'al2023.tar.br']) await inflate(join(packed, archive))
  } finally {
    if (before === undefined) delete process.env['TMPDIR']
    else process.env['TMPDIR'] = before
  }
  // Its own font configuration looks in places that another system has.
  const places = [join(folder, 'fonts'), '/usr/share/fonts'].map((place) => `<dir>${place}</dir>`).join('')
  const fontConfig = `<?xml version="1.0"?><fontconfig>${places}<cachedir>${join(folder, 'font-cache')}</cachedir></fontconfig>`
  await writeFile(join(folder, 'fonts', 'fonts.conf'), fontConfig)
  return {
    executablePath: join(folder, 'chromium'),
    env: {
      LD_LIBRARY_PATH: [join(folder, 'al2023', 'lib'), process.env['LD_LIBRARY_PATH']].filter(Boolean).join(':'),
      FONTCONFIG_PATH: join(folder, 'fonts'),
      HOME: folder,
      TMPDIR: folder,
    },
    remove: () => rm(folder, { recursive: true, force: true }),
  }
}
