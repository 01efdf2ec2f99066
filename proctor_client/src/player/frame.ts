/** The frame round paper and review: who, what, where in the paper, saved or not, time left. Nothing in it moves but the clock. */

import { formatLeft, isShown, urgency } from '../core/timer.ts'
import { h, sign, type Sign } from '../shared/dom.ts'
import { hideTimer, isTimerHidden } from '../shared/preferences.ts'
import type { SaveState } from '../core/save_state.ts'
import type { AppContext } from './context.ts'
import type { ExamSession } from './session.ts'
import { toolsView } from './tools.ts'
import { t } from '../shared/texts.ts'

const SAVE_SIGNS: Readonly<Record<SaveState, Sign>> = { saved: 'check', saving: 'dots', 'not-saved': 'warn' }

export function frameView(app: AppContext, session: ExamSession, signal: AbortSignal, openPalette: () => void): HTMLElement {
  const { candidate } = session
  const place = h('button', { class: 'frame__place', type: 'button', 'aria-label': t('frame.open-palette'), on: { click: openPalette } })
  const update = (): void => {
    const text = t('frame.place', { position: session.marks.position, total: session.paper.entries.length })
    place.replaceChildren(h('span', {}, text), sign('grid'))
    place.setAttribute('aria-label', `${text}. ${t('frame.open-palette')}`)
  }
  update()
  session.on('position', update, signal)
  const seat = app.seatOf(session.attemptId)
  return h(
    'header',
    { class: 'frame' },
    h(
      'div',
      { class: 'frame__who' },
      h('strong', { class: 'frame__name' }, candidate.name),
      h(
        'span',
        { class: 'frame__facts' },
        h('span', { class: 'number' }, t('frame.number', { number: candidate.number })),
        h('span', { class: 'frame__code number' }, t('frame.paper-code', { code: session.paperCode })),
        seat.room !== null && h('span', { class: 'frame__seat' }, t('frame.room', { room: seat.room })),
        seat.seat !== null && h('span', { class: 'frame__seat' }, t('frame.seat', { seat: seat.seat })),
      ),
    ),
    h('div', { class: 'frame__exam' }, h('h1', { class: 'frame__title' }, session.paper.title), h('span', { class: 'frame__code number' }, t('frame.paper-code', { code: session.paperCode }))),
    place,
    h('div', { class: 'frame__status' }, saveBadge(session, signal), timerView(app, session, signal), toolsView({ signal, hasKeys: true, switchLanguage: app.switchLanguage })),
  )
}

function saveBadge(session: ExamSession, signal: AbortSignal): HTMLElement {
  const badge = h('p', { class: 'save', role: 'status' })
  let shown: SaveState | null = null
  const update = (): void => {
    const state = session.saveState
    if (state === shown) return
    shown = state
    badge.className = `save save--${state}`
    badge.replaceChildren(sign(SAVE_SIGNS[state]), h('span', {}, t(`save.${state}`)))
  }
  update()
  session.on('save', update, signal)
  return badge
}

function timerView(app: AppContext, session: ExamSession, signal: AbortSignal): HTMLElement {
  const digits = h('span', { class: 'timer__digits number' })
  const extra = h('span', { class: 'timer__extra number' })
  const button = h('button', { class: 'timer__toggle', type: 'button', on: { click: toggle } }, sign('eye'))
  const root = h('div', { class: 'timer' }, sign('clock'), h('span', { class: 'timer__time', role: 'timer', 'aria-label': t('timer.label') }, digits), extra, button)

  function toggle(): void {
    hideTimer(!isTimerHidden())
    update()
  }
  function update(): void {
    const left = session.leftMs
    const shown = isShown(isTimerHidden(), left)
    const text = shown ? formatLeft(left) : t('timer.hidden')
    if (digits.textContent !== text) digits.textContent = text
    root.className = `timer timer--${urgency(left)}${shown ? '' : ' timer--hidden'}`
    button.setAttribute('aria-label', t(isTimerHidden() ? 'timer.show' : 'timer.hide'))
    button.setAttribute('aria-pressed', String(isTimerHidden()))
    const minutes = Math.round(session.clock.extraSeconds / 60)
    extra.hidden = minutes === 0
    const added = t('timer.extra', { minutes })
    if (extra.textContent !== added) {
      extra.textContent = added
      extra.title = t('timer.extra-label', { minutes })
    }
    const warning = session.clock.takeWarning()
    if (warning !== null) app.warn(warning === 1 ? t('timer.warning-last') : t('timer.warning', { minutes: warning }))
  }
  update()
  session.on('time', update, signal)
  return root
}

/** "12 minutes 5 seconds left", for the ear. */
export function spokenTime(session: ExamSession): string {
  const seconds = Math.ceil(session.leftMs / 1000)
  return t('timer.spoken', { minutes: Math.floor(seconds / 60), seconds: seconds % 60 })
}
