/** The board's dialogs: native, modal, closed by Escape; the first field has the focus. */

import { h } from '../shared/dom.ts'
import { t } from '../shared/room_texts.ts'
import type { Outcome } from './outcome.ts'

export interface Form {
  readonly title: string
  readonly action: string
  readonly isDangerous?: boolean
  readonly isWide?: boolean
}

/**
 * Ask by a form and send what was asked for; what came of it, or null when somebody thought better of it. A refusal, or
 * no answer at all, stands in the dialog, which stays open: who presses again sends the same request once more.
 */
export function askForm<Answer>(
  host: HTMLElement,
  { title, action, isDangerous = false, isWide = false }: Form,
  body: readonly HTMLElement[],
  send: () => Promise<Outcome<Answer> | null>,
): Promise<Answer | null> {
  const refusal = h('p', { class: 'alert alert--bad', role: 'alert' })
  refusal.hidden = true
  const go = h('button', { class: `button ${isDangerous ? 'button--danger' : 'button--primary'}`, type: 'submit', value: 'go' }, action)
  const form = h(
    'form',
    { class: 'form', method: 'dialog' },
    ...body,
    refusal,
    h('div', { class: 'dialog__actions' }, h('button', { class: 'button', type: 'button', on: { click: () => dialog.close('') } }, t('board.back')), go),
  )
  const dialog = open(host, title, [form], isWide)
  form.querySelector<HTMLElement>('input, select, textarea')?.focus()
  return new Promise((resolve) => {
    let answer: Answer | null = null
    const ask = async (): Promise<void> => {
      go.disabled = true
      go.setAttribute('aria-busy', 'true')
      const outcome = await send()
      go.disabled = false
      go.removeAttribute('aria-busy')
      if (outcome !== null && 'refusal' in outcome) {
        refusal.textContent = outcome.refusal
        refusal.hidden = false
        go.focus()
        return
      }
      answer = outcome === null ? null : outcome.answer
      dialog.close()
    }
    form.addEventListener('submit', (event) => {
      event.preventDefault()
      if (!go.disabled) void ask()
    })
    dialog.addEventListener('close', () => resolve(answer))
  })
}

/** A dialog that shows something; it removes itself when it is closed. */
export function open(host: HTMLElement, title: string, body: readonly HTMLElement[], isWide = false): HTMLDialogElement {
  const dialog = h('dialog', { class: `dialog${isWide ? ' dialog--wide' : ''}`, 'aria-labelledby': 'act-title' }, h('h2', { class: 'dialog__title', id: 'act-title' }, title), ...body)
  const opener = document.activeElement
  host.append(dialog)
  dialog.addEventListener('close', () => {
    dialog.remove()
    if (opener instanceof HTMLElement && opener.isConnected) opener.focus()
  })
  dialog.showModal()
  return dialog
}

export function field(id: string, label: string, control: HTMLElement, isWide = false): HTMLElement {
  return h('div', { class: `field${isWide ? ' field--wide' : ''}` }, h('label', { class: 'field__label', for: id }, label), control)
}
