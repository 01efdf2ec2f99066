/** What a seat remembers besides responses: where the candidate is, what was looked at, what is flagged. */

import { clampPosition } from '../core/navigation.ts'
import type { Marks } from '../core/palette.ts'
import type { Entry, Paper } from '../core/paper.ts'

export class SeatMarks {
  readonly #paper: Paper
  readonly #visited: Set<number>
  readonly #flagged: Set<number>
  #position = 1

  constructor(paper: Paper, position: number, marks: Marks) {
    this.#paper = paper
    this.#visited = new Set(marks.visited)
    this.#flagged = new Set(marks.flagged)
    this.goTo(position)
  }

  get position(): number {
    return this.#position
  }
  get entry(): Entry | undefined {
    return this.#paper.entries[this.#position - 1]
  }
  get visited(): ReadonlySet<number> {
    return this.#visited
  }
  get flagged(): ReadonlySet<number> {
    return this.#flagged
  }

  /** As this computer keeps it. */
  get kept(): { readonly position: number; readonly visited: readonly number[]; readonly flagged: readonly number[] } {
    return { position: this.#position, visited: [...this.#visited], flagged: [...this.#flagged] }
  }

  goTo(position: number): void {
    this.#position = clampPosition(position, this.#paper.entries.length)
    if (this.entry) this.#visited.add(this.entry.slot)
  }

  toggleFlag(slot: number): void {
    if (!this.#flagged.delete(slot)) this.#flagged.add(slot)
  }
}
