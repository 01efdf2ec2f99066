/** When a waiting seat fetches its sealed paper: spread over the time there is, so that a lab does not ask in one beat. Pure. */

const LONGEST_SPREAD_MS = 60_000

/** Wait before the fetch; `chance` is uniform in [0, 1). Less room the nearer the start. */
export function prefetchDelayMs(untilStartMs: number, chance: number): number {
  return Math.round(chance * Math.min(LONGEST_SPREAD_MS, Math.max(0, untilStartMs) / 3))
}

/** How the hash is shown, so that a candidate and an invigilator can compare two screens: 3f9a 02bc. */
export function checkOf(hash: string): string {
  return `${hash.slice(0, 4)} ${hash.slice(4, 8)}`
}
