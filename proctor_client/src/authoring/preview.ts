/** Entry of the preview page: an item exactly as the candidate will see it, from the keyless JSON inside the element. */

import './preview.css'

import type { Item, Part, Stimulus } from '../shared/api.ts'
import { choicesOf, type Entry } from '../core/paper.ts'
import { content } from '../interactions/content.ts'
import { itemView } from '../interactions/item_view.ts'
import { h } from '../shared/dom.ts'
import { isLanguage, useLanguage } from '../shared/i18n.ts'
import { t } from '../shared/texts.ts'

interface PreviewData {
  readonly item: Item
  readonly stimulus?: Stimulus | null
  readonly part?: Part | null
  /** Language of the content; the page's own when left out. */
  readonly language?: string
  /** Number shown above the item. */
  readonly position?: number
}

class ItemPreview extends HTMLElement {
  static define(): void {
    customElements.define('item-preview', ItemPreview)
  }

  connectedCallback(): void {
    const source = this.querySelector('script[type="application/json"]')?.textContent
    if (!source) return
    const { item, stimulus = null, part = null, language = document.documentElement.lang, position = 1 } = JSON.parse(source) as PreviewData
    const entry: Entry = { position, slot: item.slot, section: 0, item, stimulus, choices: choicesOf(item, '') }
    const quiet = (): void => undefined
    const view = itemView({ entry, prefix: `preview-${item.slot}-${position}`, contentLanguage: language, onChange: quiet, onDraft: quiet, onSettle: quiet }, part)
    this.replaceChildren(
      ...(stimulus === null
        ? []
        : [h('section', { class: 'preview__passage', 'aria-label': t('item.stimulus') }, stimulus.title !== '' && h('h3', { lang: language }, stimulus.title), content(stimulus.content, language))]),
      view.element,
    )
    this.classList.toggle('preview--passage', stimulus !== null)
  }
}

const { lang } = document.documentElement
useLanguage(isLanguage(lang) ? lang : 'vi')
ItemPreview.define()
