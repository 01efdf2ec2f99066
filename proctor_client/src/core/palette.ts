/** The palette: five states, counts, and the order of the review list. Pure. */

import { completeness, type Completeness } from './completeness.ts'
import type { Entry, Paper } from './paper.ts'
import { type ResponseBook, valueOf } from './responses.ts'

export type CellState = 'new' | 'seen' | 'answered' | 'flagged' | 'answered-flagged'

/** What the seat remembers besides responses. */
export interface Marks {
  readonly visited: ReadonlySet<number>
  readonly flagged: ReadonlySet<number>
}

export interface Cell {
  readonly entry: Entry
  readonly state: CellState
  readonly completeness: Completeness
}

export const CELL_STATES: readonly CellState[] = ['new', 'seen', 'answered', 'flagged', 'answered-flagged']

/** A cluster begun counts as answered in its colour; `completeness` tells how far it is. */
export function cellState(answered: boolean, visited: boolean, flagged: boolean): CellState {
  if (flagged) return answered ? 'answered-flagged' : 'flagged'
  if (answered) return 'answered'
  return visited ? 'seen' : 'new'
}

export function cellOf(entry: Entry, book: ResponseBook, marks: Marks): Cell {
  const done = completeness(entry.item, valueOf(book, entry.slot))
  return { entry, completeness: done, state: cellState(done !== 'none', marks.visited.has(entry.slot), marks.flagged.has(entry.slot)) }
}

export function cellsOf(paper: Paper, book: ResponseBook, marks: Marks): readonly Cell[] {
  return paper.entries.map((entry) => cellOf(entry, book, marks))
}

export interface Tally {
  readonly total: number
  readonly answered: number
  readonly partly: number
  readonly unanswered: number
  readonly flagged: number
}

export function tally(cells: readonly Cell[]): Tally {
  const count = (holds: (cell: Cell) => boolean): number => cells.filter(holds).length
  return {
    total: cells.length,
    answered: count((cell) => cell.completeness !== 'none'),
    partly: count((cell) => cell.completeness === 'part'),
    unanswered: count((cell) => cell.completeness === 'none'),
    flagged: count((cell) => cell.state === 'flagged' || cell.state === 'answered-flagged'),
  }
}

export interface ReviewGroups {
  readonly unanswered: readonly Cell[]
  readonly partly: readonly Cell[]
  readonly flagged: readonly Cell[]
  readonly answered: readonly Cell[]
}

/** What needs a second look comes first; a cell stands in the first group it belongs to. */
export function reviewGroups(cells: readonly Cell[]): ReviewGroups {
  const groups: Record<keyof ReviewGroups, Cell[]> = { unanswered: [], partly: [], flagged: [], answered: [] }
  for (const cell of cells) {
    if (cell.completeness === 'none') groups.unanswered.push(cell)
    else if (cell.completeness === 'part') groups.partly.push(cell)
    else if (cell.state === 'answered-flagged') groups.flagged.push(cell)
    else groups.answered.push(cell)
  }
  return groups
}
