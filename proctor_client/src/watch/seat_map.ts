/** The room as it stands: a grid of seats, told by colour, sign and words at once; a click opens the seat. */

import { h, sign, type Sign } from '../shared/dom.ts'
import { t, told } from '../shared/room_texts.ts'
import type { BoardSeat, RoomBoardView } from './board_api.ts'
import { flagsOf, isDone, seatRows } from './seats.ts'
import { stateText } from './seat_tile.ts'

export class SeatMap {
  readonly element = h('div', { class: 'seat-map' })
  #drawn = ''
  readonly #onOpen: (attempt: string) => void

  constructor(onOpen: (attempt: string) => void) {
    this.#onOpen = onOpen
  }

  show(board: RoomBoardView): void {
    // A map redrawn each second would lose the focus; what it shows is compared as a whole.
    const shown = JSON.stringify(board.seats.map((seat) => [seat.attempt_id, seat.seat, seat.state, seat.flags, seat.is_paused, seat.is_locked, seat.is_connected, seat.answered]))
    if (shown === this.#drawn) return
    this.#drawn = shown
    const focused = (document.activeElement as HTMLElement | null)?.dataset['attempt']
    const rows = seatRows(board)
    this.element.style.setProperty('--columns', String(rows[0]?.length ?? 1))
    this.element.replaceChildren(
      h('p', { class: 'seat-map__front' }, t('board.front')),
      h(
        'table',
        { class: 'seat-map__grid', 'aria-label': t('board.map-label') },
        h('tbody', {}, ...rows.map((row) => h('tr', {}, ...row.map((seat) => h('td', {}, seat === null ? h('span', { class: 'map-seat map-seat--free' }, h('span', { class: 'visually-hidden' }, t('board.seat-free'))) : this.#cell(seat)))))),
      ),
    )
    if (focused) this.element.querySelector<HTMLElement>(`[data-attempt="${focused}"]`)?.focus()
  }

  #cell(seat: BoardSeat): HTMLElement {
    const [flag] = flagsOf(seat)
    const look = flag ? flag.level : isDone(seat) ? 'done' : seat.state === 'running' ? 'good' : 'none'
    const words = [
      t('board.map-seat', { seat: seat.seat ?? '–', name: seat.name }),
      stateText(seat),
      seat.is_paused ? t('board.paused') : '',
      seat.is_locked ? t('board.locked') : '',
      flag ? told('board.flag-', flag.kind, { age: '', times: flag.times ?? 0 }) : '',
    ]
    return h(
      'button',
      { class: `map-seat map-seat--${look}`, type: 'button', 'data-attempt': seat.attempt_id, title: words.filter(Boolean).join('\n'), on: { click: () => this.#onOpen(seat.attempt_id) } },
      h('span', { class: 'visually-hidden' }, `${t('board.seat')} `),
      h('span', { class: 'map-seat__number' }, seat.seat === null ? '–' : String(seat.seat)),
      sign(signOf(seat, look)),
      h('span', { class: 'map-seat__name' }, givenName(seat.name)),
      h('span', { class: 'map-seat__count number' }, `${seat.answered}/${seat.total}`),
      // Said by a screen reader, seen as colour and sign; a name of its own would hide what everybody reads.
      h('span', { class: 'visually-hidden' }, words.filter(Boolean).join(', ')),
    )
  }
}

function signOf(seat: BoardSeat, look: string): Sign {
  if (look === 'bad' || look === 'warn') return 'warn'
  if (seat.is_locked) return 'lock'
  if (seat.is_paused) return 'pause'
  if (isDone(seat)) return 'check'
  return seat.state === 'running' ? 'pen' : 'seat'
}

/** In Vietnamese people are called by the last word of the name. */
function givenName(name: string): string {
  return name.trim().split(/\s+/).at(-1) ?? name
}
