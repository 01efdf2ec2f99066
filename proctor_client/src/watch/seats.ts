/** Seats in the orders in which people look for them. Which of them may need help, and why, the server says. Pure. */

import type { BoardSeat, Flag, RoomBoardView } from './board_api.ts'

export interface SeatLists {
  readonly waiting: readonly BoardSeat[]
  readonly help: readonly BoardSeat[]
  readonly fine: readonly BoardSeat[]
}

/** Second seats at the door first; each list in the order of the seats, so that tiles keep their places while nothing happens. */
export function seatLists(board: RoomBoardView): SeatLists {
  const ordered = inOrder(board.seats)
  const waiting = ordered.filter((seat) => seat.claimed_ms !== undefined)
  const others = ordered.filter((seat) => seat.claimed_ms === undefined)
  return { waiting, help: others.filter(mayNeedHelp), fine: others.filter((seat) => !mayNeedHelp(seat)) }
}

export function inOrder(seats: readonly BoardSeat[]): BoardSeat[] {
  return [...seats].sort((a, b) => (a.seat ?? 1e6) - (b.seat ?? 1e6) || (a.candidate_number < b.candidate_number ? -1 : 1))
}

export function mayNeedHelp(seat: BoardSeat): boolean {
  return (seat.flags?.length ?? 0) > 0
}

/** The most pressing first. */
export function flagsOf(seat: BoardSeat): readonly Flag[] {
  return [...(seat.flags ?? [])].sort((a, b) => (a.level === b.level ? 0 : a.level === 'bad' ? -1 : 1))
}

export function isDone(seat: BoardSeat): boolean {
  return seat.state === 'submitted' || seat.state === 'closed'
}

const COLUMNS_UNKNOWN = 6

/** The room as it stands: rows of seats, with gaps where nobody sits; who has no seat stands in rows at the end. */
export function seatRows(board: RoomBoardView): readonly (readonly (BoardSeat | null)[])[] {
  const columns = board.room.columns || COLUMNS_UNKNOWN
  const placed = new Map<number, BoardSeat>()
  const rest: BoardSeat[] = []
  for (const seat of inOrder(board.seats)) {
    if (seat.seat === null || seat.seat < 1 || placed.has(seat.seat)) rest.push(seat)
    else placed.set(seat.seat, seat)
  }
  const last = Math.max(0, ...placed.keys())
  const cells: (BoardSeat | null)[] = Array.from({ length: Math.ceil(last / columns) * columns }, (_, place) => placed.get(place + 1) ?? null)
  cells.push(...rest)
  return Array.from({ length: Math.ceil(cells.length / columns) }, (_, row) => cells.slice(row * columns, (row + 1) * columns))
}

export interface Totals {
  readonly all: number
  readonly ready: number
  readonly running: number
  readonly done: number
  readonly silent: number
}

export function totals(board: RoomBoardView): Totals {
  const count = (holds: (seat: BoardSeat) => boolean): number => board.seats.filter(holds).length
  return {
    all: board.seats.length,
    ready: count((seat) => seat.state === 'ready'),
    running: count((seat) => seat.state === 'running'),
    done: count(isDone),
    silent: count((seat) => seat.state === 'running' && !seat.is_connected),
  }
}

export interface Age {
  readonly unit: 'seconds' | 'minutes' | 'hours'
  readonly count: number
}

/** Ages in steps a glance can use; seconds by fives, or the board would flicker. */
export function ageOf(ms: number): Age {
  const seconds = Math.max(0, Math.round(ms / 1000))
  if (seconds < 60) return { unit: 'seconds', count: Math.ceil(seconds / 5) * 5 }
  if (seconds < 3600) return { unit: 'minutes', count: Math.floor(seconds / 60) }
  return { unit: 'hours', count: Math.floor(seconds / 3600) }
}
