/** One paper in the waiting room: when it begins, the button that opens it, and the way in when the network is out. */

import type { AttemptSummary } from '../shared/api.ts'
import { formatLeft } from '../core/timer.ts'
import { type Door, doorOf } from '../core/waiting.ts'
import { h } from '../shared/dom.ts'
import { formatClock, formatDay, language } from '../shared/i18n.ts'
import { codeStartView } from './code_start.ts'
import type { AppContext } from './context.ts'
import { t } from '../shared/texts.ts'

const DAY_MS = 86_400_000

export interface AttemptCard {
  readonly element: HTMLElement
  update(attempt: AttemptSummary, nowMs: number, isFirst: boolean, isReachable: boolean): void
  busy(on: boolean): void
}

const BADGES: Readonly<Record<Door, string>> = { early: '', open: 'badge--accent', running: 'badge--accent', over: 'badge--warn', 'handed-in': 'badge--good' }

export function attemptCard(app: AppContext, attemptId: string, start: () => void): AttemptCard {
  const title = h('h2', {})
  const badge = h('span', { class: 'badge' })
  const facts = h('p', { class: 'soft number' })
  const countdown = h('p', { class: 'countdown number' })
  const label = h('p', { class: 'small soft' }, t('waiting.countdown'))
  const hint = h('p', { class: 'small soft' })
  const button = h('button', { class: 'button button--primary button--large button--block', type: 'button', on: { click: start } })
  const element = h('section', { class: 'card attempt' }, h('div', { class: 'card__head' }, title, badge), facts, label, countdown, button, hint)
  const byCode = codeStartView(app, attemptId)
  byCode.hidden = true
  element.append(byCode)
  let isBusy = false
  let shown = ''

  return {
    element,
    update(attempt, nowMs, isFirst, isReachable) {
      const door = doorOf(attempt, nowMs)
      const waitMs = Math.max(0, attempt.starts_at_ms - nowMs)
      const isEarly = door === 'early'
      const days = Math.floor(waitMs / DAY_MS)
      const clock = formatLeft(waitMs % DAY_MS)
      const text = isEarly ? (days > 0 ? t('waiting.days', { days, time: clock }) : clock) : ''
      if (countdown.textContent !== text) countdown.textContent = text
      // Offered only where it can work, and only while nobody answers.
      byCode.hidden = door !== 'open' || isReachable || !app.hasFetched(attempt)
      const state = `${door}${isFirst}${isBusy}${language()}${attempt.state}`
      if (state === shown) return
      shown = state
      title.textContent = attempt.subject
      const isClosed = attempt.state === 'closed'
      badge.className = `badge ${isClosed ? 'badge--warn' : BADGES[door]}`
      badge.textContent = t(isClosed ? 'waiting.door-closed' : `waiting.door-${door}`)
      facts.textContent = `${t('waiting.starts', { time: formatClock(attempt.starts_at_ms), date: formatDay(attempt.starts_at_ms) })} · ${t('waiting.minutes', { minutes: attempt.minutes })}`
      label.hidden = countdown.hidden = !isEarly
      button.hidden = door === 'over' || door === 'handed-in' || (isEarly && !isFirst)
      button.disabled = isEarly || isBusy
      button.textContent = t(isBusy ? 'waiting.starting' : door === 'running' ? 'waiting.continue' : 'waiting.start')
      // Closed by time, or by somebody who took the candidate for absent: only people can tell, and undo it.
      hint.textContent = t(isClosed ? 'waiting.closed-hint' : isEarly ? 'waiting.start-early' : 'waiting.start-hint')
      hint.hidden = !isClosed && (button.hidden || door === 'running')
      element.classList.toggle('attempt--quiet', !isFirst)
    },
    busy(on) {
      isBusy = on
      button.disabled = on
      button.textContent = t(on ? 'waiting.starting' : 'waiting.start')
    },
  }
}
