import { describe, expect, test } from 'vitest'
import { confirm, EMPTY_BOOK, forget, isConfirmed, pending, reconcile, record, type ResponseBook, restore, sequences, stored, valueOf } from '../../src/core/responses.ts'

const answered = (...changes: [number, string | null][]): ResponseBook => changes.reduce((book, [slot, value]) => record(book, slot, value, 0), EMPTY_BOOK)
const pendingSlots = (book: ResponseBook): number[] => pending(book).map((response) => response.slot)

describe('the response book', () => {
  test('keeps the newest response of a slot and counts every change', () => {
    const book = answered([1, 'A'], [2, 'B'], [1, 'C'])
    expect(valueOf(book, 1)).toBe('C')
    expect(pending(book).map(({ slot, sequence }) => [slot, sequence])).toEqual([[2, 2], [1, 3]])
    expect(sequences(book)).toEqual({ '1': 3, '2': 2 })
  })

  test('an acknowledgement of an older change confirms nothing newer', () => {
    const book = confirm(answered([1, 'A'], [1, 'B']), [{ slot: 1, sequence: 1 }])
    expect(pendingSlots(book)).toEqual([1])
    expect(isConfirmed(book, 1)).toBe(false)
    expect(pendingSlots(confirm(book, [{ slot: 1, sequence: 2 }]))).toEqual([])
  })

  test('acknowledgements may come late and out of order', () => {
    const book = confirm(confirm(answered([1, 'A'], [1, 'B']), [{ slot: 1, sequence: 2 }]), [{ slot: 1, sequence: 1 }])
    expect(isConfirmed(book, 1)).toBe(true)
  })

  test('clearing an answer is a change like any other', () => {
    const book = answered([1, 'A'], [1, null])
    expect(valueOf(book, 1)).toBeNull()
    expect(pending(book)[0]).toMatchObject({ slot: 1, sequence: 2, value: null })
  })

  test('a slot that was never answered counts as confirmed', () => {
    expect(isConfirmed(EMPTY_BOOK, 7)).toBe(true)
  })

  test('the oldest changes go first', () => {
    const book = answered([3, 'A'], [1, 'A'], [2, 'A'], [3, 'B'])
    expect(pending(book).map((response) => response.sequence)).toEqual([2, 3, 4])
  })
})

