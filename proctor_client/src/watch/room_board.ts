/** <room-board sitting room may-act may-extend-room>: second seats at the door, who may need help, the others; list or map. */

import { toast } from '../console/toast.ts'
import { formatLeft } from '../core/timer.ts'
import { h } from '../shared/dom.ts'
import { fold, formatClock } from '../shared/i18n.ts'
import { t } from '../shared/room_texts.ts'
import { actLine } from './act_list.ts'
import { type Audience, one } from './audience.ts'
import type { BoardSeat, RoomBoardView, SeatVerb } from './board_api.ts'
import { BoardServer } from './board_server.ts'
import { incidentLine } from './incident_form.ts'
import { LiveBoard } from './live.ts'
import * as acts from './room_acts.ts'
import { SeatCard, admission, type CardActs } from './seat_card.ts'
import { SeatMap } from './seat_map.ts'
import { SeatTile } from './seat_tile.ts'
import { inOrder, seatLists, totals } from './seats.ts'

const VERBS: readonly SeatVerb[] = ['lock', 'unlock', 'end', 'absent', 'malpractice', 'reopen']
const STALE_MS = 6_000

export class RoomBoard extends HTMLElement {
  #live: LiveBoard | null = null
  #desk: acts.Desk | null = null
  #ticking: ReturnType<typeof setInterval> | undefined
  #card: { readonly card: SeatCard; readonly attempt: string } | null = null
  #view: 'list' | 'map' = 'list'
  readonly #tiles = new Map<string, SeatTile>()
  readonly #selected = new Set<string>()

  readonly #stats = h('div', { class: 'grid grid--narrow board__stats' })
  readonly #status = h('p', { class: 'small soft board__status' })
  readonly #alertText = h('p', {})
  readonly #signIn = h('p', { class: 'alert__actions' }, h('a', { class: 'button button--primary', href: `/staff/sign-in?ended=page&next=${encodeURIComponent(location.pathname)}` }, t('board.sign-in-again')))
  readonly #alert = h('div', { class: 'alert alert--warn', role: 'alert' }, this.#alertText, this.#signIn)
  readonly #search = h('div', { class: 'field field--search' })
  readonly #find = h('input', { class: 'input', type: 'search', id: 'board-find', on: { input: () => this.#draw() } })
  readonly #target = h('span', { class: 'board__target number' })
  readonly #bar = h('div', { class: 'board__acts' })
  readonly #time = h('button', { class: 'button', type: 'button', on: { click: () => void this.#giveTime() } }, t('board.add-time'))
  readonly #timeHint = h('p', { class: 'small soft board__hint' }, t('board.time-by-board'))
  readonly #door = h('section', { class: 'board__door', 'aria-live': 'polite' })
  readonly #nobodyWhy = h('p', {})
  readonly #nobody = h('div', { class: 'empty', role: 'status' }, h('p', { class: 'empty__title' }, t('board.nobody')), this.#nobodyWhy)
  readonly #help = h('ul', { class: 'seats' })
  readonly #fine = h('ul', { class: 'seats' })
  readonly #helpCount = h('span', { class: 'badge number' })
  readonly #fineCount = h('span', { class: 'badge number' })
  readonly #helpNone = h('p', { class: 'soft' })
  readonly #fineNone = h('p', { class: 'soft' })
  readonly #map = new SeatMap((attempt) => this.#openCard(attempt))
  readonly #lists = h('div', { class: 'board__lists' })
  readonly #views = h('div', { class: 'button-group', role: 'group' })
  readonly #log = h('ul', { class: 'act-list' })
  readonly #incidents = h('ul', { class: 'act-list' })
  #doorDrawn = ''

  static define(): void {
    customElements.define('room-board', RoomBoard)
  }

