/** What a session is given: its doors to the world, and how an attempt stood when it was opened. */

import type { Envelope } from '../shared/api.ts'
import type { Marks } from '../core/palette.ts'
import type { Paper } from '../core/paper.ts'
import type { ResponseBook } from '../core/responses.ts'
import type { ServerClock } from '../core/timer.ts'
import type { ExamServer } from './server.ts'
import type { Vault } from './vault.ts'

/** What may have changed; a view listens to what it shows. */
export type Topic = 'responses' | 'remote' | 'save' | 'position' | 'marks' | 'notices' | 'phase' | 'time' | 'receipt'

export interface Ports {
  readonly server: ExamServer
  readonly vault: Vault
  /** A counter that only rises; never the computer's clock. */
  readonly counter: () => number
  /** The computer's clock: a label on events, and a stopwatch across a reload without network. */
  readonly wall: () => number
  readonly chance: () => number
}

/** A start without a network, for the server to believe later. */
export interface StartClaim {
  readonly started_at_ms: number
  readonly proof: string
}

export interface Opening {
  readonly sittingId: string
  readonly envelope: Envelope
  readonly paper: Paper
  readonly clientId: string
  readonly clock: ServerClock
  readonly book: ResponseBook
  readonly position: number
  readonly marks: Marks
  readonly dismissed: ReadonlySet<number>
  readonly handingIn: boolean
  readonly claim: StartClaim | null
  /** False when the attempt was opened from this computer alone, because the server could not be reached. */
  readonly isLinked: boolean
}