describe('comparing with the server after a gap', () => {
  test('what the server lacks is sent again, even what it once confirmed', () => {
    const confirmed = confirm(answered([1, 'A'], [2, 'B']), [{ slot: 1, sequence: 1 }, { slot: 2, sequence: 2 }])
    const book = reconcile(confirmed, [], 1)
    expect(pendingSlots(book)).toEqual([1, 2])
  })

  test('the newer sequence of a slot stands, whichever side has it', () => {
    const book = reconcile(answered([1, 'mine'], [2, 'mine']), [{ slot: 1, sequence: 9, value: 'theirs' }, { slot: 2, sequence: 1, value: 'theirs' }], 1)
    expect(valueOf(book, 1)).toBe('theirs')
    expect(valueOf(book, 2)).toBe('mine')
    expect(pendingSlots(book)).toEqual([2])
  })

  test('the next change is newer than everything either side has seen', () => {
    const book = reconcile(answered([1, 'A']), [{ slot: 3, sequence: 500_041, value: 'D' }], 1)
    expect(record(book, 1, 'B', 0).held.get(1)?.sequence).toBe(500_042)
  })

  test('a seat that takes over counts on above anything an abandoned seat may still hold', () => {
    const abandoned = answered([1, 'A'], [1, 'B'], [1, 'C'], [1, 'D'])
    const moved = record(reconcile(EMPTY_BOOK, [{ slot: 1, sequence: 2, value: 'B' }], 2), 1, 'E', 0)
    const back = reconcile(abandoned, [{ slot: 1, sequence: moved.held.get(1)?.sequence ?? 0, value: 'E' }], 3)
    expect(valueOf(back, 1)).toBe('E')
    expect(pendingSlots(back)).toEqual([])
  })

  test('a seat with a lease counts above one that began without a network, the first lease too', () => {
    const offLine = answered(...Array.from({ length: 15 }, (_, at): [number, string] => [1, `old ${at}`]))
    const onLine = record(reconcile(EMPTY_BOOK, [], 1), 1, 'new', 0)
    expect(onLine.held.get(1)?.sequence).toBeGreaterThan(offLine.held.get(1)?.sequence ?? 0)
    expect(record(restore([], 1), 1, 'new', 0).held.get(1)?.sequence).toBe(100_001) // a reload without the network
    expect(record(restore([]), 1, 'new', 0).held.get(1)?.sequence).toBe(1)
  })

  test("somebody else's newer sequence confirms nothing: ours goes again, above it", () => {
    const book = confirm(answered([1, 'mine'], [2, 'B']), [{ slot: 1, sequence: 15 }, { slot: 2, sequence: 2 }])
    expect(isConfirmed(book, 1)).toBe(false)
    expect(pending(book)).toMatchObject([{ slot: 1, sequence: 16, value: 'mine' }])
    expect(book.next).toBe(17)
    expect(pending(confirm(book, [{ slot: 1, sequence: 16 }]))).toEqual([])
  })

  test('where the server names all it keeps, what it does not name is not confirmed', () => {
    const book = confirm(answered([1, 'A'], [2, 'B']), [{ slot: 1, sequence: 1 }, { slot: 2, sequence: 2 }])
    expect(pendingSlots(stored(book, [{ slot: 2, sequence: 2 }]))).toEqual([1])
  })

  test('slots the server names as missing are sent again', () => {
    const book = confirm(answered([1, 'A'], [2, 'B']), [{ slot: 1, sequence: 1 }, { slot: 2, sequence: 2 }])
    expect(pendingSlots(forget(book, [2]))).toEqual([2])
  })

  test('a book restored from the disk waits for the server before it calls anything saved', () => {
    const book = restore([{ slot: 4, sequence: 6, value: 'A', client_time_ms: 1 }, { slot: 4, sequence: 5, value: 'B', client_time_ms: 1 }])
    expect(valueOf(book, 4)).toBe('A')
    expect(pendingSlots(book)).toEqual([4])
    expect(book.next).toBe(7)
  })
})

describe('whatever the network does', () => {
  /** A small generator of chance, so that a failure can be repeated by its seed. */
  const chanceOf = (seed: number) => (): number => {
    seed = (seed * 1_664_525 + 1_013_904_223) >>> 0
    return seed / 2 ** 32
  }

  test.each(Array.from({ length: 60 }, (_, seed) => seed + 1))('the server ends with the last answers of the seat (seed %i)', (seed) => {
    const chance = chanceOf(seed)
    let server = new Map<number, { slot: number; sequence: number; value: string | null }>()
    let book = EMPTY_BOOK
    const last = new Map<number, string | null>()
    const deliver = (batch: readonly { slot: number; sequence: number; value: unknown }[]): void => {
      for (const response of batch) {
        const held = server.get(response.slot)
        if (!held || held.sequence < response.sequence) server.set(response.slot, response as never)
      }
    }
    const acknowledge = (batch: readonly { slot: number }[]): { slot: number; sequence: number }[] => batch.map(({ slot }) => ({ slot, sequence: server.get(slot)?.sequence ?? 0 }))
    let late: readonly { slot: number; sequence: number; value: unknown }[] = []
    for (let step = 0; step < 120; step += 1) {
      const dice = chance()
      if (dice < 0.5) {
        const slot = 1 + Math.floor(chance() * 5)
        const value = chance() < 0.15 ? null : 'ABCD'.charAt(Math.floor(chance() * 4))
        book = record(book, slot, value, step)
        last.set(slot, value)
      } else if (dice < 0.65) {
        deliver(pending(book)) // arrived, but the answer was lost
      } else if (dice < 0.8) {
        const batch = pending(book)
        deliver(batch)
        book = confirm(book, acknowledge(batch))
        late = batch
      } else if (dice < 0.85) {
        deliver(late) // a duplicate that wandered about
      } else if (dice < 0.9) {
        server = new Map() // the server starts empty
      } else {
        book = reconcile(restore([...book.held.values()]), [...server.values()], 1) // a reload
      }
    }
    book = reconcile(book, [...server.values()], 1)
    deliver(pending(book))
    for (const [slot, value] of last) expect([slot, server.get(slot)?.value]).toEqual([slot, value])
  })
})
