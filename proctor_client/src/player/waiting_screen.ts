/** The waiting room: is this you, what will happen, how long until the start; samples to try meanwhile. */

import type { AttemptSummary } from '../shared/api.ts'
import { choicesOf } from '../core/paper.ts'
import { formatLeft } from '../core/timer.ts'
import { type Door, doorOf, nearest } from '../core/waiting.ts'
import { itemView } from '../interactions/item_view.ts'
import { h, sign } from '../shared/dom.ts'
import { formatClock, formatDay, language } from '../shared/i18n.ts'
import type { AppContext } from './context.ts'
import { samples } from './samples.ts'
import type { Screen } from './screen.ts'
import { Refused } from './server.ts'
import type { Visit } from './tab_memory.ts'
import { shortcutTable, toolsView } from './tools.ts'
import { t } from '../shared/texts.ts'

const DAY_MS = 86_400_000
const POLL_MS = 12_000

export function waitingScreen(app: AppContext, visit: Visit, signal: AbortSignal): Screen {
  let attempts = visit.attempts
  let isReachable = true
  let isStarting = false
  const heading = h('h1', { tabindex: -1 }, t('waiting.title'))
  const status = h('p', { class: 'waiting__status small soft' })
  const alert = h('div', { class: 'alert alert--warn', role: 'alert' })
  alert.hidden = true
  const list = h('div', { class: 'stack' })
  const cards = new Map<string, AttemptCard>()

  const start = async (attempt: AttemptSummary): Promise<void> => {
    if (isStarting) return
    isStarting = true
    alert.hidden = true
    cards.get(attempt.attempt_id)?.busy(true)
    try {
      await app.startAttempt(attempt.attempt_id)
    } catch (error) {
      alert.textContent = refusal(error)
      alert.hidden = false
      cards.get(attempt.attempt_id)?.busy(false)
    } finally {
      isStarting = false
    }
  }

  const draw = (): void => {
    const now = app.nowMs()
    const first = nearest(attempts, now)
    const ordered = first === null ? [] : [first, ...attempts.filter((attempt) => attempt !== first)]
    const known = ordered.map((attempt) => attempt.attempt_id).join()
    if (known !== [...cards.keys()].join()) {
      cards.clear()
      for (const attempt of ordered) cards.set(attempt.attempt_id, attemptCard(() => void start(current(attempt))))
      list.replaceChildren(...[...cards.values()].map((card) => card.element))
      if (ordered.length === 0) list.append(h('div', { class: 'empty' }, h('p', { class: 'empty__title' }, t('waiting.none')), h('p', {}, t('waiting.none-hint'))))
    }
    for (const attempt of ordered) cards.get(attempt.attempt_id)?.update(attempt, now, attempt === first)
    const text = t(isReachable ? 'waiting.connected' : 'waiting.offline')
    if (status.dataset['text'] !== text) {
      status.dataset['text'] = text
      status.replaceChildren(sign(isReachable ? 'check' : 'warn'), text)
    }
  }
  const current = (attempt: AttemptSummary): AttemptSummary => attempts.find((other) => other.attempt_id === attempt.attempt_id) ?? attempt

  const poll = async (): Promise<void> => {
    try {
      attempts = (await app.refreshAttempts()).attempts
      isReachable = true
    } catch {
      isReachable = false
    }
    if (!signal.aborted) draw()
  }
  const ticking = setInterval(draw, 1000)
  const polling = setInterval(() => void poll(), POLL_MS + Math.random() * 3000)
  signal.addEventListener('abort', () => {
    clearInterval(ticking)
    clearInterval(polling)
  })
  draw()

  const element = h(
    'div',
    { class: 'door squared' },
    h('header', { class: 'door__bar' }, h('p', { class: 'shell__brand' }, h('span', { class: 'brand-mark', 'aria-hidden': 'true' }, 'E'), visit.exam.name), toolsView({ signal, hasKeys: false, switchLanguage: app.switchLanguage })),
    h(
      'main',
      { class: 'waiting' },
      h('div', { class: 'waiting__head' }, heading, status),
      h('div', { class: 'waiting__left stack' }, identityCard(app, visit), alert, list),
      h('div', { class: 'waiting__right stack' }, rulesCard(), samplesCard(), h('details', { class: 'details' }, h('summary', {}, t('help.title')), h('div', {}, shortcutTable()))),
    ),
  )
  return { element, focus: () => heading.focus({ preventScroll: true }) }
}

function refusal(error: unknown): string {
  if (!(error instanceof Refused)) return t('error.start')
  if (error.code === 'late-start') return t('waiting.late')
  if (error.code === 'sitting-not-started') return t('waiting.not-yet')
  return t('waiting.refused', { reason: error.message })
}

