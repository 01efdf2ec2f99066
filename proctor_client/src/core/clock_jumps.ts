/** Somebody turned the computer's clock: seen by comparing it with a counter that only rises. Pure.
 *
 * The exam's time comes from the server alone; a jump changes nothing and is only reported.
 */

const NOTABLE_MS = 5_000
/** From here on the candidate is told that this computer's clock is wrong. */
export const WRONG_MS = 60_000

export interface ClockReading {
  readonly wallMs: number
  readonly counterMs: number
}

/** By how much the wall clock was moved between two readings; 0 for what sleep, lag or slow drift explain.
 *
 * A counter may stand still while the computer sleeps, so a wall clock that ran ahead by a gap between two readings is
 * no jump: `gapMs` is the longest such gap that one would call a pause of the page. */
export function clockJumpMs(before: ClockReading, now: ClockReading, gapMs: number): number {
  const wall = now.wallMs - before.wallMs
  const counter = now.counterMs - before.counterMs
  const jump = wall - counter
  if (Math.abs(jump) < NOTABLE_MS) return 0
  return counter > gapMs && jump > 0 ? 0 : jump
}
