/** The responses of an attempt at this seat: the book, which of them wait to be sent, which the server would not take. */

import type { HeldResponse, ResponseValue, SavedResponse } from '../shared/api.ts'
import * as responses from '../core/responses.ts'

const BATCH = 60

export class AnswerSheet {
  #book: responses.ResponseBook
  readonly #refused = new Set<number>()
  /** Newest sequence per slot the server refused and keeps as evidence. */
  readonly #onRecord = new Map<number, number>()
  #oneByOne = false

  constructor(book: responses.ResponseBook) {
    this.#book = book
  }

  get book(): responses.ResponseBook {
    return this.#book
  }
  /** Slots whose newest response the server would not take; they stay on the screen. */
  get refused(): ReadonlySet<number> {
    return this.#refused
  }
  value(slot: number): ResponseValue {
    return responses.valueOf(this.#book, slot)
  }
  isConfirmed(slot: number): boolean {
    return responses.isConfirmed(this.#book, slot)
  }

  /** What the server has not confirmed and may still take. */
  unconfirmed(): readonly SavedResponse[] {
    return responses.pending(this.#book).filter((response) => !this.#refused.has(response.slot))
  }
  /** What it neither confirmed nor keeps as evidence: sent once for the record when the attempt has ended. */
  untold(): readonly SavedResponse[] {
    return this.unconfirmed().filter(({ slot, sequence }) => sequence > (this.#onRecord.get(slot) ?? 0))
  }
  /** The next request's worth of what waits. */
  batchOf(waiting: readonly SavedResponse[]): readonly SavedResponse[] {
    return waiting.slice(0, this.#oneByOne ? 1 : BATCH)
  }
  /** The server refused these, and keeps them as evidence. */
  noteOnRecord(batch: readonly SavedResponse[]): void {
    for (const { slot, sequence } of batch) this.#onRecord.set(slot, sequence)
  }
  /** Sequences for the submission; what was refused is not asked for. */
  sequences(): Record<string, number> {
    const held = Object.entries(responses.sequences(this.#book))
    return Object.fromEntries(held.filter(([slot]) => !this.#refused.has(Number(slot))))
  }

  record(slot: number, value: ResponseValue, clientTimeMs: number): SavedResponse | undefined {
    this.#book = responses.record(this.#book, slot, value, clientTimeMs)
    this.#refused.delete(slot)
    return this.#book.held.get(slot)
  }

  /** The server keeps these; returns the responses that must go again, under a new sequence. */
  confirm(saved: responses.Stored): readonly SavedResponse[] {
    const before = this.#book
    this.#book = responses.confirm(before, saved)
    if (this.unconfirmed().length === 0) this.#oneByOne = false
    return this.#changedSince(before)
  }

  /** The server names everything it keeps. */
  compareStored(saved: responses.Stored): void {
    this.#book = responses.stored(this.#book, saved)
  }

  /** Compare with the server; returns the responses that came from it. */
  reconcile(theirs: readonly HeldResponse[], lease: number): readonly SavedResponse[] {
    const before = this.#book
    this.#book = responses.reconcile(before, theirs, lease)
    return this.#changedSince(before)
  }

  #changedSince({ held }: responses.ResponseBook): readonly SavedResponse[] {
    return [...this.#book.held.values()].filter((response) => held.get(response.slot) !== response)
  }

  /** The server says it lacks these. */
  forget(slots: readonly number[]): void {
    this.#book = responses.forget(this.#book, slots)
  }

  /** A response does not fit. If the server does not say which, they are sent one by one until it shows. */
  refuse(slot: number | null): void {
    const waiting = this.batchOf(this.unconfirmed())
    const named = slot ?? (waiting.length === 1 ? waiting[0]?.slot : undefined)
    if (named === undefined) this.#oneByOne = true
    else this.#refused.add(named)
  }
}
