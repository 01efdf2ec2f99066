/** Tells the service worker which hashed files make the player's shell: the page's script, styles and fonts. */

import type { Plugin, Rollup } from 'vite'

const PLACE = '__SHELL_FILES__'
export const SHELL_FONTS: RegExp = /(be-vietnam-pro-(latin|vietnamese)-(400|600)-normal|stix-two-math)-[\w-]+\.woff2$/

export interface Shell {
  readonly scripts: readonly string[]
  readonly styles: readonly string[]
  /** Scripts asked for when they are needed; kept with the others, since the network may be gone by then. */
  readonly later: readonly string[]
}

/** Scripts and styles the player's page loads, directly or through imports. */
export function shellOf(bundle: Rollup.OutputBundle): Shell {
  const scripts = new Set<string>()
  const later = new Set<string>()
  const styles = new Set<string>()
  const visit = (name: string): void => {
    const file = bundle[name]
    if (file?.type !== 'chunk' || scripts.has(name)) return
    scripts.add(name)
    for (const style of file.viteMetadata?.importedCss ?? []) styles.add(style)
    for (const next of file.imports) visit(next)
    for (const next of file.dynamicImports) later.add(next)
  }
  const page = Object.values(bundle).find((file) => file.type === 'chunk' && file.facadeModuleId?.endsWith('exam.html'))
  if (page) visit(page.fileName)
  return { scripts: [...scripts], styles: [...styles], later: [...later].filter((name) => !scripts.has(name)) }
}

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
        if (worker?.type !== 'chunk') return
        const { scripts, styles, later } = shellOf(bundle)
        const fonts = Object.keys(bundle).filter((name) => SHELL_FONTS.test(name))
        const files = JSON.stringify([...scripts, ...later, ...styles, ...fonts].sort().map((name) => base + name))
        worker.code = worker.code.replace(new RegExp(`(["'\`])${PLACE}\\1`), () => files)
        if (worker.code.includes(PLACE) || scripts.length === 0) this.error('the list of shell files did not reach the service worker')
      },
    },
  }
}
