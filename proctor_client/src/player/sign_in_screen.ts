/** The door: exam, candidate number, entry code; tolerant of how people type, exact about what is missing. */

import { CODE_LENGTH, formatCode, readCode, readNumber } from '../core/entry_codes.ts'
import { h } from '../shared/dom.ts'
import type { MessageKey } from '../shared/messages/vi.ts'
import type { AppContext } from './context.ts'
import type { Screen } from './screen.ts'
import { Refused } from './server.ts'
import { toolsView } from './tools.ts'
import { t } from '../shared/texts.ts'

export interface DoorPreset {
  readonly exam: string
  readonly number: string
  readonly isReturn: boolean
}

interface Field {
  readonly root: HTMLElement
  readonly input: HTMLInputElement
  complain(text: string): void
}

export function signInScreen(app: AppContext, preset: DoorPreset, signal: AbortSignal): Screen {
  const exam = field('exam', 'sign-in.exam', preset.exam, {})
  const number = field('number', 'sign-in.number', preset.number, { inputmode: 'numeric', class: 'input input--code' })
  const code = field('code', 'sign-in.code', '', { class: 'input input--code', autocapitalize: 'characters' }, 'sign-in.code-hint')
  const alert = h('div', { class: 'alert alert--bad', role: 'alert' })
  alert.hidden = true
  const submit = h('button', { class: 'button button--primary button--large button--block', type: 'submit' }, t('sign-in.submit'))

  number.input.addEventListener('blur', () => (number.input.value = readNumber(number.input.value)))
  code.input.addEventListener('blur', () => (code.input.value = formatCode(code.input.value)))

  const missing = (): Field | null => {
    let first: Field | null = null
    const need = (each: Field, complaint: string): void => {
      each.complain(complaint)
      if (complaint !== '') first ??= each
    }
    need(exam, exam.input.value.trim() === '' ? t('sign-in.empty') : '')
    need(number, readNumber(number.input.value) === '' ? t('sign-in.empty') : '')
    const typed = readCode(code.input.value).length
    need(code, typed === 0 ? t('sign-in.empty') : typed < CODE_LENGTH ? t('sign-in.code-short', { count: typed }) : '')
    return first
  }

  const send = async (): Promise<void> => {
    alert.hidden = true
    const first = missing()
    if (first) {
      first.input.focus()
      return
    }
    submit.setAttribute('aria-busy', 'true')
    submit.disabled = true
    submit.textContent = t('sign-in.busy')
    try {
      await app.signIn(exam.input.value.trim(), readNumber(number.input.value), formatCode(code.input.value))
    } catch (error) {
      alert.textContent = error instanceof Refused ? (error.status === 401 || error.status === 403 || error.status === 404 ? t('sign-in.refused') : error.message) : t('sign-in.offline')
      alert.hidden = false
      submit.disabled = false
      submit.removeAttribute('aria-busy')
      submit.textContent = t('sign-in.submit')
      ;(error instanceof Refused ? code.input : submit).focus()
    }
  }

  const heading = h('h1', {}, t('sign-in.title'))
  const form = h(
    'form',
    { class: 'form', novalidate: true, on: { submit: (event) => { event.preventDefault(); void send() } } },
    alert,
    exam.root,
    number.root,
    code.root,
    submit,
  )
  const element = h(
    'div',
    { class: 'door squared' },
    h('header', { class: 'door__bar' }, h('p', { class: 'shell__brand' }, h('span', { class: 'brand-mark', 'aria-hidden': 'true' }, 'E'), t('app.name')), toolsView({ signal, hasKeys: false, switchLanguage: app.switchLanguage })),
    h(
      'main',
      { class: 'door__card card' },
      heading,
      preset.isReturn ? h('p', { class: 'alert alert--warn' }, t('sign-in.again')) : h('p', { class: 'lead' }, t('sign-in.lead')),
      form,
      h('p', { class: 'small soft door__note' }, t('sign-in.kept')),
    ),
  )
  const first = preset.exam === '' ? exam : preset.number === '' ? number : code
  return { element, focus: () => first.input.focus() }
}

function field(name: string, label: MessageKey, value: string, attributes: Readonly<Record<string, string>>, hint?: MessageKey): Field {
  const error = h('p', { class: 'field__error', id: `${name}-error` })
  error.hidden = true
  const note = hint === undefined ? null : h('p', { class: 'field__hint', id: `${name}-hint` }, t(hint))
  const input = h('input', {
    class: 'input',
    id: name,
    name,
    value,
    type: 'text',
    autocomplete: 'off',
    autocapitalize: 'off',
    spellcheck: 'false',
    'aria-describedby': [note?.id, error.id].filter(Boolean).join(' '),
    ...attributes,
  })
  return {
    root: h('div', { class: 'field field--wide' }, h('label', { class: 'field__label', for: name }, t(label)), input, error, note),
    input,
    complain(text) {
      error.textContent = text
      error.hidden = text === ''
      if (text === '') input.removeAttribute('aria-invalid')
      else input.setAttribute('aria-invalid', 'true')
    },
  }
}
