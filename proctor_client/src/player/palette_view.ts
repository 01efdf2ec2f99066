/** The palette: a numbered cell for every item, by section, with a legend. */

import { judgedStatements } from '../core/completeness.ts'
import { CELL_STATES, type Cell, cellsOf, tally } from '../core/palette.ts'
import type { Entry } from '../core/paper.ts'
import { h } from '../shared/dom.ts'
import type { ExamSession } from './session.ts'
import { t } from '../shared/texts.ts'

export function paletteView(session: ExamSession, signal: AbortSignal, pick: (position: number) => void): HTMLElement {
  const buttons = new Map<number, HTMLButtonElement>()
  const count = h('p', { class: 'palette-count number' })

  const cellButton = (entry: Entry): HTMLButtonElement => {
    const button = h('button', { class: 'cell', type: 'button', on: { click: () => pick(entry.position) } }, entry.position)
    buttons.set(entry.slot, button)
    return button
  }
  const sections = session.paper.sections.map((section) =>
    h(
      'section',
      { class: 'palette-part' },
      section.part.title !== '' && session.paper.sections.length > 1 && h('h3', { class: 'palette-part__title' }, shortTitle(section.part.title)),
      h('ol', { class: 'palette' }, ...section.entries.map((entry) => h('li', {}, cellButton(entry)))),
    ),
  )

  const update = (): void => {
    const cells = cellsOf(session.paper, session.book, session.marks)
    for (const cell of cells) {
      const button = buttons.get(cell.entry.slot)
      if (!button) continue
      const name = `cell cell--${cell.state}${cell.completeness === 'part' ? ' cell--partly' : ''}`
      if (button.className !== name) button.className = name
      button.setAttribute('aria-label', cellLabel(cell, session))
      if (cell.entry.position === session.marks.position) button.setAttribute('aria-current', 'true')
      else button.removeAttribute('aria-current')
    }
    const sums = tally(cells)
    count.textContent = t('palette.count', { answered: sums.answered, total: sums.total })
  }
  update()
  session.on('responses', update, signal)
  session.on('marks', update, signal)
  session.on('position', update, signal)

  return h(
    'nav',
    { class: 'palette-view', 'aria-label': t('palette.title') },
    h('div', { class: 'row row--between' }, h('h2', { class: 'palette-view__title' }, t('palette.title')), count),
    ...sections,
    legend(),
  )
}

export function cellLabel(cell: Cell, session: ExamSession): string {
  const { entry, completeness } = cell
  const part = completeness === 'part' ? `, ${t('palette.partly', { done: judgedStatements(session.value(entry.slot)), total: entry.choices.length })}` : ''
  return t('palette.cell', { position: entry.position, state: t(`palette.${cell.state}`) }) + part
}

function legend(): HTMLElement {
  return h(
    'details',
    { class: 'legend', open: true },
    h('summary', {}, t('palette.legend')),
    h('ul', { class: 'legend__list' }, ...CELL_STATES.map((state) => h('li', {}, h('span', { class: `cell cell--sample cell--${state}`, 'aria-hidden': 'true' }), t(`palette.${state}`)))),
  )
}

/** "PHẦN I. Câu trắc nghiệm nhiều phương án" is "PHẦN I" where there is little room. */
export function shortTitle(title: string): string {
  const head = title.split(/[.:]/)[0]?.trim() ?? ''
  return head.length >= 3 && head.length <= 16 ? head : title
}
