/** Short tables that are on the page whole: filter as you type (marks do not matter), sort by a press on the head. */

import { fold, language } from '../shared/i18n.ts'
import { t } from '../shared/staff_texts.ts'
import { h } from '../shared/dom.ts'

export function enhanceTables(page: Document): void {
  page.addEventListener('input', (event) => {
    if (event.target instanceof HTMLInputElement && event.target.dataset['filter']) filter(page, event.target)
  })
  page.addEventListener('click', (event) => {
    const button = event.target instanceof Element ? event.target.closest<HTMLButtonElement>('table[data-sortable] button.sort') : null
    if (button) sort(button)
  })
}

function filter(page: Document, input: HTMLInputElement): void {
  const table = page.querySelector<HTMLTableElement>(input.dataset['filter'] ?? '')
  const body = table?.tBodies[0]
  if (!table || !body) return
  const words = fold(input.value).split(/\s+/).filter(Boolean)
  let shown = 0
  for (const row of body.rows) {
    if (row.dataset['none'] !== undefined) continue
    const text = fold(row.textContent ?? '')
    row.hidden = !words.every((word) => text.includes(word))
    if (!row.hidden) shown += 1
  }
  const note = body.querySelector<HTMLTableRowElement>('tr[data-none]')
  if (shown > 0) note?.remove()
  else if (!note) body.append(h('tr', { 'data-none': true }, h('td', { colspan: table.rows[0]?.cells.length ?? 1, class: 'soft' }, t('filter.none'))))
}

function sort(button: HTMLButtonElement): void {
  const head = button.closest('th')
  const table = button.closest('table')
  const body = table?.tBodies[0]
  if (!head || !table || !body) return
  const isAscending = head.getAttribute('aria-sort') !== 'ascending'
  for (const other of table.querySelectorAll('th[aria-sort]')) other.removeAttribute('aria-sort')
  head.setAttribute('aria-sort', isAscending ? 'ascending' : 'descending')
  const column = head.cellIndex
  const order = new Intl.Collator(language(), { numeric: true })
  const keyOf = (row: HTMLTableRowElement): string => row.cells[column]?.dataset['sort'] ?? row.cells[column]?.textContent?.trim() ?? ''
  const rows = [...body.rows].sort((a, b) => order.compare(keyOf(a), keyOf(b)))
  body.append(...(isAscending ? rows : rows.reverse()))
}
