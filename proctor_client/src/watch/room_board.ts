/** <room-board sitting="…" room="…">: seats that may need help on top, the others below; time and messages for one or all. */

import { formatLeft, readClock, remainingMs, type ServerClock, serverNow } from '../core/timer.ts'
import { toast } from '../console/toast.ts'
import { h } from '../shared/dom.ts'
import { fold, formatClock } from '../shared/i18n.ts'
import { t } from '../shared/staff_texts.ts'
import { askMessage, askTime } from './acts.ts'
import { type Audience, audienceName } from './audience.ts'
import type { BoardSeat, RoomBoardView } from './board_api.ts'
import { BoardServer } from './board_server.ts'
import { SeatTile } from './seat_tile.ts'
import { ageOf, reasonOf, seatLists, totals } from './seats.ts'

const READ_EVERY_MS = 2_000
const STALE_AFTER_MS = 10_000

export class RoomBoard extends HTMLElement {
  #server: BoardServer | null = null
  #board: RoomBoardView | null = null
  #clock: ServerClock | null = null
  #readAtMs = 0
  #timer: ReturnType<typeof setTimeout> | undefined
  #isSignedOut = false
  readonly #tiles = new Map<string, SeatTile>()
  readonly #selected = new Set<string>()

  readonly #stats = h('div', { class: 'grid grid--narrow board__stats' })
  readonly #status = h('p', { class: 'small soft', role: 'status' })
  readonly #alert = h('div', { class: 'alert alert--warn', role: 'alert' })
  readonly #find = h('input', { class: 'input', type: 'search', id: 'board-find', on: { input: () => this.#draw() } })
  readonly #selection = h('span', { class: 'board__target number' })
  readonly #help = h('ul', { class: 'seats' })
  readonly #fine = h('ul', { class: 'seats' })
  readonly #helpCount = h('span', { class: 'badge number' })
  readonly #fineCount = h('span', { class: 'badge number' })
  readonly #helpNone = h('p', { class: 'soft' }, t('board.help-none'))
  readonly #fineNone = h('p', { class: 'soft' }, t('board.fine-none'))

  static define(): void {
    customElements.define('room-board', RoomBoard)
  }

