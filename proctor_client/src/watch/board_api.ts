/** What the room board reads and sends. Times are UTC milliseconds of the server's clock. */

import type { AttemptState } from '../shared/api.ts'

export interface BoardSeat {
  readonly attempt_id: string
  readonly candidate_number: string
  readonly name: string
  readonly seat: number | null
  readonly state: AttemptState
  readonly close_reason: string | null
  readonly answered: number
  readonly total: number
  readonly last_seen_ms: number | null
  readonly last_saved_ms: number | null
  readonly deadline_ms: number | null
  readonly extra_seconds: number
  /** How often a browser has taken the attempt over, the first one included. */
  readonly lease: number
}

export interface RoomBoardView {
  readonly sitting: { readonly id: string; readonly code: string; readonly name: string; readonly state: string; readonly starts_at_ms: number; readonly ends_at_ms: number }
  readonly room: { readonly id: string; readonly code: string }
  readonly server_time_ms: number
  readonly seats: readonly BoardSeat[]
}

/** For one attempt or, without `attempt_id`, for the room. The same `request` is never carried out twice. */
interface Act {
  readonly request: string
  readonly room_id: string
  readonly attempt_id: string | null
}

export interface ExtendAct extends Act {
  readonly seconds: number
  readonly reason: string
}

export interface MessageAct extends Act {
  readonly text: string
}
