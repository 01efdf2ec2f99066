/** Dangerous acts ask first: `data-confirm` says what will happen, the button says what it does. */

import { h } from '../shared/dom.ts'
import { t } from '../shared/staff_texts.ts'

/** Elements whose next click has been agreed to. */
const AGREED = new WeakSet<HTMLElement>()

export function confirmActs(page: Document): void {
  // In the capturing phase, so that neither the form nor HTMX sees the click before the answer.
  page.addEventListener('click', (event) => void intercept(event), { capture: true })
}

async function intercept(event: MouseEvent): Promise<void> {
  const target = event.target instanceof Element ? event.target.closest<HTMLElement>('[data-confirm]') : null
  if (!target || target.matches(':disabled') || AGREED.delete(target)) return
  if (target instanceof HTMLButtonElement && target.form && !target.formNoValidate && !target.form.noValidate && !target.form.checkValidity()) return
  event.preventDefault()
  event.stopImmediatePropagation()
  if (await ask(target)) {
    AGREED.add(target)
    target.click()
  }
}

function ask(target: HTMLElement): Promise<boolean> {
  const { confirm, confirmTitle, confirmAction, confirmDanger } = target.dataset
  const isDangerous = confirmDanger !== undefined || target.classList.contains('button--danger')
  return askBefore({
    title: confirmTitle ?? t('confirm-act.title'),
    text: confirm ?? '',
    action: confirmAction ?? (target.textContent?.trim() || t('confirm-act.go')),
    isDangerous,
  })
}

export interface Question {
  readonly title: string
  readonly text: string
  readonly action: string
  readonly isDangerous?: boolean
}

/** A native modal dialog; the answer that changes nothing has the focus. */
export function askBefore({ title, text, action, isDangerous = false }: Question): Promise<boolean> {
  const close = (value: string): void => dialog.close(value)
  const back = h('button', { class: 'button', type: 'button', on: { click: () => close('') } }, t('confirm-act.back'))
  const go = h('button', { class: `button ${isDangerous ? 'button--danger' : 'button--primary'}`, type: 'button', on: { click: () => close('go') } }, action)
  const dialog = h(
    'dialog',
    { class: 'dialog', 'aria-labelledby': 'confirm-title', 'aria-describedby': 'confirm-text' },
    h('h2', { class: 'dialog__title', id: 'confirm-title' }, title),
    h('div', { id: 'confirm-text', class: 'stack' }, ...text.split('\n').map((line) => h('p', {}, line))),
    h('div', { class: 'dialog__actions' }, back, go),
  )
  document.body.append(dialog)
  return new Promise((resolve) => {
    dialog.addEventListener('close', () => {
      dialog.remove()
      resolve(dialog.returnValue === 'go')
    })
    dialog.showModal()
    back.focus()
  })
}
