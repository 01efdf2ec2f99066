/** The last screens: handing in, receipt, time over. */

import { cellsOf, tally } from '../core/palette.ts'
import { type Child, h, sign, type Sign } from '../shared/dom.ts'
import { formatClock, formatDay } from '../shared/i18n.ts'
import type { AppContext } from './context.ts'
import { canHandOver, handOverView, OFFERED_AFTER_MS } from './hand_over_view.ts'
import type { Screen } from './screen.ts'
import type { ExamSession } from './session.ts'
import type { ReceiptFacts } from './tab_memory.ts'
import { toolsView } from './tools.ts'
import { t } from '../shared/texts.ts'

export function ending(app: AppContext, signal: AbortSignal, look: string, mark: Sign, title: string, ...body: Child[]): Screen {
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
    file.hidden = session.isReachable || session.unsavedMs < OFFERED_AFTER_MS || !canHandOver(session)
  }
  const file = handOverView(session)
  update()
  session.on('save', update, signal)
  session.on('phase', update, signal)
  return ending(app, signal, 'wait', 'clock', t('handing-in.title'), line, h('p', {}, h('strong', {}, t('handing-in.keep'))), file)
}

/** The paper is in. Without a session this computer keeps nothing of it any more. */
export function receiptScreen(app: AppContext, facts: ReceiptFacts, signal: AbortSignal, session?: ExamSession): Screen {
  const stored = h('p', { class: 'small soft', role: 'status' })
  const update = (): void => {
    stored.textContent = (session?.isStored ?? true) ? t('receipt.stored') : ''
  }
  update()
  session?.on('receipt', update, signal)
  return ending(
    app,
    signal,
    'good',
    'check',
    t('receipt.title'),
    h('p', { class: 'lead' }, t('receipt.lead')),
    stored,
    receiptFacts(facts),
    proofOf(facts),
    h('p', { class: 'soft' }, t('receipt.keep')),
    leaveButton(app),
  )
}

function receiptFacts(facts: ReceiptFacts): HTMLElement {
  const { finishedAtMs } = facts
  return h(
    'dl',
    { class: 'facts receipt' },
    h('dt', {}, t('receipt.answered')),
    h('dd', { class: 'number' }, t('receipt.answered-of', { answered: facts.answered, total: facts.total })),
    ...(finishedAtMs === null ? [] : [h('dt', {}, t('receipt.time')), h('dd', { class: 'number' }, `${formatClock(finishedAtMs, true)} · ${formatDay(finishedAtMs)}`)]),
    h('dt', {}, t('receipt.paper')),
    h('dd', { class: 'number' }, facts.paperCode),
    h('dt', {}, t('receipt.code')),
    h('dd', { class: 'code receipt__code' }, receiptCode(facts.attemptId)),
  )
}

/** The signed part comes when it is needed; should it not come, the short code and the server's own record remain. */
function proofOf(facts: ReceiptFacts): HTMLElement {
  const place = h('div', {})
  if (facts.text !== '') void import('./receipt_view.ts').then(({ signedReceipt }) => place.append(signedReceipt(facts)), () => undefined)
  return place
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
  const file = handOverView(session)
  const proof = h('div', {})
  const update = (): void => {
    const sums = tally(cellsOf(session.paper, session.book, session.marks))
    const text =
      session.late > 0
        ? t('over.late', { count: session.late })
        : session.unsaved > 0
          ? session.isReachable
            ? t('over.sending', { count: session.unsaved })
            : t('over.offline')
          : t('over.safe')
    if (line.textContent !== text) line.textContent = text
    answered.textContent = `${t('over.answered')}: ${t('receipt.answered-of', { answered: sums.answered, total: sums.total })}`
    leave.hidden = session.unsaved > 0
    // Worth a file: what came too late, or what cannot be sent.
    file.hidden = !canHandOver(session) || (session.late === 0 && (session.unsaved === 0 || session.isReachable))
    const facts = app.receiptOf(session)
    if (facts && !proof.firstChild && session.late === 0) proof.append(proofOf(facts))
  }
  update()
  session.on('save', update, signal)
  session.on('phase', update, signal)
  session.on('responses', update, signal)
  session.on('receipt', update, signal)
  return ending(app, signal, session.late > 0 ? 'warn' : 'wait', 'clock', t(session.leftMs > 0 ? 'over.title-closed' : 'over.title'), line, answered, proof, file, h('p', { class: 'soft' }, t('over.more-time')), leave)
}

function leaveButton(app: AppContext): HTMLElement {
  return h(
    'div',
    { class: 'ending__leave' },
    h('button', { class: 'button', type: 'button', on: { click: () => void app.leave() } }, t('receipt.leave')),
    h('p', { class: 'small soft' }, t('receipt.leave-hint')),
  )
}
