/** When to try again: exponential back-off with full jitter, so that a room that lost its switch does not return in one beat. Pure. */

const FIRST_MS = 800
const LONGEST_MS = 20_000
const STORED_MS = 2_000

/** Wait before try number `failures + 1`; `chance` is uniform in [0, 1). A server's Retry-After is a floor, spread upwards. */
export function retryDelayMs(failures: number, chance: number, retryAfterMs = 0): number {
  const ceiling = Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.max(0, failures - 1))
  return Math.round(retryAfterMs + ceiling * (0.5 + chance / 2))
}

/** Is a paper handed in stored twice? Asked soon, as the second store is seconds behind, then ever more rarely. */
export function storedDelayMs(asked: number, chance: number): number {
  return Math.round(Math.min(LONGEST_MS, STORED_MS * 2 ** asked) * (0.5 + chance / 2))
}

/** A seat that waits for the invigilator (admitted? unlocked? resumed?) asks twice as often. */
export function askingDelayMs(chance: number): number {
  return Math.round(4_500 + 1_000 * chance)
}

/** The idle question "what time is it?", spread so that a room does not ask in step.
 *
 * What people say is read within ten seconds: a worker hears of it within one, the answer may take most of another.
 */
export function idleDelayMs(chance: number): number {
  return Math.round(6_800 + 1_400 * chance)
}