  get #mayAct(): boolean {
    return this.hasAttribute('may-act')
  }

  get #mayExtendRoom(): boolean {
    return this.hasAttribute('may-extend-room')
  }

  connectedCallback(): void {
    const server = new BoardServer(this.getAttribute('sitting') ?? '', this.getAttribute('room') ?? '')
    this.#desk = { host: this, server, room: this.getAttribute('room') ?? '', onDone: () => void this.#readLog() }
    this.#live = new LiveBoard(server, () => this.#draw())
    this.#alert.hidden = true
    this.#helpNone.textContent = t('board.help-none')
    this.#fineNone.textContent = t('board.fine-none')
    this.#makeBar()
    this.#makeViews()
    this.#search.replaceChildren(h('label', { class: 'field__label', for: 'board-find' }, t('board.find')), this.#find)
    this.#nobody.hidden = true
    this.#lists.replaceChildren(
      h('section', { class: 'board__list', 'aria-labelledby': 'board-help' }, h('h2', { id: 'board-help' }, t('board.help'), ' ', this.#helpCount), this.#helpNone, this.#help),
      h('section', { class: 'board__list', 'aria-labelledby': 'board-fine' }, h('h2', { id: 'board-fine' }, t('board.fine'), ' ', this.#fineCount), this.#fineNone, this.#fine),
    )
    this.replaceChildren(
      this.#alert,
      this.#stats,
      this.#door,
      h('div', { class: 'filter-bar board__bar' }, this.#search, this.#views, h('div', { class: 'filter-bar__count' }, this.#status)),
      ...(this.#mayAct ? [this.#bar] : []),
      this.#nobody,
      this.#lists,
      this.#map.element,
      this.#logSection('board-incidents', t('board.incidents'), this.#incidents),
      this.#logSection('board-log', t('board.log'), this.#log),
    )
    this.#live.start()
    this.#ticking = setInterval(() => this.#draw(), 1_000)
    void this.#readLog()
  }

  disconnectedCallback(): void {
    this.#live?.stop()
    clearInterval(this.#ticking)
  }

  #makeBar(): void {
    const desk = this.#desk
    if (!desk) return
    const button = (label: string, go: () => void): HTMLElement => h('button', { class: 'button', type: 'button', on: { click: go } }, label)
    const more = h('select', { class: 'select board__more', 'aria-label': t('board.more-acts') }, h('option', { value: '' }, t('board.more-acts')), ...VERBS.map((verb) => h('option', { value: verb }, t(`board.do-${verb}`))))
    more.addEventListener('change', () => {
      const verb = VERBS.find((name) => name === more.value)
      more.value = ''
      if (!verb) return
      // What locks or ends papers is done to candidates that were named, never to a room by one click.
      if (this.#audience().isRoom) toast(t('board.choose-first', { act: t(`board.do-${verb}`) }), 'bad')
      else void acts.actOnSeats(desk, verb, this.#audience()).then(() => this.#unselect())
    })
    this.#bar.replaceChildren(
      this.#target,
      button(t('board.message'), () => void acts.sendMessage(desk, this.#audience()).then(() => this.#unselect())),
      this.#time,
      button(t('board.do-pause'), () => void acts.actOnSeats(desk, 'pause', this.#audience()).then(() => this.#unselect())),
      button(t('board.do-resume'), () => void acts.actOnSeats(desk, 'resume', this.#audience()).then(() => this.#unselect())),
      button(t('board.report-incident'), () => void this.#report(this.#selected)),
      more,
      this.#timeHint,
    )
  }

  async #giveTime(): Promise<void> {
    if (!this.#desk) return
    await acts.giveTime(this.#desk, this.#audience())
    this.#unselect()
  }

  #makeViews(): void {
    const choose = (view: 'list' | 'map'): HTMLElement =>
      h('button', { class: 'button button--small', type: 'button', 'aria-pressed': String(this.#view === view), on: { click: () => { this.#view = view; this.#makeViews(); this.#draw() } } }, t(`board.view-${view}`))
    this.#views.setAttribute('aria-label', t('board.view'))
    this.#views.replaceChildren(choose('list'), choose('map'))
  }

  #logSection(id: string, title: string, list: HTMLElement): HTMLElement {
    return h('details', { class: 'details' }, h('summary', { id }, title), list)
  }

  #draw(): void {
    this.#drawStatus()
    const board = this.#live?.state.board
    if (!board) return
    const now = this.#live?.now() ?? 0
    const sums = totals(board)
    this.#stats.replaceChildren(stat(t('board.total'), sums.all), stat(t('board.running'), sums.running), stat(t('board.silent'), sums.silent), stat(t('board.done'), sums.done))
    const words = fold(this.#find.value).split(/\s+/).filter(Boolean)
    const matches = (seat: BoardSeat): boolean => {
      const text = fold(`${seat.name} ${seat.candidate_number} ${seat.seat ?? ''}`)
      return words.every((word) => text.includes(word))
    }
    const lists = seatLists(board)
    for (const seat of board.seats) this.#tile(seat).show(seat, this.#left(seat, now), now)
    this.#drawDoor(lists.waiting, now)
    this.#fill(this.#help, [...lists.waiting, ...lists.help].filter(matches), this.#helpCount, this.#helpNone)
    this.#fill(this.#fine, lists.fine.filter(matches), this.#fineCount, this.#fineNone)
    const isEmpty = board.seats.length === 0
    this.#drawNobody(isEmpty, board.sitting.state === 'open')
    this.#lists.hidden = isEmpty || this.#view !== 'list'
    this.#map.element.hidden = isEmpty || this.#view !== 'map'
    if (this.#view === 'map') this.#map.show(board)
    this.#drawCard(board, now)
    this.#drawTarget(board)
  }

  #drawStatus(): void {
    const live = this.#live
    if (!live) return
    const age = live.state.board === null ? 0 : live.now() - live.state.readMs
    const text =
      live.link === 'signed-out' ? t('board.sign-in') : live.link === 'shut-out' ? t('board.shut-out') : live.link === 'silent' ? t('board.silent-link') : age > STALE_MS ? t('board.stale', { seconds: Math.round(age / 1000) }) : ''
    if (this.#alertText.textContent !== text) this.#alertText.textContent = text
    this.#signIn.hidden = live.link !== 'signed-out'
    this.#alert.hidden = text === ''
    const updated = live.state.board === null ? '' : t('board.updated', { time: formatClock(live.state.readMs, true) })
    if (this.#status.textContent !== updated) this.#status.textContent = updated
  }

  /** In a room without candidates there is nothing to find, count or act on until somebody is moved there. */
  #drawNobody(isEmpty: boolean, isOpen: boolean): void {
    for (const element of [this.#stats, this.#search, this.#views, this.#bar]) element.hidden = isEmpty
    const why = t(isOpen ? 'board.nobody-open' : 'board.nobody-shut')
    if (this.#nobodyWhy.textContent !== why) this.#nobodyWhy.textContent = why
    this.#nobody.hidden = !isEmpty
  }

  /** Second machines at the door stand above everything: somebody is waiting. */
  #drawDoor(waiting: readonly BoardSeat[], now: number): void {
    const shown = JSON.stringify(waiting.map((seat) => [seat.attempt_id, seat.claimed_ms, seat.is_connected, seat.last_seen_ms]))
    if (shown === this.#doorDrawn) return
    this.#doorDrawn = shown
    this.#door.replaceChildren(
      ...waiting.map((seat) => h('div', { class: 'door' }, h('button', { class: 'seat__open door__name', type: 'button', on: { click: () => this.#openCard(seat.attempt_id) } }, `${seat.seat ?? '–'} · ${seat.name}`), this.#mayAct ? admission(seat, this.#cardActs(seat), now) : h('p', {}, t('board.admission')))),
    )
  }

  #left(seat: BoardSeat, now: number): string | null {
    if (seat.deadline_ms === undefined) return null
    // While the clock stands, so does what is left.
    return formatLeft(Math.max(0, seat.deadline_ms - (seat.is_paused ? (seat.paused_ms ?? now) : now)))
  }

  #tile(seat: BoardSeat): SeatTile {
    let tile = this.#tiles.get(seat.attempt_id)
    const desk = this.#desk
    if (!tile && desk) {
      tile = new SeatTile({
        onSelect: (on) => {
          if (on) this.#selected.add(seat.attempt_id)
          else this.#selected.delete(seat.attempt_id)
          this.#draw()
        },
        onOpen: () => this.#openCard(seat.attempt_id),
        onTime: () => void acts.giveTime(desk, one(this.#newest(seat))),
        onMessage: () => void acts.sendMessage(desk, one(this.#newest(seat))),
        onReviewed: () => void acts.markReviewed(desk, seat),
      })
      tile.element.classList.toggle('seat--watched', !this.#mayAct)
      this.#tiles.set(seat.attempt_id, tile)
    }
    return tile as SeatTile
  }

  #newest(seat: BoardSeat): BoardSeat {
    return this.#seat(seat.attempt_id) ?? seat
  }

  #seat(attempt: string): BoardSeat | undefined {
    return this.#live?.state.board?.seats.find((seat) => seat.attempt_id === attempt)
  }

  #openCard(attempt: string): void {
    const seat = this.#seat(attempt)
    const desk = this.#desk
    if (!seat || !desk) return
    this.#card?.card.close()
    this.#card = { attempt, card: new SeatCard(this, seat, desk.server, () => { this.#card = null }) }
    this.#draw()
  }

  #drawCard(board: RoomBoardView, now: number): void {
    const seat = this.#card && board.seats.find((other) => other.attempt_id === this.#card?.attempt)
    if (seat) this.#card?.card.show(seat, this.#cardActs(seat), this.#left(seat, now), now)
    else this.#card?.card.close() // who moved to another room is looked after there
  }

  #cardActs(seat: BoardSeat): CardActs {
    const desk = this.#desk as acts.Desk
    const newest = (): BoardSeat => this.#newest(seat)
    return {
      mayAct: this.#mayAct,
      identity: (verdict) => void acts.checkIdentity(desk, newest(), verdict),
      admit: (credit) => void acts.admitSeat(desk, newest(), credit),
      refuse: () => void acts.refuseSeat(desk, newest()),
      time: () => void acts.giveTime(desk, one(newest())),
      message: () => void acts.sendMessage(desk, one(newest())),
      seat: (verb) => void acts.actOnSeats(desk, verb, one(newest())),
      move: () => void acts.moveSeat(desk, newest()),
      incident: () => void this.#report(new Set([seat.attempt_id])),
      reviewed: () => void acts.markReviewed(desk, newest()),
    }
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

  #drawTarget(board: RoomBoardView): void {
    const count = this.#selected.size
    const text = count > 0 ? t('board.target-chosen', { count }) : t('board.target-room', { count: board.seats.length })
    if (this.#target.textContent !== text) this.#target.textContent = text
    // Time for a whole room is the board's to give; an invigilator gives it to candidates that were chosen.
    const isTheirs = count > 0 || this.#mayExtendRoom
    this.#bar.classList.toggle('board__acts--chosen', count > 0)
    this.#time.hidden = !isTheirs
    this.#timeHint.hidden = isTheirs
  }

  /** The chosen seats, or the room when none is chosen. */
  #audience(): Audience {
    const seats = inOrder(this.#live?.state.board?.seats ?? [])
    const chosen = seats.filter((seat) => this.#selected.has(seat.attempt_id))
    return chosen.length > 0 ? { seats: chosen, isRoom: false } : { seats, isRoom: true }
  }

  #unselect(): void {
    for (const attempt of this.#selected) this.#tiles.get(attempt)?.select(false)
    this.#selected.clear()
    this.#draw()
  }

  async #report(chosen: ReadonlySet<string>): Promise<void> {
    const desk = this.#desk
    const board = this.#live?.state.board
    if (desk && board) await acts.reportIncident(desk, inOrder(board.seats), chosen, this.#live?.now() ?? Date.parse(new Date().toISOString()))
  }

  async #readLog(): Promise<void> {
    const desk = this.#desk
    if (!desk) return
    const [done, incidents] = await Promise.all([desk.server.acts(), desk.server.incidents()])
    if ('answer' in done) {
      const lines = done.answer.map((act) => {
        const { request } = act
        return actLine(act, this.#mayAct && act.undo === 'act' && request !== undefined && !act.is_undone ? () => void acts.undo(desk, request) : null)
      })
      this.#log.replaceChildren(...orNone(lines, t('board.log-none')))
    }
    if ('answer' in incidents) {
      const lines = incidents.answer.map((incident) => incidentLine(incident, this.#mayAct, () => void acts.withdraw(desk, incident.id, incident.number)))
      this.#incidents.replaceChildren(...orNone(lines, t('board.incidents-none')))
    }
  }
}

function orNone(lines: readonly HTMLElement[], none: string): readonly HTMLElement[] {
  return lines.length > 0 ? lines : [h('li', { class: 'soft' }, none)]
}

function stat(label: string, value: number): HTMLElement {
  return h('div', { class: 'stat' }, h('span', { class: 'stat__label' }, label), h('span', { class: 'stat__value' }, value))
}
