/** Screens of a paper that is withheld for a while: open elsewhere, paused, locked. Only people end these. */

import { h } from '../shared/dom.ts'
import type { AppContext } from './context.ts'
import { ending } from './endings.ts'
import type { Screen } from './screen.ts'
import type { ExamSession } from './session.ts'
import { freshClientId } from './tab_memory.ts'
import { t } from '../shared/texts.ts'

/** Another seat writes. One that has asked to be let in waits; one that lost its place may ask. */
export function elsewhereScreen(app: AppContext, session: ExamSession, signal: AbortSignal): Screen {
  const lead = h('p', { class: 'lead' })
  const status = h('p', { class: 'soft', role: 'status' })
  const ask = h('button', { class: 'button', type: 'button', on: { click: () => session.takeBack(freshClientId()) } }, t('elsewhere.back'))
  const update = (): void => {
    const isWaiting = session.isApplying
    lead.textContent = t(isWaiting ? 'elsewhere.raise-hand' : 'elsewhere.text')
    status.textContent = isWaiting ? t(session.isReachable ? 'elsewhere.waiting' : 'hold.offline') : t('elsewhere.hint')
    ask.hidden = isWaiting
  }
  update()
  session.on('phase', update, signal)
  session.on('save', update, signal)
  const read = h('button', { class: 'button button--quiet', type: 'button', on: { click: () => app.readPaper() } }, t('elsewhere.read'))
  return ending(app, signal, 'warn', 'seat', t('elsewhere.title'), lead, status, h('p', { class: 'row row--centre' }, ask, read))
}

/** The clock stands: the items are hidden, the answers are safe. */
export function pausedScreen(app: AppContext, session: ExamSession, signal: AbortSignal): Screen {
  return held(app, session, signal, 'clock', t('paused.title'), t('paused.text'), () => t('paused.status'))
}

/** The invigilator has locked this paper; the clock runs on. */
export function lockedScreen(app: AppContext, session: ExamSession, signal: AbortSignal): Screen {
  const status = (): string => (session.unsaved > 0 ? t('locked.kept', { count: session.unsaved }) : t('locked.status'))
  return held(app, session, signal, 'warn', t('locked.title'), t('locked.text'), status)
}

function held(app: AppContext, session: ExamSession, signal: AbortSignal, mark: 'clock' | 'warn', title: string, text: string, word: () => string): Screen {
  const status = h('p', { class: 'soft', role: 'status' })
  const update = (): void => {
    status.textContent = session.isReachable ? word() : t('hold.offline')
  }
  update()
  session.on('save', update, signal)
  session.on('phase', update, signal)
  return ending(app, signal, 'wait', mark, title, h('p', { class: 'lead' }, text), noticeList(session, signal), status)
}

/** What the invigilator says meanwhile. */
function noticeList(session: ExamSession, signal: AbortSignal): HTMLElement {
  const list = h('div', { class: 'stack', role: 'log' })
  const update = (): void => {
    const texts = session.notices.filter((notice) => notice.text).slice(-3)
    list.replaceChildren(...texts.map((notice) => h('p', { class: 'alert' }, h('strong', {}, `${t('notice.message')}: `), notice.text ?? '')))
  }
  update()
  session.on('notices', update, signal)
  return list
}
