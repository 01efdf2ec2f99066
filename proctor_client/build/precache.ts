/** Tells the service worker which hashed files make the player's shell: the page's script, styles and fonts. */

import type { Plugin } from 'vite'

const PLACE = '__SHELL_FILES__'
const SHELL_FONTS = /(be-vietnam-pro-(latin|vietnamese)-(400|600)-normal|stix-two-math)-[\w-]+\.woff2$/

export function precache(): Plugin {
  let base = '/'
  return {
    name: 'precache',
    enforce: 'post',
    configResolved(config) {
      base = config.base
    },
    generateBundle: {
      order: 'post',
      handler(_options, bundle) {
        const worker = bundle['exam/worker.js']
        const player = Object.values(bundle).find((file) => file.type === 'chunk' && file.facadeModuleId?.endsWith('exam.html'))
        if (worker?.type !== 'chunk' || player?.type !== 'chunk') return
        const scripts = new Set<string>()
        const styles = new Set<string>()
        const visit = (name: string): void => {
          const file = bundle[name]
          if (file?.type !== 'chunk' || scripts.has(name)) return
          scripts.add(name)
          for (const style of file.viteMetadata?.importedCss ?? []) styles.add(style)
          for (const next of file.imports) visit(next)
        }
        visit(player.fileName)
        const fonts = Object.keys(bundle).filter((name) => SHELL_FONTS.test(name))
        const files = [...scripts, ...styles, ...fonts].sort().map((name) => base + name)
        worker.code = worker.code.replace(`"${PLACE}"`, JSON.stringify(files)).replace(`\`${PLACE}\``, JSON.stringify(files))
        if (worker.code.includes(PLACE)) this.error('the list of shell files did not reach the service worker')
      },
    },
  }
}
