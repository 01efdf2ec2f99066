/** Everything about one candidate on one card: photo and name check, state, every act, and the record of the seat. */

import { h } from '../shared/dom.ts'
import { formatClock } from '../shared/i18n.ts'
import { t, told } from '../shared/room_texts.ts'
import { ageText, clockOf, exactly } from './ages.ts'
import type { BoardSeat, Moment } from './board_api.ts'
import type { BoardServer } from './board_server.ts'
import { detailText, whoActed } from './detail_text.ts'
import { open } from './dialogs.ts'
import { flagsOf, isDone } from './seats.ts'
import { eventsText, stateText } from './seat_tile.ts'

export interface CardActs {
  readonly mayAct: boolean
  identity(verdict: 'matches' | 'doubtful' | 'cleared'): void
  admit(credit: boolean): void
  refuse(): void
  time(): void
  message(): void
  seat(verb: 'pause' | 'resume' | 'lock' | 'unlock' | 'end' | 'absent' | 'malpractice' | 'reopen'): void
  move(): void
  incident(): void
  reviewed(): void
}

export class SeatCard {
  readonly #dialog: HTMLDialogElement
  readonly #badges = h('p', { class: 'card-badges' })
  readonly #facts = h('dl', { class: 'facts' })
  readonly #acts = h('div', { class: 'card-acts' })
  readonly #identity = h('div', { class: 'card-identity' })
  readonly #record = h('ol', { class: 'record' })
  readonly #onClose: () => void
  #drawn = ''