  connectedCallback(): void {
    this.#server = new BoardServer(this.getAttribute('sitting') ?? '', this.getAttribute('room') ?? '')
    this.#alert.hidden = true
    this.#helpNone.textContent = t('board.help-none')
    this.#fineNone.textContent = t('board.fine-none')
    this.replaceChildren(
      this.#alert,
      this.#stats,
      h(
        'div',
        { class: 'filter-bar board__bar' },
        h('div', { class: 'field field--search' }, h('label', { class: 'field__label', for: 'board-find' }, t('board.find')), this.#find),
        this.#selection,
        h('button', { class: 'button', type: 'button', on: { click: () => void this.#giveTime(this.#audience()) } }, t('board.add-time')),
        h('button', { class: 'button', type: 'button', on: { click: () => void this.#sendMessage(this.#audience()) } }, t('board.message')),
        h('div', { class: 'filter-bar__count' }, this.#status),
      ),
      h('section', { class: 'board__list', 'aria-labelledby': 'board-help' }, h('h2', { id: 'board-help' }, t('board.help'), ' ', this.#helpCount), this.#helpNone, this.#help),
      h('section', { class: 'board__list', 'aria-labelledby': 'board-fine' }, h('h2', { id: 'board-fine' }, t('board.fine'), ' ', this.#fineCount), this.#fineNone, this.#fine),
    )
    void this.#read()
    document.addEventListener('visibilitychange', this.#onVisible)
  }

  disconnectedCallback(): void {
    clearTimeout(this.#timer)
    document.removeEventListener('visibilitychange', this.#onVisible)
  }

  readonly #onVisible = (): void => {
    if (document.visibilityState === 'visible') void this.#read()
  }

  async #read(): Promise<void> {
    clearTimeout(this.#timer)
    const sent = performance.now()
    const reading = await this.#server?.read()
    if (!this.isConnected || !reading) return
    const received = performance.now()
    this.#isSignedOut = reading.kind === 'signed-out'
    if (reading.kind === 'new') {
      this.#board = reading.board
      this.#clock = readClock(this.#clock, reading.board.server_time_ms, sent, received)
    }
    if (reading.kind === 'new' || reading.kind === 'same') this.#readAtMs = received
    this.#draw()
    // Hidden boards rest; the exam does not depend on anybody watching.
    if (document.visibilityState === 'visible') this.#timer = setTimeout(() => void this.#read(), READ_EVERY_MS)
  }

  #draw(): void {
    this.#drawStatus()
    const board = this.#board
    const clock = this.#clock
    if (!board || !clock) return
    const counter = performance.now()
    const now = serverNow(clock, counter)
    const sums = totals(board)
    this.#stats.replaceChildren(stat(t('board.total'), sums.all), stat(t('board.running'), sums.running), stat(t('board.done'), sums.done))
    const words = fold(this.#find.value).split(/\s+/).filter(Boolean)
    const matches = (seat: BoardSeat): boolean => {
      const text = fold(`${seat.name} ${seat.candidate_number} ${seat.seat ?? ''}`)
      return words.every((word) => text.includes(word))
    }
    const lists = seatLists(board, now)
    for (const seat of board.seats) {
      const left = seat.deadline_ms === null ? null : formatLeft(remainingMs(seat.deadline_ms, clock, counter))
      this.#tile(seat).show(seat, reasonOf(seat, board.sitting, now), left, now)
    }
    this.#fill(this.#help, lists.help.filter(matches), this.#helpCount, this.#helpNone)
    this.#fill(this.#fine, lists.fine.filter(matches), this.#fineCount, this.#fineNone)
    this.#drawSelection()
  }

  #drawStatus(): void {
    const age = performance.now() - this.#readAtMs
    const isStale = this.#readAtMs > 0 && age > STALE_AFTER_MS
    const text = this.#isSignedOut ? t('board.sign-in') : isStale ? t('board.stale', { seconds: ageOf(age).unit === 'seconds' ? ageOf(age).count : Math.round(age / 1000) }) : ''
    if (this.#alert.textContent !== text) this.#alert.textContent = text
    this.#alert.hidden = text === ''
    const updated = this.#clock === null ? '' : t('board.updated', { time: formatClock(serverNow(this.#clock, this.#readAtMs), true) })
    this.#status.setAttribute('aria-live', 'off')
    if (this.#status.textContent !== updated) this.#status.textContent = updated
  }

  #tile(seat: BoardSeat): SeatTile {
    let tile = this.#tiles.get(seat.attempt_id)
    if (!tile) {
      tile = new SeatTile({
        onSelect: (on) => {
          if (on) this.#selected.add(seat.attempt_id)
          else this.#selected.delete(seat.attempt_id)
          this.#drawSelection()
        },
        onTime: () => void this.#giveTime({ seats: [this.#newest(seat)], isRoom: false }),
        onMessage: () => void this.#sendMessage({ seats: [this.#newest(seat)], isRoom: false }),
      })
      this.#tiles.set(seat.attempt_id, tile)
    }
    return tile
  }

  #newest(seat: BoardSeat): BoardSeat {
    return this.#board?.seats.find((other) => other.attempt_id === seat.attempt_id) ?? seat
  }

  /** Tiles are moved only when their place changes, so that a focus or a half-made choice survives the reading. */
  #fill(list: HTMLElement, seats: readonly BoardSeat[], count: HTMLElement, none: HTMLElement): void {
    const wanted = seats.map((seat) => this.#tile(seat).element)
    wanted.forEach((element, index) => {
      if (list.children[index] === element) return
      const hadFocus = element.contains(document.activeElement) ? (document.activeElement as HTMLElement) : null
      list.insertBefore(element, list.children[index] ?? null)
      hadFocus?.focus()
    })
    while (list.children.length > wanted.length) list.lastElementChild?.remove()
    count.textContent = String(seats.length)
    none.hidden = seats.length > 0
  }

  #drawSelection(): void {
    const count = this.#selected.size
    this.#selection.textContent = count > 0 ? t('board.target-chosen', { count }) : t('board.target-room')
  }

  /** The chosen seats, or the room when none is chosen. */
  #audience(): Audience {
    const seats = this.#board?.seats ?? []
    const chosen = seats.filter((seat) => this.#selected.has(seat.attempt_id))
    return chosen.length > 0 ? { seats: chosen, isRoom: false } : { seats, isRoom: true }
  }

  async #giveTime(audience: Audience): Promise<void> {
    const answer = await askTime(this, audience)
    if (!answer) return
    const done = await this.#forEach(audience, (target) => this.#server?.extend({ ...target, seconds: answer.minutes * 60, reason: answer.reason }))
    if (done) toast(t('board.given', { minutes: answer.minutes, who: audienceName(audience) }), 'good')
  }

  async #sendMessage(audience: Audience): Promise<void> {
    const text = await askMessage(this, audience)
    if (text === null) return
    const done = await this.#forEach(audience, (target) => this.#server?.message({ ...target, text }))
    if (done) toast(t('board.sent', { who: audienceName(audience) }), 'good')
  }

  /** One request for a room, one for each chosen seat; what failed is named. */
  async #forEach(audience: Audience, act: (target: { request: string; room_id: string; attempt_id: string | null }) => Promise<string | null> | undefined): Promise<boolean> {
    const room = this.#board?.room.id ?? ''
    const targets = audience.isRoom ? [null] : audience.seats
    const failed: string[] = []
    let reason = ''
    for (const seat of targets) {
      const refusal = await act({ request: freshRequest(), room_id: room, attempt_id: seat?.attempt_id ?? null })
      if (refusal) {
        failed.push(seat ? seat.name : t('board.everybody'))
        reason = refusal
      }
    }
    if (failed.length > 0) toast(`${t('board.some-failed', { count: failed.length, list: failed.join(', ') })} ${reason}`, 'bad')
    for (const seat of audience.seats) this.#tiles.get(seat.attempt_id)?.select(false)
    this.#selected.clear()
    void this.#read()
    return failed.length === 0
  }
}

function stat(label: string, value: number): HTMLElement {
  return h('div', { class: 'stat' }, h('span', { class: 'stat__label' }, label), h('span', { class: 'stat__value' }, value))
}

function freshRequest(): string {
  return [...crypto.getRandomValues(new Uint8Array(12))].map((byte) => byte.toString(16).padStart(2, '0')).join('')
}
