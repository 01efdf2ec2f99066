/** Fetches sealed papers while candidates wait, and proves by their hash that the whole of each is on this computer. */

import type { AttemptSummary } from '../shared/api.ts'
import { prefetchDelayMs } from '../core/prefetching.ts'
import { retryDelayMs } from '../core/retry.ts'
import { canSeal, sha256Hex } from '../core/sealing.ts'
import { Refused } from './server.ts'
import type { Ports } from './ports.ts'

export class Prefetch {
  readonly #ports: Ports
  readonly #onChange: () => void
  /** Attempts whose paper and start are on the disk, with what they were fetched for. */
  readonly #ready = new Map<string, string>()
  readonly #timers = new Map<string, ReturnType<typeof setTimeout>>()
  #isStopped = false

  constructor(ports: Ports, onChange: () => void) {
    this.#ports = ports
    this.#onChange = onChange
  }

  /** The paper of this attempt is on this computer, whole. */
  has(attempt: AttemptSummary): boolean {
    return this.#ready.get(attempt.attempt_id) === purposeOf(attempt)
  }

  /** Look at what is to come, and fetch what is missing when its turn comes. */
  consider(attempts: readonly AttemptSummary[], nowMs: number): void {
    if (!canSeal()) return
    for (const attempt of attempts) {
      if (attempt.state !== 'ready' || !attempt.sealed_hash || this.has(attempt) || this.#timers.has(attempt.attempt_id)) continue
      this.#after(prefetchDelayMs(attempt.starts_at_ms - nowMs, this.#ports.chance()), attempt, 1)
    }
  }

  stop(): void {
    this.#isStopped = true
    for (const timer of this.#timers.values()) clearTimeout(timer)
  }

  #after(delayMs: number, attempt: AttemptSummary, round: number): void {
    this.#timers.set(attempt.attempt_id, setTimeout(() => void this.#try(attempt, round), delayMs))
  }

  async #try(attempt: AttemptSummary, round: number): Promise<void> {
    try {
      await this.#fetch(attempt)
      this.#timers.delete(attempt.attempt_id)
      this.#ready.set(attempt.attempt_id, purposeOf(attempt))
      this.#onChange()
    } catch (error) {
      this.#timers.delete(attempt.attempt_id)
      // A refusal will not pass by itself; the next list of attempts names what is to be fetched then.
      if (!this.#isStopped && !(error instanceof Refused)) this.#after(retryDelayMs(round, this.#ports.chance(), 2_000), attempt, round + 1)
    }
  }

  async #fetch(attempt: AttemptSummary): Promise<void> {
    const { server, vault } = this.#ports
    const hash = attempt.sealed_hash ?? ''
    if ((await vault.sealedPaper(hash)) === null) {
      const bytes = await server.sealedPaper(hash)
      if ((await sha256Hex(bytes)) !== hash) throw new Error('the paper did not arrive whole')
      await vault.keepSealedPaper(hash, bytes)
    }
    await vault.keepSealedStart(await server.sealedStart(attempt.attempt_id))
  }
}

/** A postponed start needs a new sealed start, a changed form a new paper. */
function purposeOf(attempt: AttemptSummary): string {
  return `${attempt.sealed_hash}@${attempt.starts_at_ms}`
}
