/** Moving about in the paper. Pure. */

export type Move = 'next' | 'previous' | 'first' | 'last'

/** The position a move leads to, within 1…total. */
export function moved(position: number, move: Move, total: number): number {
  switch (move) {
    case 'next':
      return Math.min(total, position + 1)
    case 'previous':
      return Math.max(1, position - 1)
    case 'first':
      return Math.min(1, total)
    case 'last':
      return total
  }
}

export function clampPosition(position: number, total: number): number {
  return Number.isInteger(position) ? Math.min(Math.max(1, position), Math.max(1, total)) : 1
}
