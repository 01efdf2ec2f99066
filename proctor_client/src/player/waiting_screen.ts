/** The waiting room: is this you, what will happen, how long until the start; samples to try meanwhile. */

import type { AttemptSummary } from '../shared/api.ts'
import { choicesOf } from '../core/paper.ts'
import { idleDelayMs } from '../core/retry.ts'
import { doorOf, nearest } from '../core/waiting.ts'
import { itemView } from '../interactions/item_view.ts'
import { h } from '../shared/dom.ts'
import { language } from '../shared/i18n.ts'
import { type AttemptCard, attemptCard } from './attempt_card.ts'
import type { AppContext } from './context.ts'
import { readinessView } from './readiness.ts'
import { samples } from './samples.ts'
import type { Screen } from './screen.ts'
import { Refused } from './server.ts'
import type { Visit } from './tab_memory.ts'
import { shortcutTable, toolsView } from './tools.ts'
import { t } from '../shared/texts.ts'

const LONGEST_JITTER_MS = 20_000

export function waitingScreen(app: AppContext, visit: Visit, signal: AbortSignal): Screen {
  let attempts = visit.attempts
  let isReachable = true
  let isStarting = false
  const heading = h('h1', { tabindex: -1 }, t('waiting.title'))
  const readiness = readinessView(app)
  const alert = h('div', { class: 'alert alert--warn', role: 'alert' })
  alert.hidden = true
  const list = h('div', { class: 'stack' })
  const messages = h('div', { class: 'stack', role: 'status' })
  let said = ''
  const cards = new Map<string, AttemptCard>()

  const start = async (attempt: AttemptSummary): Promise<void> => {
    if (isStarting) return
    isStarting = true
    alert.hidden = true
    cards.get(attempt.attempt_id)?.busy(true)
    try {
      await turn(app, attempt)
      await app.startAttempt(attempt.attempt_id)
    } catch (error) {
      if (!(error instanceof Refused)) isReachable = false
      alert.textContent = refusal(error)
      alert.hidden = false
      draw()
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
      for (const attempt of ordered) cards.set(attempt.attempt_id, attemptCard(app, attempt.attempt_id, () => void start(current(attempt))))
      list.replaceChildren(...[...cards.values()].map((card) => card.element))
      if (ordered.length === 0) list.append(h('div', { class: 'empty' }, h('p', { class: 'empty__title' }, t('waiting.none')), h('p', {}, t('waiting.none-hint'))))
    }
    for (const attempt of ordered) cards.get(attempt.attempt_id)?.update(attempt, now, attempt === first, isReachable)
    const texts = (first?.notices ?? []).flatMap(({ text }) => text ?? [])
    if (texts.join('\n') !== said) {
      said = texts.join('\n')
      messages.replaceChildren(...texts.map((text) => h('p', { class: 'alert' }, h('strong', {}, `${t('notice.message')}: `), text)))
    }
    readiness.update(first !== null && doorOf(first, now) === 'early' ? first : null, isReachable)
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
  // As a seat that writes: what the invigilator says is to be read within ten seconds.
  const polling = setInterval(() => void poll(), idleDelayMs(Math.random()))
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
      h('div', { class: 'waiting__head' }, heading, readiness.element),
      h('div', { class: 'waiting__left stack' }, identityCard(app, visit), alert, messages, list),
      h('div', { class: 'waiting__right stack' }, rulesCard(), samplesCard(), h('details', { class: 'details' }, h('summary', {}, t('help.title')), h('div', {}, shortcutTable()))),
    ),
  )
  return { element, focus: () => heading.focus({ preventScroll: true }), onNews: draw }
}

/** The server spreads the starts of a lab over a few seconds, which nobody loses: the time runs from the start itself. */
async function turn(app: AppContext, attempt: AttemptSummary): Promise<void> {
  if (attempt.state !== 'ready') return
  const waitMs = Math.min(attempt.starts_at_ms + (attempt.start_jitter_ms ?? 0) - app.nowMs(), LONGEST_JITTER_MS)
  if (waitMs > 0) await new Promise((resolve) => setTimeout(resolve, waitMs))
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
  // Alone where nobody imported photos: then the card looks as it always did.
  const photo = h('img', { class: 'identity__photo', alt: t('waiting.photo-of', { name: candidate.name }), width: 96, height: 128 })
  photo.hidden = true
  void app.photo().then((address) => {
    if (address === null) return
    photo.src = address
    photo.hidden = false
  })
  return h(
    'section',
    { class: 'card identity' },
    h('h2', {}, t('waiting.check')),
    h('div', { class: 'identity__who' }, photo, h(
      'dl',
      { class: 'facts' },
      ...fact(t('waiting.name'), candidate.name, 'identity__name'),
      ...fact(t('waiting.number'), candidate.number, 'number'),
      ...(candidate.school ? fact(t('waiting.school'), candidate.school) : []),
      ...(place?.room ? fact(t('waiting.room'), place.room) : []),
      ...(place && place.seat !== null ? fact(t('waiting.seat'), String(place.seat), 'number') : []),
    )),
    h('p', { class: 'small soft' }, t('waiting.check-hint')),
    h('button', { class: 'button button--quiet button--small identity__leave', type: 'button', on: { click: () => void app.leave() } }, t('waiting.leave')),
  )
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
