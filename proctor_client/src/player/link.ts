/** The seat's one thread of requests: a step, a pause, the next step; rarer after failures, at once when told so. */

import { retryDelayMs } from '../core/retry.ts'
import { Refused, Unreachable } from './server.ts'

export interface LinkPlan {
  /** The one thing to ask of the server now. */
  step(): Promise<void>
  /** The server answered no. */
  refused(error: Refused): void
  /** The server did not answer. */
  lost(): void
  /** It answered again after it had not. */
  found(): void
  /** A turn has ended, well or badly. */
  turned(): void
  /** Pause until the next turn, when nothing failed. */
  pauseMs(): number
}

export class Link {
  readonly #plan: LinkPlan
  readonly #chance: () => number
  #failures: number
  #retryAfterMs = 0
  #isBusy = false
  #isStopped = false
  #isNudged = false
  #timer: ReturnType<typeof setTimeout> | undefined
  /** When the next turn is to be taken; null: none is planned. */
  #dueMs: number | null = null
  readonly #counter: () => number

  constructor(plan: LinkPlan, counter: () => number, chance: () => number, isUp: boolean) {
    this.#plan = plan
    this.#counter = counter
    this.#chance = chance
    this.#failures = isUp ? 0 : 1
  }

  /** Steps that failed since the last one that worked. */
  get failures(): number {
    return this.#failures
  }

  /** A refusal that may pass with time: slow down as if nobody had answered. */
  slowDown(): void {
    this.#failures += 1
  }

  /** A refusal that settles the matter: there is nothing to try again. */
  settle(): void {
    this.#failures = 0
  }

  /** Take the next turn after a pause or sooner, unless one is under way: then the plan decides when it ends.
   *
   * After a failure its pause is kept: a room that lost its switch must not come back in one beat.
   */
  wake(delayMs: number): void {
    if (this.#dueMs === null || (this.#failures === 0 && this.#dueMs > this.#counter() + delayMs)) this.#arm(delayMs)
  }

  #arm(delayMs: number): void {
    if (this.#isStopped || this.#isBusy) return
    clearTimeout(this.#timer)
    this.#dueMs = this.#counter() + delayMs
    this.#timer = setTimeout(() => void this.#turn(), delayMs)
  }

  /** There is news of the network: the next turn follows at once, also when one is still hanging. */
  nudge(): void {
    this.#isNudged = this.#isBusy
    this.#arm(0)
  }

  stop(): void {
    this.#isStopped = true
    clearTimeout(this.#timer)
  }

  async #turn(): Promise<void> {
    if (this.#isBusy || this.#isStopped) return
    this.#isBusy = true
    this.#dueMs = null
    try {
      await this.#plan.step()
      if (this.#failures > 0) {
        this.#failures = 0
        this.#plan.found()
      }
    } catch (error) {
      this.#fail(error)
    } finally {
      this.#isBusy = false
    }
    this.#plan.turned()
    const isNudged = this.#isNudged
    this.#isNudged = false
    this.#arm(isNudged ? 0 : this.#failures > 0 ? retryDelayMs(this.#failures, this.#chance(), this.#retryAfterMs) : this.#plan.pauseMs())
  }

  #fail(error: unknown): void {
    if (error instanceof Refused) {
      this.#plan.refused(error)
      return
    }
    this.#failures += 1
    this.#retryAfterMs = error instanceof Unreachable ? error.retryAfterMs : 0
    this.#plan.lost()
  }
}
