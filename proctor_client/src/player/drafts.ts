/** Texts that are still being typed: shown at once, made responses when the typing pauses, and at the latest after a while. */

import type { ResponseValue } from '../shared/api.ts'

const SILENCE_MS = 700
const LONGEST_MS = 4_000

interface Draft {
  readonly value: ResponseValue
  readonly sinceMs: number
}

export class Drafts {
  readonly #drafts = new Map<number, Draft>()
  readonly #counter: () => number
  readonly #onDue: () => void
  #timer: ReturnType<typeof setTimeout> | undefined

  constructor(counter: () => number, onDue: () => void) {
    this.#counter = counter
    this.#onDue = onDue
  }

  get size(): number {
    return this.#drafts.size
  }

  has(slot: number): boolean {
    return this.#drafts.has(slot)
  }

  value(slot: number): ResponseValue | undefined {
    return this.#drafts.get(slot)?.value
  }

  hold(slot: number, value: ResponseValue): void {
    const now = this.#counter()
    const sinceMs = this.#drafts.get(slot)?.sinceMs ?? now
    this.#drafts.set(slot, { value, sinceMs })
    clearTimeout(this.#timer)
    this.#timer = setTimeout(this.#onDue, Math.min(SILENCE_MS, Math.max(0, sinceMs + LONGEST_MS - now)))
  }

  drop(slot: number): void {
    this.#drafts.delete(slot)
  }

  /** Everything held, which is then held no longer. */
  take(): readonly (readonly [number, ResponseValue])[] {
    clearTimeout(this.#timer)
    const taken = [...this.#drafts].map(([slot, { value }]) => [slot, value] as const)
    this.#drafts.clear()
    return taken
  }
}