function identityCard(app: AppContext, visit: Visit): HTMLElement {
  const { candidate } = visit
  const place = visit.attempts.map((attempt) => attempt).find((attempt) => attempt.room !== null)
  const fact = (label: string, value: string, className = ''): HTMLElement[] => [h('dt', {}, label), h('dd', { class: className }, value)]
  return h(
    'section',
    { class: 'card identity' },
    h('h2', {}, t('waiting.check')),
    h(
      'dl',
      { class: 'facts' },
      ...fact(t('waiting.name'), candidate.name, 'identity__name'),
      ...fact(t('waiting.number'), candidate.number, 'number'),
      ...(candidate.school ? fact(t('waiting.school'), candidate.school) : []),
      ...(place?.room ? fact(t('waiting.room'), place.room) : []),
      ...(place && place.seat !== null ? fact(t('waiting.seat'), String(place.seat), 'number') : []),
    ),
    h('p', { class: 'small soft' }, t('waiting.check-hint')),
    h('button', { class: 'button button--quiet button--small identity__leave', type: 'button', on: { click: () => void app.leave() } }, t('waiting.leave')),
  )
}

interface AttemptCard {
  readonly element: HTMLElement
  update(attempt: AttemptSummary, nowMs: number, isFirst: boolean): void
  busy(on: boolean): void
}

const BADGES: Readonly<Record<Door, string>> = { early: '', open: 'badge--accent', running: 'badge--accent', over: 'badge--warn', 'handed-in': 'badge--good' }

function attemptCard(start: () => void): AttemptCard {
  const title = h('h2', {})
  const badge = h('span', { class: 'badge' })
  const facts = h('p', { class: 'soft number' })
  const countdown = h('p', { class: 'countdown number' })
  const label = h('p', { class: 'small soft' }, t('waiting.countdown'))
  const hint = h('p', { class: 'small soft' })
  const button = h('button', { class: 'button button--primary button--large button--block', type: 'button', on: { click: start } })
  const element = h('section', { class: 'card attempt' }, h('div', { class: 'card__head' }, title, badge), facts, label, countdown, button, hint)
  let isBusy = false
  let shown = ''

  return {
    element,
    update(attempt, nowMs, isFirst) {
      const door = doorOf(attempt, nowMs)
      const waitMs = Math.max(0, attempt.starts_at_ms - nowMs)
      const isEarly = door === 'early'
      const days = Math.floor(waitMs / DAY_MS)
      const clock = formatLeft(waitMs % DAY_MS)
      const text = isEarly ? (days > 0 ? t('waiting.days', { days, time: clock }) : clock) : ''
      if (countdown.textContent !== text) countdown.textContent = text
      const state = `${door}${isFirst}${isBusy}${language()}${attempt.state}`
      if (state === shown) return
      shown = state
      title.textContent = attempt.subject
      badge.className = `badge ${BADGES[door]}`
      badge.textContent = t(attempt.state === 'closed' ? 'waiting.door-closed' : `waiting.door-${door}`)
      facts.textContent = `${t('waiting.starts', { time: formatClock(attempt.starts_at_ms), date: formatDay(attempt.starts_at_ms) })} · ${t('waiting.minutes', { minutes: attempt.minutes })}`
      label.hidden = countdown.hidden = !isEarly
      button.hidden = door === 'over' || door === 'handed-in' || (isEarly && !isFirst)
      button.disabled = isEarly || isBusy
      button.textContent = t(isBusy ? 'waiting.starting' : door === 'running' ? 'waiting.continue' : 'waiting.start')
      hint.textContent = isEarly ? t('waiting.start-early') : t('waiting.start-hint')
      hint.hidden = button.hidden || door === 'running'
      element.classList.toggle('attempt--quiet', !isFirst)
    },
    busy(on) {
      isBusy = on
      button.disabled = on
      button.textContent = t(on ? 'waiting.starting' : 'waiting.start')
    },
  }
}

function rulesCard(): HTMLElement {
  return h(
    'section',
    { class: 'card' },
    h('h2', {}, t('waiting.rules')),
    h('ul', { class: 'rules' }, ...(['save', 'change', 'network', 'end'] as const).map((rule) => h('li', {}, t(`waiting.rule-${rule}`)))),
  )
}

/** Each kind of item, opened one at a time; answers stay on the page and go nowhere. */
function samplesCard(): HTMLElement {
  return h(
    'section',
    { class: 'card samples' },
    h('h2', {}, t('waiting.samples')),
    h('p', { class: 'soft small' }, t('waiting.samples-hint')),
    ...samples().map((item, index) => {
      const body = h('div', { class: 'sample' })
      const details = h('details', { class: 'details' }, h('summary', {}, t(`kind.${item.kind}`)), body)
      details.addEventListener('toggle', () => {
        if (!details.open || body.firstChild) return
        const entry = { position: index + 1, slot: item.slot, section: 0, item, stimulus: null, choices: choicesOf(item, '') }
        const quiet = (): void => undefined
        body.append(itemView({ entry, prefix: 'sample', contentLanguage: language(), onChange: quiet, onDraft: quiet, onSettle: quiet }, null).element)
      })
      return details
    }),
  )
}
