/** The candidate's responses and how far the server has them: sequences, acknowledgements, comparison after a gap. Pure.
 *
 * Sequences rise by one for each change. A seat with a lease counts on from a floor that the lease gives, so whatever an
 * abandoned seat still holds in secret is older than what was answered afterwards. A seat that began without a network
 * has no lease yet and counts from one: whoever asked the server for the paper is newer than it.
 */

import type { HeldResponse, ResponseValue, SavedResponse } from '../shared/api.ts'

export interface ResponseBook {
  /** Newest response per slot, as the candidate left it. */
  readonly held: ReadonlyMap<number, SavedResponse>
  /** Highest sequence per slot that the server has confirmed. */
  readonly confirmed: ReadonlyMap<number, number>
  /** Sequence of the next change. */
  readonly next: number
}

const SEQUENCES_PER_LEASE = 100_000

export const EMPTY_BOOK: ResponseBook = { held: new Map(), confirmed: new Map(), next: 1 }

/** Note a change; the book that comes back holds it as not yet confirmed. */
export function record(book: ResponseBook, slot: number, value: ResponseValue, clientTimeMs: number): ResponseBook {
  const response: SavedResponse = { slot, sequence: book.next, value, client_time_ms: clientTimeMs }
  return { ...book, held: new Map(book.held).set(slot, response), next: book.next + 1 }
}

export type Stored = readonly { readonly slot: number; readonly sequence: number }[]

/** Note that the server keeps these; an acknowledgement of an older sequence confirms nothing newer.
 *
 * A higher sequence than ours is somebody else's answer, brought from another computer: ours was not taken, and is
 * newer. It gets a sequence above that one and waits to be sent again.
 */
export function confirm(book: ResponseBook, saved: Stored): ResponseBook {
  const confirmed = new Map(book.confirmed)
  const held = new Map(book.held)
  let { next } = book
  for (const { slot, sequence } of saved) {
    confirmed.set(slot, Math.max(confirmed.get(slot) ?? 0, sequence))
    const mine = held.get(slot)
    if (mine === undefined || mine.sequence >= sequence) continue
    next = Math.max(next, sequence + 1)
    held.set(slot, { ...mine, sequence: next })
    next += 1
  }
  return { held, confirmed, next }
}

/** The server names all it keeps: what is not among it is not confirmed, whatever was said before. */
export function stored(book: ResponseBook, saved: Stored): ResponseBook {
  return { ...book, confirmed: new Map(saved.map(({ slot, sequence }) => [slot, sequence])) }
}

/** Responses the server has not confirmed, oldest change first. */
export function pending(book: ResponseBook): readonly SavedResponse[] {
  const waiting: SavedResponse[] = []
  for (const response of book.held.values()) {
    if (response.sequence > (book.confirmed.get(response.slot) ?? 0)) waiting.push(response)
  }
  return waiting.sort((a, b) => a.sequence - b.sequence)
}

export function isConfirmed(book: ResponseBook, slot: number): boolean {
  const held = book.held.get(slot)
  return held === undefined || held.sequence <= (book.confirmed.get(slot) ?? 0)
}

/** Compare with what the server holds: the newer sequence of each slot stands, and what the server lacks waits to be sent. */
export function reconcile(book: ResponseBook, server: readonly HeldResponse[], lease: number): ResponseBook {
  const held = new Map(book.held)
  const confirmed = new Map<number, number>()
  let highest = Math.max(book.next - 1, lease * SEQUENCES_PER_LEASE)
  for (const theirs of server) {
    confirmed.set(theirs.slot, theirs.sequence)
    highest = Math.max(highest, theirs.sequence)
    const mine = held.get(theirs.slot)
    if (!mine || mine.sequence < theirs.sequence) {
      held.set(theirs.slot, { slot: theirs.slot, sequence: theirs.sequence, value: theirs.value, client_time_ms: 0 })
    }
  }
  for (const mine of held.values()) highest = Math.max(highest, mine.sequence)
  return { held, confirmed, next: highest + 1 }
}

/** The server says it lacks these slots: send them again. */
export function forget(book: ResponseBook, slots: readonly number[]): ResponseBook {
  const confirmed = new Map(book.confirmed)
  for (const slot of slots) confirmed.delete(slot)
  return { ...book, confirmed }
}

/** The book as it was found at this seat, before the server was asked; `lease` 0: it never had one. */
export function restore(kept: readonly SavedResponse[], lease = 0): ResponseBook {
  const held = new Map<number, SavedResponse>()
  let highest = lease * SEQUENCES_PER_LEASE
  for (const response of kept) {
    const before = held.get(response.slot)
    if (!before || before.sequence < response.sequence) held.set(response.slot, response)
    highest = Math.max(highest, response.sequence)
  }
  return { held, confirmed: new Map(), next: highest + 1 }
}

export function valueOf(book: ResponseBook, slot: number): ResponseValue {
  return book.held.get(slot)?.value ?? null
}

/** Sequence per slot for the submission: the server must hold these or newer. */
export function sequences(book: ResponseBook): Record<string, number> {
  return Object.fromEntries([...book.held.values()].map(({ slot, sequence }) => [String(slot), sequence]))
}
