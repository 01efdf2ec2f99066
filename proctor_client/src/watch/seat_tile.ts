/** One seat of the board: made once, then only its words change. */

import { h, sign } from '../shared/dom.ts'
import { t, told } from '../shared/room_texts.ts'
import { ageText } from './ages.ts'
import type { BoardSeat } from './board_api.ts'
import { flagsOf, isDone } from './seats.ts'

export interface TileActs {
  onSelect(on: boolean): void
  onOpen(): void
  onTime(): void
  onMessage(): void
  onReviewed(): void
}

export class SeatTile {
  readonly element: HTMLLIElement
  readonly #number = h('span', { class: 'seat__number' })
  readonly #state = h('span', { class: 'badge' })
  readonly #stop = h('span', { class: 'badge badge--warn' })
  readonly #name: HTMLButtonElement
  readonly #identity = h('span', { class: 'badge' })
  readonly #code = h('span', { class: 'number' })
  readonly #answered = h('span')
  readonly #left = h('span')
  readonly #saved = h('span')
  readonly #extra = h('span')
  readonly #events = h('p', { class: 'seat__facts seat__events' })
  readonly #reasons = h('ul', { class: 'seat__reasons' })
  readonly #reviewed: HTMLButtonElement
  readonly #bar = h('progress', { class: 'progress__bar' })
  readonly #check: HTMLInputElement
  readonly #time: HTMLButtonElement
  readonly #message: HTMLButtonElement

  constructor(acts: TileActs) {
    this.#check = h('input', { type: 'checkbox', class: 'seat__check', on: { change: () => acts.onSelect(this.#check.checked) } })
    this.#name = h('button', { class: 'seat__name seat__open', type: 'button', on: { click: () => acts.onOpen() } })
    this.#reviewed = h('button', { class: 'button button--small', type: 'button', on: { click: () => acts.onReviewed() } }, t('board.reviewed'))
    this.#time = h('button', { class: 'button button--small button--icon', type: 'button', on: { click: () => acts.onTime() } }, sign('clock'))
    this.#message = h('button', { class: 'button button--small button--icon', type: 'button', on: { click: () => acts.onMessage() } }, sign('message'))
    this.element = h(
      'li',
      { class: 'seat' },
      h('div', { class: 'seat__head' }, this.#number, this.#state, this.#stop, h('div', { class: 'seat__actions' }, this.#check)),
      h(
        'div',
        {},
        h('div', { class: 'seat__who' }, this.#name, this.#identity),
        this.#reasons,
        h('p', { class: 'seat__facts' }, this.#code, this.#left, this.#extra),
        h('p', { class: 'seat__facts' }, this.#answered, this.#saved),
        this.#events,
      ),
      h('div', { class: 'seat__foot' }, this.#bar, this.#reviewed, this.#time, this.#message),
    )
  }

  show(seat: BoardSeat, left: string | null, nowMs: number): void {
    const flags = flagsOf(seat)
    const done = isDone(seat)
    const look = flags[0] ? `seat--${flags[0].level}` : done ? 'seat--done' : seat.state === 'running' ? 'seat--good' : ''
    put(this.element, 'className', `seat ${look}`.trim())
    put(this.#number, 'textContent', seat.seat === null ? '–' : String(seat.seat))
    put(this.#state, 'textContent', stateText(seat))
    put(this.#state, 'className', `badge ${seat.state === 'submitted' ? 'badge--good' : seat.state === 'running' ? 'badge--accent' : ''}`.trim())
    put(this.#stop, 'textContent', stopText(seat))
    this.#stop.hidden = !seat.is_paused && !seat.is_locked
    put(this.#name, 'textContent', seat.name)
    this.#showIdentity(seat)
    put(this.#code, 'textContent', seat.candidate_number)
    put(this.#answered, 'textContent', t('board.answered', { answered: seat.answered, total: seat.total }))
    put(this.#left, 'textContent', seat.state === 'running' && left !== null ? t('board.left', { time: left }) : '')
    put(this.#saved, 'textContent', seat.state === 'ready' ? '' : seat.last_saved_ms === undefined ? t('board.saved-never') : t('board.saved', { age: ageText(nowMs - seat.last_saved_ms) }))
    const minutes = Math.round((seat.extra_seconds ?? 0) / 60)
    const accommodated = Math.round((seat.accommodated_seconds ?? 0) / 60)
    put(this.#extra, 'textContent', minutes <= 0 ? '' : accommodated > 0 ? t('board.extra-accommodated', { minutes, accommodated }) : t('board.extra', { minutes }))
    put(this.#events, 'textContent', eventsText(seat))
    this.#events.hidden = this.#events.textContent === ''
    this.#showReasons(flags.map((flag) => told('board.flag-', flag.kind, { age: ageText(nowMs - (flag.since_ms ?? nowMs)), times: flag.times ?? 0 })))
    this.#bar.max = Math.max(1, seat.total)
    this.#bar.value = seat.answered
    this.#bar.setAttribute('aria-label', t('board.answered', { answered: seat.answered, total: seat.total }))
    this.#check.setAttribute('aria-label', t('board.select', { name: seat.name }))
    this.#name.setAttribute('aria-label', t('board.open', { name: seat.name, number: seat.candidate_number }))
    this.#time.setAttribute('aria-label', t('board.add-time-title', { who: seat.name }))
    this.#message.setAttribute('aria-label', t('board.message-title', { who: seat.name }))
    this.#reviewed.setAttribute('aria-label', t('board.reviewed-of', { name: seat.name }))
    this.#time.title = t('board.add-time')
    this.#message.title = t('board.message')
    this.#time.hidden = seat.state === 'submitted'
    this.#message.hidden = done
    this.#reviewed.hidden = !flags.some((flag) => (flag.times ?? 0) > 0)
  }

  select(on: boolean): void {
    this.#check.checked = on
  }

  #showIdentity(seat: BoardSeat): void {
    this.#identity.hidden = seat.identity === undefined
    put(this.#identity, 'textContent', seat.identity === undefined ? '' : t(`board.identity-${seat.identity}`))
    put(this.#identity, 'className', `badge ${seat.identity === 'matches' ? 'badge--good' : 'badge--warn'}`)
  }

  #showReasons(texts: readonly string[]): void {
    const shown = [...this.#reasons.children].map((child) => child.textContent)
    if (shown.length === texts.length && texts.every((text, index) => text === shown[index])) return
    this.#reasons.replaceChildren(...texts.map((text) => h('li', { class: 'seat__reason' }, text)))
    this.#reasons.hidden = texts.length === 0
  }
}

export function stateText(seat: BoardSeat): string {
  return seat.state === 'closed' && seat.close_reason ? told('board.closed-', seat.close_reason) : t(`board.state-${seat.state}`)
}

/** What the seat reported that is only counted. */
export function eventsText(seat: BoardSeat): string {
  const counted = (seat.events ?? []).map((event) => `${told('board.event-', event.kind)} ${event.times}×`)
  if ((seat.lease ?? 0) > 1) counted.push(t('board.seats-used', { count: seat.lease ?? 0 }))
  if (seat.incidents) counted.push(t('board.incidents-of', { count: seat.incidents }))
  return counted.join(' · ')
}

function stopText(seat: BoardSeat): string {
  return seat.is_locked ? t('board.locked') : seat.is_paused ? t('board.paused') : ''
}

/** Write only what changed: twenty-four tiles, every second, on an old computer. */
function put<Target extends HTMLElement>(target: Target, property: 'textContent' | 'className', value: string): void {
  if (target[property] !== value) target[property] = value
}
