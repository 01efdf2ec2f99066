/** Short answer on the character grid: one native text field drawn over its cells. */

import type { ResponseValue, ShortNumericItem } from '../shared/api.ts'
import { clean, hintOf, type NumericHint } from '../core/short_numeric.ts'
import { h } from '../shared/dom.ts'
import type { MessageKey } from '../shared/messages/vi.ts'
import type { InteractionContext, InteractionView } from './view.ts'
import { t } from '../shared/texts.ts'

const HINTS: Readonly<Record<NumericHint, MessageKey>> = {
  empty: 'numeric.hint',
  ok: 'numeric.hint',
  'minus-alone': 'numeric.minus-alone',
  'comma-first': 'numeric.comma-first',
  'comma-last': 'numeric.comma-last',
  'comma-twice': 'numeric.comma-twice',
  'minus-inside': 'numeric.minus-inside',
  'too-long': 'numeric.too-long',
}

export function shortNumericView(item: ShortNumericItem, context: InteractionContext): InteractionView {
  const { entry, prefix } = context
  const max = item.max_characters
  const id = `${prefix}-${entry.slot}`
  const hint = h('p', { class: 'numeric__hint', id: `${id}-hint`, 'aria-live': 'polite' })
  const input = h('input', {
    class: 'numeric__input',
    id,
    type: 'text',
    inputmode: 'decimal',
    autocomplete: 'off',
    autocapitalize: 'off',
    spellcheck: 'false',
    maxlength: max + 4, // room for a sign too many, so that it can be explained instead of vanishing
    'aria-describedby': hint.id,
  })
  const cells = h('div', { class: 'numeric__cells' }, input)
  cells.style.setProperty('--cells', String(max))

  const explain = (kind: NumericHint | 'other'): void => {
    // "-" and "3," are numbers on their way: explained, but not wrong yet.
    const isWrong = kind !== 'ok' && kind !== 'empty' && kind !== 'minus-alone' && kind !== 'comma-last'
    hint.textContent = kind === 'other' ? t('numeric.other') : t(HINTS[kind], { max })
    hint.classList.toggle('numeric__hint--wrong', isWrong)
    if (kind === 'comma-first') input.setAttribute('aria-invalid', 'true')
    else input.removeAttribute('aria-invalid')
  }

  const take = (typed: string, at = input.selectionStart ?? typed.length): void => {
    const text = clean(typed, max)
    const caret = Math.max(0, at - (typed.length - text.length))
    const lost = typed.length > text.length
    if (input.value !== text) {
      input.value = text
      if (document.activeElement === input) input.setSelectionRange(caret, caret)
    }
    const kind = hintOf(typed, max)
    explain(lost && kind === 'ok' ? 'other' : kind)
    context.onChange(text)
  }

  const put = (text: string): void => take(text, text.length)

  input.addEventListener('input', (event) => {
    if (!(event as InputEvent).isComposing) take(input.value)
  })
  input.addEventListener('compositionend', () => take(input.value))

  const press = (label: MessageKey, text: string, change: (value: string) => string): HTMLButtonElement =>
    h('button', { type: 'button', class: 'numeric__key', 'aria-label': t(label), on: { click: () => put(change(input.value)) } }, text)
  const keys = [
    press('numeric.minus', '−', (value) => (value.startsWith('-') ? value.slice(1) : `-${value}`)),
    press('numeric.comma', ',', (value) => `${value},`),
  ]

  const element = h(
    'div',
    { class: 'numeric' },
    h('label', { class: 'numeric__label', for: id }, t('numeric.label', { position: entry.position })),
    h('div', { class: 'numeric__row' }, cells, h('div', { class: 'numeric__keys' }, ...keys)),
    hint,
  )
  explain('empty')

  return {
    element,
    show(value: ResponseValue) {
      const text = typeof value === 'string' ? value : ''
      if (input.value !== text) input.value = text
      explain(hintOf(text, max))
    },
    setReadOnly(on) {
      input.readOnly = on
      for (const key of keys) key.disabled = on
    },
    choose: () => false,
    type(text) {
      if (input.readOnly) return false
      input.focus()
      input.setSelectionRange(input.value.length, input.value.length)
      put(input.value + text)
      return true
    },
  }
}
