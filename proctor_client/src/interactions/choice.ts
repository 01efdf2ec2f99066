/** Single and multiple choice: native radios and checkboxes under a row that can be pressed anywhere. */

import type { MultipleChoiceItem, ResponseValue, SingleChoiceItem } from '../shared/api.ts'
import { h } from '../shared/dom.ts'
import { content } from './content.ts'
import type { InteractionContext, InteractionView } from './view.ts'
import { t } from '../shared/texts.ts'

export function choiceView(item: SingleChoiceItem | MultipleChoiceItem, context: InteractionContext): InteractionView {
  const { entry, prefix } = context
  const isMany = item.kind === 'multiple_choice'
  const maximum = item.kind === 'multiple_choice' ? item.maximum : 1
  const name = `${prefix}-${entry.slot}`
  const note = h('p', { class: 'choices__note', 'aria-live': 'polite', id: `${name}-note` }, isMany ? manyNote(maximum) : '')
  const inputs = entry.choices.map((choice) =>
    h('input', { class: 'choice__input', type: isMany ? 'checkbox' : 'radio', name, id: `${name}-${choice.letter}`, value: choice.value }),
  )

  const chosen = (): string[] => inputs.filter((input) => input.checked).map((input) => input.value)
  const tell = (): void => context.onChange(isMany ? chosen().sort() : (chosen()[0] ?? null))

  inputs.forEach((input) =>
    input.addEventListener('change', () => {
      if (isMany && maximum > 0 && chosen().length > maximum) {
        input.checked = false
        note.textContent = t('choice.full', { maximum })
        return
      }
      if (isMany) note.textContent = manyNote(maximum)
      tell()
    }),
  )

  const element = h(
    'fieldset',
    { class: isMany ? 'choices choices--many' : 'choices', 'aria-describedby': isMany ? note.id : null },
    h('legend', { class: 'visually-hidden' }, t('choice.legend', { position: entry.position })),
    isMany && note,
    ...entry.choices.map((choice, index) =>
      h(
        'div',
        { class: 'choice' },
        inputs[index],
        h(
          'label',
          { class: 'choice__row', for: `${name}-${choice.letter}` },
          h('span', { class: 'choice__letter' }, choice.letter),
          content(choice.content, context.contentLanguage, 'choice__content content'),
        ),
      ),
    ),
  )

  return {
    element,
    show(value: ResponseValue) {
      const held = Array.isArray(value) ? value : [value]
      for (const input of inputs) input.checked = held.includes(input.value)
    },
    setReadOnly(on) {
      element.disabled = on
    },
    choose(index) {
      const input = inputs[index]
      if (!input || element.disabled) return false
      input.focus()
      input.click()
      return true
    },
    type: () => false,
  }
}

function manyNote(maximum: number): string {
  return maximum > 0 ? t('choice.at-most', { maximum }) : t('choice.many')
}
