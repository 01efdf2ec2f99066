/** A block of item content: sanitised, marked with its language. */

import { h } from '../shared/dom.ts'
import { sanitise } from '../shared/sanitise.ts'

export function content(markup: string, language: string, className = 'content'): HTMLDivElement {
  const block = h('div', { class: className, lang: language })
  block.append(sanitise(markup))
  return block
}
