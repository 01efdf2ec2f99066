/** Review before handing in: what needs a second look first, and in plain words what handing in means. */

import { cellsOf, reviewGroups, tally, type Cell } from '../core/palette.ts'
import { formatLeft } from '../core/timer.ts'
import { h, sign } from '../shared/dom.ts'
import type { MessageKey } from '../shared/messages/vi.ts'
import type { AppContext } from './context.ts'
import { frameView } from './frame.ts'
import { cellLabel } from './palette_view.ts'
import type { Screen } from './screen.ts'
import type { ExamSession } from './session.ts'
import { stripView } from './strip.ts'
import { showDialog } from './tools.ts'
import { t } from '../shared/texts.ts'

export function reviewScreen(app: AppContext, session: ExamSession, signal: AbortSignal): Screen {
  const cells = cellsOf(session.paper, session.book, session.marks)
  const groups = reviewGroups(cells)
  const sums = tally(cells)
  const strip = stripView(app, session, signal)

  const back = (position: number): void => {
    session.goTo(position)
    app.showPaper()
  }
  const group = (title: MessageKey, members: readonly Cell[]): HTMLElement | null =>
    members.length === 0
      ? null
      : h(
          'section',
          { class: 'review__group' },
          h('h3', { class: 'review__group-title' }, t(title), h('span', { class: 'badge number' }, members.length)),
          h('ol', { class: 'palette' }, ...members.map((cell) => h('li', {}, cellButton(cell)))),
        )
  const cellButton = (cell: Cell): HTMLElement =>
    h(
      'button',
      {
        class: `cell cell--${cell.state}${cell.completeness === 'part' ? ' cell--partly' : ''}`,
        type: 'button',
        'aria-label': cellLabel(cell, session),
        on: { click: () => back(cell.entry.position) },
      },
      cell.entry.position,
    )

  const heading = h('h2', { class: 'review__title', tabindex: -1 }, t('review.title'))
  const left = h('p', { class: 'number' })
  const updateTime = (): void => {
    const text = t('review.consequence-time', { time: formatLeft(session.leftMs) })
    if (left.textContent !== text) left.textContent = text
  }
  updateTime()
  session.on('time', updateTime, signal)

  const element = h('div', { class: 'desk desk--review' })
  const submit = async (): Promise<void> => {
    const answer = await showDialog(element, 'confirm.title', confirmation(groups.unanswered, groups.partly, sums.total), [
      { label: t('confirm.submit'), value: 'submit', look: '' },
      { label: t('confirm.back'), value: 'back', look: 'button--primary' },
    ])
    if (answer === 'submit') session.handIn()
  }

  element.append(
    frameView(app, session, signal, () => app.showPaper()),
    h(
      'main',
      { class: 'review' },
      h('div', { class: 'review__head' }, heading, h('p', { class: 'soft' }, t('review.lead'))),
      h(
        'div',
        { class: 'review__groups card' },
        sums.unanswered + sums.partly === 0 && h('p', { class: 'review__whole' }, sign('check'), t('review.all-answered')),
        group('review.unanswered', groups.unanswered),
        group('review.partly', groups.partly),
        group('review.flagged', groups.flagged),
        group('review.answered', groups.answered),
      ),
      h(
        'section',
        { class: 'review__end card stack' },
        h('h2', {}, t('review.consequence-title')),
        h('p', {}, t('review.consequence')),
        left,
        h(
          'div',
          { class: 'review__actions' },
          h('button', { class: 'button button--primary', type: 'button', on: { click: () => app.showPaper() } }, t('review.back')),
          h('button', { class: 'button', type: 'button', id: 'hand-in', on: { click: () => void submit() } }, t('review.submit')),
        ),
      ),
    ),
    h('footer', { class: 'foot foot--bare' }, strip.element),
  )
  document.addEventListener(
    'keydown',
    (event) => {
      if (event.key === 'Escape' && !event.defaultPrevented && !element.querySelector('dialog[open]')) app.showPaper()
    },
    { signal },
  )
  return { element, warn: strip.warn, focus: () => heading.focus() }
}

function confirmation(unanswered: readonly Cell[], partly: readonly Cell[], total: number): HTMLElement[] {
  const list = (cells: readonly Cell[]): string => cells.map((cell) => cell.entry.position).join(', ')
  const lines: HTMLElement[] = []
  if (unanswered.length > 0) lines.push(h('p', {}, t('confirm.unanswered', { count: unanswered.length, list: list(unanswered) })))
  if (partly.length > 0) lines.push(h('p', {}, t('confirm.partly', { count: partly.length, list: list(partly) })))
  if (lines.length === 0) lines.push(h('p', {}, t('confirm.whole', { total })))
  lines.push(h('p', {}, h('strong', {}, t('confirm.final'))))
  return lines
}
