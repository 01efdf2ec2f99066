/** Essay: a native text area with a word count. */

import type { EssayItem, ResponseValue } from '../shared/api.ts'
import { countWords } from '../core/words.ts'
import { h } from '../shared/dom.ts'
import type { InteractionContext, InteractionView } from './view.ts'
import { t } from '../shared/texts.ts'

export function essayView(item: EssayItem, context: InteractionContext): InteractionView {
  const { entry, prefix } = context
  const id = `${prefix}-${entry.slot}`
  const count = h('p', { class: 'essay__count number' })
  const over = h('p', { class: 'essay__over', 'aria-live': 'polite' })
  const area = h('textarea', { class: 'textarea essay__text', id, rows: 14, spellcheck: 'false', autocomplete: 'off', lang: context.contentLanguage, 'aria-describedby': `${id}-hint` })

  const tally = (): void => {
    const words = countWords(area.value)
    const max = item.max_words
    count.textContent = max > 0 ? t('essay.count-of', { words, max }) : t('essay.count', { words })
    const text = max > 0 && words > max ? t('essay.over', { max }) : ''
    if (over.textContent !== text) over.textContent = text
  }
  area.addEventListener('input', () => {
    tally()
    context.onDraft(area.value)
  })
  area.addEventListener('blur', () => context.onSettle())

  const element = h(
    'div',
    { class: 'essay' },
    h('label', { class: 'essay__label', for: id }, t('essay.label', { position: entry.position })),
    area,
    h('div', { class: 'row row--between' }, h('p', { class: 'small soft', id: `${id}-hint` }, t('essay.hint')), count),
    over,
  )
  tally()

  return {
    element,
    show(value: ResponseValue) {
      const text = typeof value === 'string' ? value : ''
      if (area.value !== text) area.value = text
      tally()
    },
    setReadOnly(on) {
      area.readOnly = on
    },
    choose: () => false,
    type: () => false,
  }
}
