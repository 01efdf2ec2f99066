/** Toasts: short news in a corner, read out politely. The server sends them as HX-Trigger, or as <p data-toast="good">. */

import { h, sign } from '../shared/dom.ts'
import { t } from '../shared/staff_texts.ts'

export type ToastKind = '' | 'good' | 'warn' | 'bad'

const STAYS_MS = 8_000
const STAYS_WITH_ACTION_MS = 20_000

function corner(): HTMLElement {
  const found = document.querySelector<HTMLElement>('.toasts')
  if (found) return found
  const made = h('div', { class: 'toasts', role: 'status', 'aria-live': 'polite' })
  document.body.append(made)
  return made
}

/** A way back, offered together with the news. */
export interface ToastAction {
  readonly text: string
  readonly go: () => void
}

/** Bad news stays until it is closed; good news leaves by itself, later when it offers a way back. */
export function toast(text: string, kind: ToastKind = '', action?: ToastAction): void {
  const element = h(
    'div',
    { class: `toast${kind === '' ? '' : ` toast--${kind}`}` },
    h('p', {}, text),
    action ? h('button', { class: 'button button--small', type: 'button', on: { click: () => { element.remove(); action.go() } } }, action.text) : null,
    h('button', { class: 'button button--quiet button--small button--icon', type: 'button', 'aria-label': t('toast.close'), on: { click: () => element.remove() } }, sign('close')),
  )
  corner().append(element)
  if (kind !== 'bad' && kind !== 'warn') setTimeout(() => element.remove(), action ? STAYS_WITH_ACTION_MS : STAYS_MS)
}

function isKind(text: string): text is ToastKind {
  return ['', 'good', 'warn', 'bad'].includes(text)
}

export function showToasts(page: Document): void {
  for (const held of page.querySelectorAll<HTMLElement>('[data-toast]')) {
    const kind = held.dataset['toast'] ?? ''
    toast(held.textContent?.trim() ?? '', isKind(kind) ? kind : '')
    held.remove()
  }
  page.addEventListener('toast', (event) => {
    const { text, kind } = (event as CustomEvent<{ text?: string; kind?: string }>).detail
    if (text) toast(text, kind !== undefined && isKind(kind) ? kind : '')
  })
}
