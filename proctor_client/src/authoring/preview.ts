/** Entry of the preview page: an item exactly as the candidate will see it, from the keyless JSON inside the element. */

import './preview.css'

import type { Item } from '../shared/api.ts'
import { choicesOf, type Entry } from '../core/paper.ts'
import { content } from '../interactions/content.ts'
import { itemView } from '../interactions/item_view.ts'
import { h } from '../shared/dom.ts'
import { isLanguage, useLanguage } from '../shared/i18n.ts'
import { loadTexts, t } from '../shared/texts.ts'

/** An item of the keyless form, with its passage beside it. */
type PreviewData = Item & { readonly stimulus_content?: { readonly title: string; readonly content: string } }

class ItemPreview extends HTMLElement {
  static define(): void {
    customElements.define('item-preview', ItemPreview)
  }

  connectedCallback(): void {
    const source = this.querySelector('script[type="application/json"]')?.textContent
    if (!source) return
    const item = JSON.parse(source) as PreviewData
    const passage = item.stimulus_content ?? null
    const language = this.lang || document.documentElement.lang
    const entry: Entry = { position: 1, slot: item.slot, section: 0, item, stimulus: null, choices: choicesOf(item, '') }
    const quiet = (): void => undefined
    const view = itemView({ entry, prefix: 'preview', contentLanguage: language, onChange: quiet, onDraft: quiet, onSettle: quiet }, null)
    const side =
      passage === null
        ? []
        : [h('section', { class: 'preview__passage', 'aria-label': t('item.stimulus') }, passage.title !== '' && h('h2', { class: 'preview__title', lang: language }, passage.title), content(passage.content, language))]
    this.replaceChildren(...side, view.element)
    this.lang = document.documentElement.lang // labels are in the page's language, contents say their own
  }
}

const { lang } = document.documentElement
const language = isLanguage(lang) ? lang : 'vi'
void loadTexts(language).then(
  () => useLanguage(language),
  () => undefined,
).then(() => ItemPreview.define())
