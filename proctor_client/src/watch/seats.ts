/** Which seats may need help, and why. Pure. */

import type { BoardSeat, RoomBoardView } from './board_api.ts'

export type Reason =
  | { readonly kind: 'never-seen' | 'silent' | 'not-started' | 'idle'; readonly forMs: number; readonly level: 'warn' | 'bad' }
  | null

type SittingTimes = Pick<RoomBoardView['sitting'], 'starts_at_ms' | 'ends_at_ms'>

/** A seat asks the time every ten seconds; three misses are more than a hiccup. */
const SILENT_MS = 35_000
const LATE_MS = 3 * 60_000
/** A sitting that stays open this long is for practice: nobody is late. */
const PRACTICE_MS = 12 * 3_600_000
const IDLE_MS = 12 * 60_000

export function reasonOf(seat: BoardSeat, sitting: SittingTimes, nowMs: number): Reason {
  const { starts_at_ms: startsAtMs, ends_at_ms: endsAtMs } = sitting
  if (seat.state === 'submitted' || seat.state === 'closed') return null
  if (seat.state === 'ready') {
    const lateMs = nowMs - startsAtMs
    if (lateMs < LATE_MS || endsAtMs - startsAtMs > PRACTICE_MS) return null
    return { kind: seat.last_seen_ms === null ? 'never-seen' : 'not-started', forMs: lateMs, level: 'warn' }
  }
  const silentMs = nowMs - (seat.last_seen_ms ?? startsAtMs)
  if (silentMs > SILENT_MS) return { kind: 'silent', forMs: silentMs, level: 'bad' }
  if (seat.last_saved_ms !== null && seat.answered < seat.total && nowMs - seat.last_saved_ms > IDLE_MS) {
    return { kind: 'idle', forMs: nowMs - seat.last_saved_ms, level: 'warn' }
  }
  return null
}

export interface SeatLists {
  readonly help: readonly BoardSeat[]
  readonly fine: readonly BoardSeat[]
}

/** Two lists, each in the order of the seats, so that tiles keep their places while nothing happens. */
export function seatLists(board: RoomBoardView, nowMs: number): SeatLists {
  const ordered = [...board.seats].sort((a, b) => (a.seat ?? 1e6) - (b.seat ?? 1e6) || (a.candidate_number < b.candidate_number ? -1 : 1))
  const needsHelp = (seat: BoardSeat): boolean => reasonOf(seat, board.sitting, nowMs) !== null
  return { help: ordered.filter(needsHelp), fine: ordered.filter((seat) => !needsHelp(seat)) }
}

export interface Totals {
  readonly all: number
  readonly running: number
  readonly done: number
}

export function totals(board: RoomBoardView): Totals {
  const count = (holds: (seat: BoardSeat) => boolean): number => board.seats.filter(holds).length
  return {
    all: board.seats.length,
    running: count((seat) => seat.state === 'running'),
    done: count((seat) => seat.state === 'submitted' || seat.state === 'closed'),
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
