/** What the room board reads and sends. Times are UTC milliseconds of the server's clock; what is left out is false, 0 or none. */

import type { AttemptState } from '../shared/api.ts'

export interface Flag {
  readonly kind: string
  readonly level: 'warn' | 'bad'
  readonly since_ms?: number
  readonly times?: number
}

export interface EventCount {
  readonly kind: string
  readonly severity: 'count' | 'look'
  readonly times: number
  readonly last_ms: number
}

export interface BoardSeat {
  readonly attempt_id: string
  readonly candidate_number: string
  readonly name: string
  readonly seat: number | null
  readonly state: AttemptState
  readonly answered: number
  readonly total: number
  readonly close_reason?: string
  readonly is_connected?: boolean
  readonly is_paused?: boolean
  readonly is_locked?: boolean
  readonly last_seen_ms?: number
  readonly last_saved_ms?: number
  readonly started_ms?: number
  readonly deadline_ms?: number
  readonly paused_ms?: number
  /** A second browser waits since then. */
  readonly claimed_ms?: number
  readonly finished_ms?: number
  readonly extra_seconds?: number
  /** Of it, what the candidate's accommodation grants. */
  readonly accommodated_seconds?: number
  /** How often a browser has taken the attempt over, the first one included. */
  readonly lease?: number
  readonly identity?: 'matches' | 'doubtful'
  readonly incidents?: number
  readonly photo?: string
  readonly events?: readonly EventCount[]
  readonly flags?: readonly Flag[]
}

export interface RoomBoardView {
  readonly sitting: { readonly id: string; readonly code: string; readonly name: string; readonly subject: string; readonly state: string; readonly starts_at_ms: number; readonly ends_at_ms: number }
  readonly room: { readonly id: string; readonly code: string; readonly columns: number }
  readonly server_time_ms: number
  readonly seats: readonly BoardSeat[]
}

export interface SeatChanges {
  readonly server_time_ms: number
  readonly seats: readonly BoardSeat[]
}

export interface Beat {
  readonly server_time_ms: number
  readonly read_ms: number
}

/** Acts on seats that the server takes back by one request. */
export type SeatVerb = 'pause' | 'resume' | 'lock' | 'unlock' | 'end' | 'absent' | 'malpractice' | 'reopen'

/** Somebody an act did not reach, or not wholly, and why. */
export interface LeftOut {
  readonly attempt_id: string
  readonly number: string
  readonly name: string
  readonly why: string
  readonly seconds: number
}

export interface Acted {
  readonly request: string
  readonly changed: number
  readonly unchanged: number
  readonly left?: readonly LeftOut[]
  /** Of extra time: how much was given, which is what the first try of the same request asked for. */
  readonly seconds?: number
  readonly credited_ms?: number
  readonly is_undoable?: boolean
}

/** Where a candidate sits now. */
export interface Moved {
  readonly request: string
  readonly room: string
  readonly seat: number | null
  readonly is_undoable?: boolean
}

/** A room of the exam and its seats where nobody sits. */
export interface FreeSeats {
  readonly room_id: string
  readonly room: string
  readonly seats: readonly number[]
}

export interface RoomAct {
  readonly sequence: number
  readonly at: string
  readonly by: string
  readonly by_name?: string
  readonly action: string
  readonly attempt_id?: string
  readonly who?: string
  readonly detail?: Readonly<Record<string, string | number>>
  /** What takes it back: an act on seats, a name check, an incident; nothing for what stays done. */
  readonly undo?: 'act' | 'identity' | 'incident'
  readonly request?: string
  readonly incident_id?: string
  readonly is_undone?: boolean
}

export interface Moment {
  readonly at: string
  readonly source: 'server' | 'seat' | 'person'
  readonly kind: string
  readonly severity: 'log' | 'count' | 'look'
  readonly client_at?: string
  readonly by?: string
  readonly by_name?: string
  readonly text?: string
  readonly detail?: Readonly<Record<string, string | number | boolean | null>>
}

export interface Incident {
  readonly id: string
  readonly number: number
  readonly kind: string
  readonly text: string
  readonly began_at: string
  readonly ended_at: string | null
  readonly reported_by: string
  readonly seats: readonly { readonly attempt_id: string; readonly candidate_number: string; readonly name: string; readonly seat: number | null }[]
  readonly withdrawn_at: string | null
  readonly withdrawn_reason: string
}
