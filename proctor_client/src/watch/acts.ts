/** The two dialogs of the board. Each says, before anything is sent, what will happen and to whom. */

import { h } from '../shared/dom.ts'
import type { StaffMessageKey } from '../shared/messages/vi_staff.ts'
import { t } from '../shared/staff_texts.ts'
import { type Audience, audienceName } from './audience.ts'

const REASONS = ['machine', 'network', 'power', 'health', 'late', 'accommodation', 'other'] as const
const QUICK_MINUTES = [2, 5, 10, 15]
const LONGEST_MINUTES = 240
const LONGEST_MESSAGE = 1000

export async function askTime(host: HTMLElement, audience: Audience): Promise<{ minutes: number; reason: string } | null> {
  const who = audienceName(audience)
  const minutes = h('input', { class: 'input input--short', id: 'act-minutes', type: 'number', min: 1, max: LONGEST_MINUTES, step: 1, value: 5, required: true, inputmode: 'numeric' })
  const reason = h('select', { class: 'select', id: 'act-reason' }, ...REASONS.map((name) => h('option', { value: name }, t(`board.reason-${name}`))))
  const effect = h('p', { class: 'alert', role: 'status' })
  const update = (): void => {
    effect.textContent = minutes.checkValidity() ? t('board.time-effect', { who: capital(who), minutes: minutes.valueAsNumber }) : t('board.time-range', { max: LONGEST_MINUTES })
  }
  minutes.addEventListener('input', update)
  update()
  const quick = QUICK_MINUTES.map((count) =>
    h('button', { class: 'button button--small', type: 'button', on: { click: () => { minutes.value = String(count); update() } } }, t('board.age-minutes', { count })),
  )
  const given = await ask(host, t('board.add-time-title', { who }), 'board.give', [
    h('div', { class: 'field' }, h('label', { class: 'field__label', for: 'act-minutes' }, t('board.minutes-label')), h('div', { class: 'row' }, minutes, h('div', { class: 'button-group' }, ...quick))),
    h('div', { class: 'field' }, h('label', { class: 'field__label', for: 'act-reason' }, t('board.reason-label')), reason),
    effect,
  ])
  return given ? { minutes: minutes.valueAsNumber, reason: reason.selectedOptions[0]?.textContent ?? reason.value } : null
}

export async function askMessage(host: HTMLElement, audience: Audience): Promise<string | null> {
  const who = audienceName(audience)
  const text = h('textarea', { class: 'textarea', id: 'act-text', rows: 3, maxlength: LONGEST_MESSAGE, required: true })
  const given = await ask(host, t('board.message-title', { who }), 'board.send', [
    h('div', { class: 'field field--wide' }, h('label', { class: 'field__label', for: 'act-text' }, t('board.message-label')), text),
    h('p', { class: 'alert' }, t('board.message-effect', { who: capital(who) })),
  ])
  return given && text.value.trim() !== '' ? text.value.trim() : null
}

function ask(host: HTMLElement, title: string, action: StaffMessageKey, body: readonly HTMLElement[]): Promise<boolean> {
  const form = h(
    'form',
    { class: 'form', method: 'dialog' },
    ...body,
    h(
      'div',
      { class: 'dialog__actions' },
      h('button', { class: 'button', type: 'button', on: { click: () => dialog.close('') } }, t('confirm-act.back')),
      h('button', { class: 'button button--primary', type: 'submit', value: 'go' }, t(action)),
    ),
  )
  const dialog = h('dialog', { class: 'dialog', 'aria-labelledby': 'act-title' }, h('h2', { class: 'dialog__title', id: 'act-title' }, title), form)
  host.append(dialog)
  return new Promise((resolve) => {
    dialog.addEventListener('close', () => {
      dialog.remove()
      resolve(dialog.returnValue === 'go')
    })
    dialog.showModal()
    form.querySelector<HTMLElement>('input, textarea')?.focus()
  })
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}
