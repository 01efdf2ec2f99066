/** Where a seat stands, as a function of what it knows. Pure.
 *
 *   paper ──hand in──► handing-in ──accepted──► handed-in
 *     │  ▲                 │  ▲                    │
 *     │  │                 │  └ the server lost it ┘
 *     │  └─ time added ─┐  │ closed meanwhile
 *     ├──── time over ──► over ◄┘
 *     ├──── another seat writes ──► elsewhere ──the invigilator admits this one──► paper
 *     ├──── paused, locked by the invigilator ──► paused, locked ──► paper
 *     └──── token refused ──► signed-out
 */

import type { AttemptState } from '../shared/api.ts'

export type Phase = 'paper' | 'handing-in' | 'handed-in' | 'over' | 'elsewhere' | 'paused' | 'locked' | 'signed-out'

/** What the server last said of the attempt. */
export interface Standing {
  readonly state: AttemptState
  /** This seat holds the lease. */
  readonly isMine: boolean
  readonly isPaused: boolean
  readonly isLocked: boolean
}

export interface SeatFacts extends Standing {
  readonly isSignedOut: boolean
  /** The candidate has pressed "hand in". */
  readonly handsIn: boolean
  readonly leftMs: number
}

export function phaseOf(facts: SeatFacts): Phase {
  if (facts.isSignedOut) return 'signed-out'
  if (facts.state === 'submitted') return 'handed-in'
  if (facts.state === 'closed') return 'over'
  if (!facts.isMine) return 'elsewhere'
  if (facts.isLocked) return 'locked'
  if (facts.handsIn) return 'handing-in'
  if (facts.isPaused) return 'paused'
  return facts.leftMs === 0 ? 'over' : 'paper'
}

/** Phases in which the seat only waits for a word of the invigilator: it asks more often. */
export function isWaitingForPeople(phase: Phase): boolean {
  return phase === 'elsewhere' || phase === 'paused' || phase === 'locked'
}

/** Phases in which answers may be sent; after the end for the record alone. A locked seat keeps them until it is unlocked. */
export function maySend(phase: Phase): boolean {
  return phase !== 'elsewhere' && phase !== 'locked' && phase !== 'signed-out'
}

/** The server takes no more answers but as evidence. */
export function hasEnded({ state }: Standing): boolean {
  return state === 'closed' || state === 'submitted'
}