  constructor(host: HTMLElement, seat: BoardSeat, server: BoardServer, onClose: () => void) {
    this.#onClose = onClose
    const photo = seat.photo
      ? h('img', { class: 'card-photo', src: server.photo(seat.attempt_id, seat.photo), alt: t('board.photo-of', { name: seat.name }), width: 120, height: 160 })
      : h('p', { class: 'card-photo card-photo--none' }, t('board.photo-none'))
    const record = h('details', { class: 'details' }, h('summary', {}, t('board.record')), this.#record)
    record.addEventListener('toggle', () => {
      if (record.open) void this.#readRecord(server, seat.attempt_id)
    })
    this.#dialog = open(
      host,
      seat.name,
      [
        h('div', { class: 'card-top' }, photo, h('div', { class: 'stack' }, this.#badges, this.#facts, this.#identity)),
        this.#acts,
        record,
        h('div', { class: 'dialog__actions' }, h('button', { class: 'button', type: 'button', on: { click: () => this.#dialog.close() } }, t('board.close'))),
      ],
      true,
    )
    this.#dialog.addEventListener('close', () => this.#onClose())
  }

  close(): void {
    this.#dialog.close()
  }

  show(seat: BoardSeat, acts: CardActs, left: string | null, nowMs: number): void {
    // Buttons are made anew only when what can be done has changed: a finger may be on its way to one.
    const can = JSON.stringify([seat.state, seat.identity, seat.is_paused, seat.is_locked, seat.claimed_ms, seat.is_connected, seat.close_reason, (seat.flags ?? []).map((flag) => flag.kind)])
    this.#badges.replaceChildren(...badges(seat, nowMs))
    this.#facts.replaceChildren(...facts(seat, left, nowMs))
    if (can === this.#drawn) return
    this.#drawn = can
    this.#identity.replaceChildren(...(acts.mayAct ? identityButtons(seat, acts) : []))
    this.#acts.replaceChildren(...(acts.mayAct ? buttons(seat, acts, nowMs) : []))
  }

  async #readRecord(server: BoardServer, attempt: string): Promise<void> {
    const outcome = await server.timeline(attempt)
    if ('refusal' in outcome) this.#record.replaceChildren(h('li', {}, outcome.refusal))
    else if (outcome.answer.length === 0) this.#record.replaceChildren(h('li', { class: 'soft' }, t('board.record-none')))
    else this.#record.replaceChildren(...outcome.answer.map(line))
  }
}

function badges(seat: BoardSeat, nowMs: number): HTMLElement[] {
  const shown = [h('span', { class: `badge ${seat.state === 'running' ? 'badge--accent' : ''}` }, stateText(seat))]
  if (seat.is_paused) shown.push(h('span', { class: 'badge badge--warn' }, t('board.paused')))
  if (seat.is_locked) shown.push(h('span', { class: 'badge badge--warn' }, t('board.locked')))
  for (const flag of flagsOf(seat)) {
    shown.push(h('span', { class: `badge badge--${flag.level}` }, told('board.flag-', flag.kind, { age: ageText(nowMs - (flag.since_ms ?? nowMs)), times: flag.times ?? 0 })))
  }
  return shown
}

function facts(seat: BoardSeat, left: string | null, nowMs: number): HTMLElement[] {
  const known: [string, string][] = [
    [t('board.number'), seat.candidate_number],
    [t('board.seat'), seat.seat === null ? '–' : String(seat.seat)],
    [t('board.progress'), t('board.answered', { answered: seat.answered, total: seat.total })],
  ]
  if (left !== null) known.push([t('board.time-left'), left])
  if (seat.extra_seconds) known.push([t('board.time-added'), exactly(seat.extra_seconds * 1000)])
  if (seat.accommodated_seconds) known.push([t('board.accommodated'), exactly(seat.accommodated_seconds * 1000)])
  if (seat.started_ms) known.push([t('board.started-at'), formatClock(seat.started_ms, true)])
  if (seat.last_saved_ms) known.push([t('board.saved-at'), t('board.saved-when', { time: formatClock(seat.last_saved_ms, true), age: ageText(nowMs - seat.last_saved_ms) })])
  if (seat.finished_ms) known.push([t('board.finished-at'), formatClock(seat.finished_ms, true)])
  const reported = eventsText(seat)
  if (reported !== '') known.push([t('board.reported'), reported])
  return known.flatMap(([label, value]) => [h('dt', {}, label), h('dd', {}, value)])
}

function identityButtons(seat: BoardSeat, acts: CardActs): HTMLElement[] {
  if (isDone(seat)) return []
  const verdict = (name: 'matches' | 'doubtful'): HTMLElement =>
    h('button', { class: 'button button--small', type: 'button', 'aria-pressed': String(seat.identity === name), on: { click: () => acts.identity(seat.identity === name ? 'cleared' : name) } }, t(`board.check-${name}`))
  return [h('span', { class: 'field__label' }, t('board.name-check')), h('div', { class: 'row' }, verdict('matches'), verdict('doubtful'))]
}

function buttons(seat: BoardSeat, acts: CardActs, nowMs: number): HTMLElement[] {
  const made: HTMLElement[] = []
  const add = (label: string, go: () => void, look = ''): void => {
    made.push(h('button', { class: `button ${look}`.trim(), type: 'button', on: { click: go } }, label))
  }
  if (seat.claimed_ms !== undefined) made.push(admission(seat, acts, nowMs))
  const running = seat.state === 'running'
  if ((seat.flags ?? []).some((flag) => (flag.times ?? 0) > 0)) add(t('board.reviewed'), acts.reviewed)
  if (!isDone(seat) || seat.close_reason === 'time') add(t('board.add-time'), acts.time)
  if (!isDone(seat)) add(t('board.message'), acts.message)
  if (!isDone(seat)) add(t(seat.is_paused ? 'board.do-resume' : 'board.do-pause'), () => acts.seat(seat.is_paused ? 'resume' : 'pause'))
  if (!isDone(seat)) add(t(seat.is_locked ? 'board.do-unlock' : 'board.do-lock'), () => acts.seat(seat.is_locked ? 'unlock' : 'lock'))
  if (!isDone(seat)) add(t('board.do-move'), acts.move)
  add(t('board.report-incident'), acts.incident)
  if (running) add(t('board.do-end'), () => acts.seat('end'), 'button--quiet button--bad')
  if (seat.state === 'ready') add(t('board.do-absent'), () => acts.seat('absent'), 'button--quiet button--bad')
  if (!isDone(seat)) add(t('board.do-malpractice'), () => acts.seat('malpractice'), 'button--quiet button--bad')
  if (seat.state === 'closed' && ['invigilator', 'absent', 'malpractice'].includes(seat.close_reason ?? '')) add(t('board.do-reopen'), () => acts.seat('reopen'))
  return made
}

/** A second machine at the door: the whole move in one place. The credit runs from the old seat's last sign of life. */
export function admission(seat: BoardSeat, acts: Pick<CardActs, 'admit' | 'refuse'>, nowMs: number): HTMLElement {
  const silentMs = nowMs - (seat.last_seen_ms ?? nowMs)
  // While the old seat is alive the likely case is a mistake or worse: nothing invites a hasty yes.
  const credit = `button${seat.is_connected ? '' : ' button--primary'}`
  return h(
    'div',
    { class: 'alert alert--bad admission', role: 'group', 'aria-label': t('board.admission') },
    h('p', { class: 'alert__title' }, t('board.admission')),
    h('p', {}, seat.is_connected ? t('board.admission-alive') : t('board.admission-silent', { time: formatClock(seat.last_seen_ms ?? nowMs, true), age: exactly(silentMs) })),
    h('p', { class: 'small' }, t('board.admission-final')),
    h(
      'div',
      { class: 'alert__actions' },
      h('button', { class: credit, type: 'button', on: { click: () => acts.admit(true) } }, t('board.admit-credit')),
      h('button', { class: 'button', type: 'button', on: { click: () => acts.admit(false) } }, t('board.admit-plain')),
      h('button', { class: 'button', type: 'button', on: { click: () => acts.refuse() } }, t('board.refuse')),
    ),
  )
}

function line(moment: Moment): HTMLElement {
  const detail = Object.entries(moment.detail ?? {}).map(([name, value]) => detailText(name, value))
  const rest = [moment.text ?? '', ...detail, whoActed(moment.by, moment.by_name)].filter(Boolean).join(' · ')
  return h(
    'li',
    { class: `record__line record__line--${moment.severity}` },
    h('time', { class: 'number', datetime: moment.at }, clockOf(moment.at)),
    h('span', {}, h('strong', {}, told('board.moment-', moment.kind)), rest === '' ? '' : ` ${rest}`, moment.client_at ? h('span', { class: 'faint small' }, ` ${t('board.seat-clock', { time: clockOf(moment.client_at) })}`) : ''),
  )
}
