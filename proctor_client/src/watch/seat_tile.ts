/** One seat of the board: made once, then only its words change. */

import { h, sign } from '../shared/dom.ts'
import { t } from '../shared/staff_texts.ts'
import type { BoardSeat } from './board_api.ts'
import { ageOf, type Reason } from './seats.ts'

export interface TileActs {
  onSelect(on: boolean): void
  onTime(): void
  onMessage(): void
}

export class SeatTile {
  readonly element: HTMLLIElement
  readonly #number = h('span', { class: 'seat__number' })
  readonly #state = h('span', { class: 'badge' })
  readonly #name = h('p', { class: 'seat__name' })
  readonly #code = h('span', { class: 'number' })
  readonly #answered = h('span')
  readonly #left = h('span')
  readonly #saved = h('span')
  readonly #extra = h('span')
  readonly #reason = h('p', { class: 'seat__reason' })
  readonly #bar = h('progress', { class: 'progress__bar' })
  readonly #check: HTMLInputElement
  readonly #time: HTMLButtonElement
  readonly #message: HTMLButtonElement

  constructor(acts: TileActs) {
    this.#check = h('input', { type: 'checkbox', class: 'seat__check', on: { change: () => acts.onSelect(this.#check.checked) } })
    this.#time = h('button', { class: 'button button--small button--icon', type: 'button', on: { click: () => acts.onTime() } }, sign('clock'))
    this.#message = h('button', { class: 'button button--small button--icon', type: 'button', on: { click: () => acts.onMessage() } }, sign('message'))
    this.element = h(
      'li',
      { class: 'seat' },
      h('div', { class: 'seat__head' }, this.#number, this.#state, h('div', { class: 'seat__actions' }, this.#check)),
      h('div', {}, this.#name, this.#reason, h('p', { class: 'seat__facts' }, this.#code, this.#left, this.#extra), h('p', { class: 'seat__facts' }, this.#answered, this.#saved)),
      h('div', { class: 'seat__foot' }, this.#bar, this.#time, this.#message),
    )
  }

  show(seat: BoardSeat, reason: Reason, left: string | null, nowMs: number): void {
    const isDone = seat.state === 'submitted' || seat.state === 'closed'
    const look = reason !== null ? `seat--${reason.level}` : isDone ? 'seat--done' : seat.state === 'running' ? 'seat--good' : ''
    put(this.element, 'className', `seat ${look}`.trim())
    put(this.#number, 'textContent', seat.seat === null ? '–' : String(seat.seat))
    put(this.#state, 'textContent', t(`board.state-${seat.state}`))
    put(this.#state, 'className', `badge ${seat.state === 'submitted' ? 'badge--good' : seat.state === 'running' ? 'badge--accent' : ''}`.trim())
    put(this.#name, 'textContent', seat.name)
    put(this.#code, 'textContent', seat.candidate_number)
    put(this.#answered, 'textContent', t('board.answered', { answered: seat.answered, total: seat.total }))
    put(this.#left, 'textContent', seat.state === 'running' && left !== null ? t('board.left', { time: left }) : '')
    put(this.#saved, 'textContent', seat.state === 'ready' ? '' : seat.last_saved_ms === null ? t('board.saved-never') : t('board.saved', { age: ageText(nowMs - seat.last_saved_ms) }))
    const minutes = Math.round(seat.extra_seconds / 60)
    put(this.#extra, 'textContent', minutes > 0 ? t('board.extra', { minutes }) : '')
    put(this.#reason, 'textContent', reason === null ? '' : t(`board.reason-${reason.kind}`, { age: ageText(reason.forMs) }))
    this.#reason.hidden = reason === null
    this.#bar.max = Math.max(1, seat.total)
    this.#bar.value = seat.answered
    this.#bar.setAttribute('aria-label', t('board.answered', { answered: seat.answered, total: seat.total }))
    this.#check.setAttribute('aria-label', t('board.select', { name: seat.name }))
    this.#time.setAttribute('aria-label', t('board.add-time-title', { who: seat.name }))
    this.#message.setAttribute('aria-label', t('board.message-title', { who: seat.name }))
    this.#time.title = t('board.add-time')
    this.#message.title = t('board.message')
    this.#time.hidden = seat.state === 'submitted'
    this.#message.hidden = isDone
  }

  select(on: boolean): void {
    this.#check.checked = on
  }
}

export function ageText(ms: number): string {
  const { unit, count } = ageOf(ms)
  return t(`board.age-${unit}`, { count })
}

/** Write only what changed: twenty-four tiles, every two seconds, on an old computer. */
function put<Target extends HTMLElement>(target: Target, property: 'textContent' | 'className', value: string): void {
  if (target[property] !== value) target[property] = value
}
