/** The board's dialogs: native, modal, closed by Escape; the first field has the focus. */

import { h } from '../shared/dom.ts'
import { t } from '../shared/room_texts.ts'

export interface Form {
  readonly title: string
  readonly action: string
  readonly isDangerous?: boolean
  readonly isWide?: boolean
}

/** Ask by a form; true when it was sent off. */
export function askForm(host: HTMLElement, { title, action, isDangerous = false, isWide = false }: Form, body: readonly HTMLElement[]): Promise<boolean> {
  const form = h(
    'form',
    { class: 'form', method: 'dialog' },
    ...body,
    h(
      'div',
      { class: 'dialog__actions' },
      h('button', { class: 'button', type: 'button', on: { click: () => dialog.close('') } }, t('board.back')),
      h('button', { class: `button ${isDangerous ? 'button--danger' : 'button--primary'}`, type: 'submit', value: 'go' }, action),
    ),
  )
  const dialog = open(host, title, [form], isWide)
  form.querySelector<HTMLElement>('input, select, textarea')?.focus()
  return new Promise((resolve) => dialog.addEventListener('close', () => resolve(dialog.returnValue === 'go')))
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
