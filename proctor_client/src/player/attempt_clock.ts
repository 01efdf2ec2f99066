/** The time of one attempt by the server's clock: how much is left, how much was added, which warning is due. */

import { readClock, remainingMs, type ServerClock, serverNow, warningDue } from '../core/timer.ts'

export class AttemptClock {
  readonly #counter: () => number
  #clock: ServerClock
  #deadlineMs: number
  #extraSeconds: number
  #lastLeftMs: number
  #warning: number | null = null
  /** What was left when the pause became known; null while time runs. */
  #heldMs: number | null = null

  constructor(counter: () => number, clock: ServerClock, deadlineMs: number, extraSeconds: number) {
    this.#counter = counter
    this.#clock = clock
    this.#deadlineMs = deadlineMs
    this.#extraSeconds = extraSeconds
    this.#lastLeftMs = this.leftMs
  }

  get leftMs(): number {
    return this.#heldMs ?? remainingMs(this.#deadlineMs, this.#clock, this.#counter())
  }
  get nowMs(): number {
    return serverNow(this.#clock, this.#counter())
  }
  /** As this computer keeps it. */
  get kept(): { readonly deadline_ms: number; readonly extra_seconds: number } {
    return { deadline_ms: this.#deadlineMs, extra_seconds: this.#extraSeconds }
  }
  get extraSeconds(): number {
    return this.#extraSeconds
  }

  /** An answer of the server to a request sent at that counter reading. A later deadline is time that was added, an earlier one was given by mistake. */
  follow(serverMs: number, deadlineMs: number, sentMs: number): void {
    this.#clock = readClock(this.#clock, serverMs, sentMs, this.#counter())
    this.#extraSeconds = Math.max(0, this.#extraSeconds + Math.round((deadlineMs - this.#deadlineMs) / 1000))
    this.#deadlineMs = deadlineMs
  }

  /** A pause stops the clock on the screen; the deadline after it the server tells, to the millisecond. */
  hold(isHeld: boolean): void {
    if (isHeld) this.#heldMs ??= this.leftMs
    else this.#heldMs = null
  }

  /** The envelope tells the extra time as a whole. */
  restate(extraSeconds: number): void {
    this.#extraSeconds = extraSeconds
  }

  /** Once a second. */
  tick(): void {
    const left = this.leftMs
    this.#warning = warningDue(this.#lastLeftMs, left) ?? this.#warning
    this.#lastLeftMs = left
  }

  /** Minutes of the newest warning, until somebody took it. */
  takeWarning(): number | null {
    const warning = this.#warning
    this.#warning = null
    return warning
  }
}
