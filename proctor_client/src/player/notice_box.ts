/** Messages and extra time as they came, and which of them the candidate has put away. */

import type { Notice } from '../shared/api.ts'

export class NoticeBox {
  #all: readonly Notice[] = []
  readonly #dismissed: Set<number>

  constructor(dismissed: Iterable<number>) {
    this.#dismissed = new Set(dismissed)
  }

  get all(): readonly Notice[] {
    return this.#all
  }
  get shown(): readonly Notice[] {
    return this.#all.filter((notice) => !this.#dismissed.has(notice.id))
  }
  get dismissed(): readonly number[] {
    return [...this.#dismissed]
  }
  /** The highest id seen: the server sends what came after it. */
  get newest(): number {
    return this.#all.reduce((highest, notice) => Math.max(highest, notice.id), 0)
  }

  /** True if one of them is new. */
  take(notices: readonly Notice[]): boolean {
    const known = new Set(this.#all.map((notice) => notice.id))
    const fresh = notices.filter((notice) => !known.has(notice.id))
    if (fresh.length > 0) this.#all = [...this.#all, ...fresh].sort((a, b) => a.id - b.id)
    return fresh.length > 0
  }

  dismiss(id: number): void {
    this.#dismissed.add(id)
  }
}
