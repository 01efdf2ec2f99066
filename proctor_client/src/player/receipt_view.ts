/** The server's signature over what was handed in: as text and as a QR code, to copy or to print. Loaded at the end only. */

import { qrCode } from '../core/qr.ts'
import { h } from '../shared/dom.ts'
import type { ReceiptFacts } from './tab_memory.ts'
import { t } from '../shared/texts.ts'

const QUIET_MODULES = 4

/** The signed text, hidden until somebody wants it, with its QR code beside it. */
export function signedReceipt(facts: ReceiptFacts): HTMLElement {
  const copied = h('span', { class: 'small soft', role: 'status' })
  const copy = h('button', { class: 'button button--small', type: 'button', on: { click: () => void copyText(facts.text, copied) } }, t('receipt.copy'))
  const print = h('button', { class: 'button button--small', type: 'button', on: { click: () => window.print() } }, t('receipt.print'))
  return h(
    'section',
    { class: 'proof', 'aria-label': t('receipt.signed') },
    qrView(facts.text),
    h(
      'div',
      { class: 'stack stack--tight' },
      h('p', { class: 'small' }, t('receipt.signed-hint')),
      h('p', { class: 'row' }, copy, print, copied),
      h('details', { class: 'details' }, h('summary', {}, t('receipt.signed')), h('p', { class: 'code small proof__text' }, facts.text)),
    ),
  )
}

async function copyText(text: string, status: HTMLElement): Promise<void> {
  try {
    await navigator.clipboard.writeText(text)
    status.textContent = t('receipt.copied')
  } catch {
    status.textContent = t('receipt.not-copied')
  }
}

const SVG = 'http://www.w3.org/2000/svg'

function qrView(text: string): SVGSVGElement | null {
  const modules = qrCode(text)
  if (modules === null) return null
  const size = modules.length + 2 * QUIET_MODULES
  const drawing = document.createElementNS(SVG, 'svg')
  const path = document.createElementNS(SVG, 'path')
  let d = ''
  modules.forEach((row, y) => row.forEach((dark, x) => (d += dark ? `M${x + QUIET_MODULES} ${y + QUIET_MODULES}h1v1h-1z` : '')))
  path.setAttribute('d', d)
  for (const [name, value] of [['viewBox', `0 0 ${size} ${size}`], ['class', 'proof__qr'], ['role', 'img'], ['aria-label', t('receipt.qr')], ['shape-rendering', 'crispEdges']] as const) drawing.setAttribute(name, value)
  drawing.append(path)
  return drawing
}
