/** The state of a room as events build it up, and how old it is. Pure. */

import type { Beat, RoomBoardView, SeatChanges } from './board_api.ts'

export interface LiveState {
  readonly board: RoomBoardView | null
  /** The server's moment at which the state was read. */
  readonly readMs: number
  /** The server's clock less our counter: the largest seen, since a message can only be late. */
  readonly offsetMs: number
}

export const NOTHING_YET: LiveState = { board: null, readMs: 0, offsetMs: Number.NEGATIVE_INFINITY }

export function withRoom(state: LiveState, board: RoomBoardView, counterMs: number): LiveState {
  return told({ ...state, board }, board.server_time_ms, board.server_time_ms, counterMs)
}

/** Changes to a room we do not hold are nothing to build on: the whole will come. */
export function withSeats(state: LiveState, changes: SeatChanges, counterMs: number): LiveState {
  if (state.board === null) return state
  const changed = new Map(changes.seats.map((seat) => [seat.attempt_id, seat]))
  const seats = state.board.seats.map((seat) => changed.get(seat.attempt_id) ?? seat)
  return told({ ...state, board: { ...state.board, seats } }, changes.server_time_ms, changes.server_time_ms, counterMs)
}

export function withBeat(state: LiveState, beat: Beat, counterMs: number): LiveState {
  return told(state, beat.server_time_ms, beat.read_ms, counterMs)
}

export function serverNow(state: LiveState, counterMs: number): number {
  return counterMs + state.offsetMs
}

function told(state: LiveState, serverMs: number, readMs: number, counterMs: number): LiveState {
  return { ...state, readMs: Math.max(state.readMs, readMs), offsetMs: Math.max(state.offsetMs, serverMs - counterMs) }
}
