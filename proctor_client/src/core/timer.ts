/** Time by the server's clock. Pure: the caller gives readings of a monotonic counter; the computer's own clock is never read. */

/** How far the server's clock is ahead of the monotonic counter, and how uncertain that is. */
export interface ServerClock {
  readonly offsetMs: number
  readonly uncertaintyMs: number
  readonly takenAtMs: number
}

/** Old readings grow stale: counters drift, and a computer that slept may have stopped counting. */
const DRIFT_PER_MS = 0.0005

export const WARNING_MINUTES: readonly number[] = [30, 10, 5, 1]
const REAPPEARS_BELOW_MS = 5 * 60_000

/** Take a new reading of the server's time, sent between two counter readings; keep whichever is more certain. */
export function readClock(before: ServerClock | null, serverMs: number, sentMs: number, receivedMs: number): ServerClock {
  const reading: ServerClock = {
    offsetMs: serverMs - (sentMs + receivedMs) / 2,
    uncertaintyMs: (receivedMs - sentMs) / 2,
    takenAtMs: receivedMs,
  }
  if (before === null) return reading
  const aged = before.uncertaintyMs + (receivedMs - before.takenAtMs) * DRIFT_PER_MS
  const disagree = Math.abs(reading.offsetMs - before.offsetMs) > reading.uncertaintyMs + aged
  return disagree || reading.uncertaintyMs <= aged ? reading : before
}

export function serverNow(clock: ServerClock, counterMs: number): number {
  return counterMs + clock.offsetMs
}

export function remainingMs(deadlineMs: number, clock: ServerClock, counterMs: number): number {
  return Math.max(0, deadlineMs - serverNow(clock, counterMs))
}

/** Warnings crossed between two looks at the clock, the last one only: nobody needs "30" and "10" in one breath. */
export function warningDue(previousMs: number, nowMs: number): number | null {
  const crossed = WARNING_MINUTES.filter((minutes) => previousMs > minutes * 60_000 && nowMs <= minutes * 60_000)
  return crossed.at(-1) ?? null
}

export type Urgency = 'calm' | 'soon' | 'last'

export function urgency(leftMs: number): Urgency {
  if (leftMs <= 60_000) return 'last'
  return leftMs <= REAPPEARS_BELOW_MS ? 'soon' : 'calm'
}

/** A hidden timer comes back by itself for the last five minutes. */
export function isShown(hiddenByCandidate: boolean, leftMs: number): boolean {
  return !hiddenByCandidate || leftMs <= REAPPEARS_BELOW_MS
}

/** 1:05:09 or 05:09; seconds are rounded up, so that 00:00 means over. */
export function formatLeft(leftMs: number): string {
  const seconds = Math.ceil(leftMs / 1000)
  const two = (part: number): string => String(part).padStart(2, '0')
  const hours = Math.floor(seconds / 3600)
  const rest = `${two(Math.floor((seconds % 3600) / 60))}:${two(seconds % 60)}`
  return hours > 0 ? `${hours}:${rest}` : rest
}
