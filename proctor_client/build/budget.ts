/** The player must stay small: the build fails when script or fonts outgrow what an old computer on a weak network can take. */

import { gzipSync } from 'node:zlib'
import type { Plugin } from 'vite'
import { SHELL_FONTS, shellOf } from './precache.ts'

const SCRIPT_BYTES = 40 * 1000
const FONT_BYTES = 126 * 1000

export function budget(): Plugin {
  return {
    name: 'budget',
    enforce: 'post',
    generateBundle: {
      order: 'post',
      handler(_options, bundle) {
        const { scripts, later } = shellOf(bundle)
        const weigh = (name: string): number => {
          const file = bundle[name]
          return file?.type === 'chunk' ? gzipSync(file.code).length : (file?.source.length ?? 0)
        }
        const sum = (names: readonly string[]): number => names.reduce((total, name) => total + weigh(name), 0)
        const script = sum(scripts)
        const fonts = sum(Object.keys(bundle).filter((name) => SHELL_FONTS.test(name)))
        console.info(`player: ${(script / 1000).toFixed(1)} kB of script (gzip) and ${(sum(later) / 1000).toFixed(1)} kB at the end, ${(fonts / 1000).toFixed(1)} kB of fonts`)
        if (scripts.length === 0) this.error('the player was not found in the bundle')
        if (script > SCRIPT_BYTES) this.error(`the player's script is ${script} bytes gzipped, more than ${SCRIPT_BYTES}`)
        if (fonts > FONT_BYTES) this.error(`the player's fonts are ${fonts} bytes, more than ${FONT_BYTES}`)
      },
    },
  }
}
