/** The way in when the network is out at the start: the room's release code, read out by the invigilator. */

import { CODE_LENGTH, formatCode, readCode } from '../core/entry_codes.ts'
import { freshId, h } from '../shared/dom.ts'
import type { AppContext } from './context.ts'
import { WrongCode, WrongMoment } from './opening.ts'
import { t } from '../shared/texts.ts'

export function codeStartView(app: AppContext, attemptId: string): HTMLElement {
  const id = freshId('release-code')
  const error = h('p', { class: 'field__error', id: `${id}-error`, role: 'alert' })
  const input = h('input', { class: 'input input--code', id, type: 'text', autocomplete: 'off', autocapitalize: 'characters', spellcheck: 'false', 'aria-describedby': `${id}-hint ${id}-error` })
  const button = h('button', { class: 'button button--block', type: 'submit' }, t('code-start.submit'))
  const complain = (text: string): void => {
    error.textContent = text
    error.hidden = text === ''
    if (text === '') input.removeAttribute('aria-invalid')
    else {
      input.setAttribute('aria-invalid', 'true')
      input.focus()
    }
  }
  complain('')
  input.addEventListener('blur', () => (input.value = formatCode(input.value)))
  const send = async (): Promise<void> => {
    const typed = readCode(input.value).length
    if (typed < CODE_LENGTH) return complain(t('code-start.short', { count: typed }))
    complain('')
    button.disabled = true
    button.textContent = t('code-start.busy')
    try {
      await app.startByCode(attemptId, input.value)
    } catch (caught) {
      complain(t(caught instanceof WrongCode ? 'code-start.wrong' : caught instanceof WrongMoment ? (caught.isEarly ? 'waiting.not-yet' : 'waiting.late') : 'error.start'))
    } finally {
      button.disabled = false
      button.textContent = t('code-start.submit')
    }
  }
  return h(
    'form',
    { class: 'form code-start', novalidate: true, on: { submit: (event) => { event.preventDefault(); void send() } } },
    h('h3', {}, t('code-start.title')),
    h('p', { class: 'field__hint', id: `${id}-hint` }, t('code-start.hint')),
    h('div', { class: 'field field--wide' }, h('label', { class: 'field__label', for: id }, t('code-start.label')), input, error),
    button,
  )
}
