/** What a lease tells besides whose it is. Pure.
 *
 * Leases of one filling of the server's memory follow each other; when it has lost its disk and is filled anew, they jump
 * to another thousand. So a seat that meets a lease of another thousand than its own has not been replaced: it has been
 * forgotten, and starts again to bring back what was lost.
 */

const PER_FILLING = 1000

export function isOfAnotherFilling(mine: number, theirs: number): boolean {
  return mine > 0 && theirs > 0 && Math.floor(mine / PER_FILLING) !== Math.floor(theirs / PER_FILLING)
}
