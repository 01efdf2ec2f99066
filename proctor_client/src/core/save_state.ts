/** The three words of the save state, and when each is true. Pure.
 *
 *   saved ──change──► saving ──acknowledged──► saved
 *                       │ failed, or no acknowledgement for a while
 *                       ▼
 *                   not-saved ──acknowledged──► saved
 */

export type SaveState = 'saved' | 'saving' | 'not-saved'

/** Longer than this without an acknowledgement and "saving" would be a promise nobody keeps. */
export const PATIENCE_MS = 6_000

export interface SaveFacts {
  /** Responses that the server has not confirmed, or that this computer has not written yet. */
  readonly waiting: number
  /** Sends that failed since the last one that worked. */
  readonly failures: number
  /** Counter reading at which the oldest waiting change was made; null when nothing waits. */
  readonly waitingSinceMs: number | null
}

export function saveState(facts: SaveFacts, counterMs: number): SaveState {
  if (facts.waiting === 0) return 'saved'
  if (facts.failures > 0) return 'not-saved'
  return facts.waitingSinceMs !== null && counterMs - facts.waitingSinceMs > PATIENCE_MS ? 'not-saved' : 'saving'
}
