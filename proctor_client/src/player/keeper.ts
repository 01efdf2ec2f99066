/** This computer's copy of an attempt: every change is written here first, one write after another. */

import type { SavedResponse } from '../shared/api.ts'
import type { KeptAttempt, Vault } from './vault.ts'

/** A disk that hangs must not keep answers from the server. */
const PATIENCE_MS = 2_000

export class Keeper {
  readonly #vault: Vault
  readonly #attemptId: string
  readonly #onChange: (error: unknown) => void
  readonly #unwritten = new Map<number, SavedResponse>()
  #writing: Promise<void> = Promise.resolve()
  #isBroken = false

  constructor(vault: Vault, attemptId: string, onChange: (error: unknown) => void) {
    this.#vault = vault
    this.#attemptId = attemptId
    this.#onChange = onChange
  }

  /** True when this browser cannot write to its own disk; answers then live on the server alone. */
  get isBroken(): boolean {
    return this.#isBroken
  }

  /** Write these soon; a write under way takes them with the next one. */
  write(responses: Iterable<SavedResponse>): void {
    for (const response of responses) this.#unwritten.set(response.slot, response)
    this.#writing = this.#writing.then(async () => {
      if (this.#unwritten.size === 0) return
      const batch = [...this.#unwritten.values()]
      this.#unwritten.clear()
      await this.#guard(this.#vault.keepResponses(this.#attemptId, batch))
    })
  }

  /** Settles when everything noted so far is on the disk, or when the disk takes too long. */
  async written(): Promise<void> {
    let timer: ReturnType<typeof setTimeout> | undefined
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, PATIENCE_MS)
    })
    await Promise.race([this.#writing, late])
    clearTimeout(timer)
  }

  keep(attempt: KeptAttempt): void {
    void this.#guard(this.#vault.keepAttempt(attempt))
  }

  keepLastWords(responses: readonly SavedResponse[]): void {
    this.#vault.keepLastWords(this.#attemptId, responses)
  }

  /** Wipe the attempt from this computer; nothing is written after it. True when it is gone. */
  async erase(formHash: string): Promise<boolean> {
    await this.written()
    return this.#vault.erase(this.#attemptId, formHash).then(() => true, () => false)
  }

  /** A failure is said on the screen; the server still gets everything. */
  async #guard(write: Promise<void>): Promise<void> {
    let error: unknown = null
    await write.catch((caught: unknown) => (error = caught ?? new Error('writing failed')))
    const isBroken = error !== null
    if (isBroken === this.#isBroken) return
    this.#isBroken = isBroken
    this.#onChange(error)
  }
}
