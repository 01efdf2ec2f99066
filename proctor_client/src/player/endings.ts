/** The last screens: handing in, receipt, time over; and the page of a seat that lost its attempt to another. */

import { cellsOf, tally } from '../core/palette.ts'
import { type Child, h, sign, type Sign } from '../shared/dom.ts'
import { formatClock, formatDay } from '../shared/i18n.ts'
import type { AppContext } from './context.ts'
import type { Screen } from './screen.ts'
import type { ExamSession } from './session.ts'
import { freshClientId } from './tab_memory.ts'
import { toolsView } from './tools.ts'
import { t } from '../shared/texts.ts'

function ending(app: AppContext, signal: AbortSignal, look: string, mark: Sign, title: string, ...body: Child[]): Screen {
  const heading = h('h1', { class: 'ending__title', tabindex: -1 }, title)
  const { visit } = app
  const element = h(
    'div',
    { class: 'door squared' },
    h(
      'header',
      { class: 'door__bar' },
      h('p', { class: 'frame__who' }, h('strong', {}, visit?.candidate.name ?? ''), h('span', { class: 'frame__facts number' }, visit ? t('frame.number', { number: visit.candidate.number }) : '')),
      toolsView({ signal, hasKeys: false, switchLanguage: app.switchLanguage }),
    ),
    h('main', { class: `ending card ending--${look}` }, h('span', { class: 'ending__mark', 'aria-hidden': 'true' }, sign(mark)), heading, ...body),
  )
  return { element, focus: () => heading.focus() }
}

export function handingInScreen(app: AppContext, session: ExamSession, signal: AbortSignal): Screen {
  const line = h('p', { class: 'lead', role: 'status' })
  const update = (): void => {
    const text = !session.isReachable
      ? t('handing-in.offline')
      : session.unsaved > 0
        ? t('handing-in.storing', { count: session.unsaved })
        : t('handing-in.waiting')
    if (line.textContent !== text) line.textContent = text
  }
  update()
  session.on('save', update, signal)
  session.on('phase', update, signal)
  return ending(app, signal, 'wait', 'clock', t('handing-in.title'), line, h('p', {}, h('strong', {}, t('handing-in.keep'))))
}

export function receiptScreen(app: AppContext, session: ExamSession, signal: AbortSignal): Screen {
  const sums = tally(cellsOf(session.paper, session.book, session.marks))
  const { receipt } = session
  return ending(
    app,
    signal,
    'good',
    'check',
    t('receipt.title'),
    h('p', { class: 'lead' }, t('receipt.lead')),
    h(
      'dl',
      { class: 'facts receipt' },
      h('dt', {}, t('receipt.answered')),
      h('dd', { class: 'number' }, t('receipt.answered-of', { answered: receipt?.answered ?? sums.answered, total: sums.total })),
      ...(receipt
        ? [h('dt', {}, t('receipt.time')), h('dd', { class: 'number' }, `${formatClock(receipt.submitted_at_ms, true)} · ${formatDay(receipt.submitted_at_ms)}`)]
        : []),
      h('dt', {}, t('receipt.paper')),
      h('dd', { class: 'number' }, session.paperCode),
      h('dt', {}, t('receipt.code')),
      h('dd', { class: 'code receipt__code' }, receipt?.receipt ?? receiptCode(session.attemptId)),
    ),
    h('p', { class: 'soft' }, t('receipt.keep')),
    leaveButton(app),
  )
}

/** Short enough to read out, and found again in the invigilator's list: the head of the attempt's id. */
export function receiptCode(attemptId: string): string {
  const signs = attemptId.replace(/-/g, '').slice(0, 8).toUpperCase()
  return `${signs.slice(0, 4)}-${signs.slice(4)}`
}

export function overScreen(app: AppContext, session: ExamSession, signal: AbortSignal): Screen {
  const line = h('p', { class: 'lead', role: 'status' })
  const answered = h('p', { class: 'number' })
  const leave = leaveButton(app)
  const update = (): void => {
    const sums = tally(cellsOf(session.paper, session.book, session.marks))
    const text =
      session.lost > 0
        ? t('over.lost', { count: session.lost })
        : session.unsaved > 0
          ? session.isReachable
            ? t('over.sending', { count: session.unsaved })
            : t('over.offline')
          : t('over.safe')
    if (line.textContent !== text) line.textContent = text
    answered.textContent = `${t('over.answered')}: ${t('receipt.answered-of', { answered: sums.answered, total: sums.total })}`
    leave.hidden = session.lost > 0 || session.unsaved > 0
  }
  update()
  session.on('save', update, signal)
  session.on('phase', update, signal)
  session.on('responses', update, signal)
  return ending(app, signal, session.lost > 0 ? 'warn' : 'wait', 'clock', t(session.leftMs > 0 ? 'over.title-closed' : 'over.title'), line, answered, h('p', { class: 'soft' }, t('over.more-time')), leave)
}

export function elsewhereScreen(app: AppContext, session: ExamSession, signal: AbortSignal): Screen {
  return ending(
    app,
    signal,
    'warn',
    'seat',
    t('elsewhere.title'),
    h('p', { class: 'lead' }, t('elsewhere.text')),
    h('p', {}, t('elsewhere.hint')),
    h('button', { class: 'button', type: 'button', on: { click: () => session.takeBack(freshClientId()) } }, t('elsewhere.back')),
  )
}

function leaveButton(app: AppContext): HTMLElement {
  return h(
    'div',
    { class: 'ending__leave' },
    h('button', { class: 'button', type: 'button', on: { click: () => void app.leave() } }, t('receipt.leave')),
    h('p', { class: 'small soft' }, t('receipt.leave-hint')),
  )
}
