import { describe, expect, test } from 'vitest'
import type { HeldResponse, SavedResponse } from '../../src/shared/api.ts'
import { isOfAnotherFilling } from '../../src/core/leases.ts'
import { confirm, EMPTY_BOOK, forget, pending, reconcile, record, type ResponseBook, restore, valueOf } from '../../src/core/responses.ts'
import { retryDelayMs } from '../../src/core/retry.ts'
import { verdictOf } from '../../src/core/verdicts.ts'

const RUNS = 400

/** A seed gives one run; a failing one is named and replays. */
function chanceOf(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** The server as the save script has it: the newest sequence of a slot stays. */
class Server {
  held = new Map<number, HeldResponse>()
  accepted: string[] = []

  save(responses: readonly SavedResponse[]): { slot: number; sequence: number }[] {
    return responses.map(({ slot, sequence, value }) => {
      const stored = this.held.get(slot)
      if (!stored || stored.sequence < sequence) {
        this.held.set(slot, { slot, sequence, value })
        this.accepted.push(`${slot}:${sequence}`)
      }
      return { slot, sequence: this.held.get(slot)?.sequence ?? 0 }
    })
  }

  all(): HeldResponse[] {
    return [...this.held.values()]
  }
}

const shuffled = <Item>(items: readonly Item[], chance: () => number): Item[] =>
  items.map((item) => ({ item, at: chance() })).sort((a, b) => a.at - b.at).map(({ item }) => item)

describe.each(Array.from({ length: 8 }, (_, block) => block))('the seat beside a network that loses, doubles and reorders, block %i', (block) => {
  test('everything is on the server in the end, once, and it is what the candidate left', () => {
    for (let seed = block * RUNS; seed < (block + 1) * RUNS; seed += 1) {
      const chance = chanceOf(seed)
      const server = new Server()
      let book: ResponseBook = EMPTY_BOOK
      let vault: SavedResponse[] = []
      let late: (readonly SavedResponse[])[] = []
      for (let step = 0; step < 30; step += 1) {
        const fate = chance()
        if (fate < 0.4) {
          book = record(book, 1 + Math.floor(chance() * 4), `${seed}-${step}`, step)
          vault = [...book.held.values()]
        } else if (fate < 0.8) {
          const batch = pending(book)
          const network = chance()
          if (network < 0.2) late.push(batch) // it comes after everything else
          if (network < 0.4) continue // lost on the way
          const saved = server.save(batch)
          if (network < 0.5) server.save(batch) // twice
          if (network < 0.7) continue // the answer is lost
          book = confirm(book, saved)
        } else if (fate < 0.87) {
          book = reconcile(restore(vault), server.all(), 1) // the browser crashed and came back
        } else if (fate < 0.92) {
          for (const slot of [...server.held.keys()].slice(1)) server.held.delete(slot) // the server forgot some
          book = reconcile(book, server.all(), 1)
        } else if (late.length > 0) {
          for (const batch of shuffled(late, chance)) server.save(batch)
          late = []
        }
      }
      book = reconcile(book, server.all(), 1)
      book = confirm(book, server.save(pending(book)))
      for (const batch of shuffled(late, chance)) server.save(batch)
      expect(pending(book), `seed ${seed}`).toEqual([])
      for (const { slot, value } of vault) expect(server.held.get(slot)?.value, `seed ${seed} slot ${slot}`).toEqual(value)
      for (const { slot, value } of vault) expect(valueOf(book, slot)).toEqual(value)
    }
  })

  test('an acknowledgement never makes a newer change look saved, in whatever order they come', () => {
    for (let seed = block * RUNS; seed < (block + 1) * RUNS; seed += 1) {
      const chance = chanceOf(seed)
      let book = EMPTY_BOOK
      const acknowledgements: { slot: number; sequence: number }[] = []
      for (let step = 0; step < 12; step += 1) {
        const slot = 1 + Math.floor(chance() * 3)
        acknowledgements.push({ slot, sequence: book.next })
        book = record(book, slot, String(step), step)
      }
      const newest = new Map(acknowledgements.map(({ slot, sequence }) => [slot, sequence]))
      const heard = shuffled(acknowledgements, chance).slice(0, Math.floor(chance() * 12))
      for (const one of heard) book = confirm(book, [one])
      const best = new Map<number, number>()
      for (const { slot, sequence } of heard) best.set(slot, Math.max(best.get(slot) ?? 0, sequence))
      const expected = [...newest].filter(([slot, sequence]) => (best.get(slot) ?? 0) < sequence).map(([slot]) => slot)
      expect(pending(book).map(({ slot }) => slot).sort(), `seed ${seed}`).toEqual(expected.sort())
    }
  })

  test('what a seat answers under a later lease outranks everything an earlier one still holds', () => {
    for (let seed = block * RUNS; seed < (block + 1) * RUNS; seed += 1) {
      const chance = chanceOf(seed)
      const server = new Server()
      let old = EMPTY_BOOK
      for (let step = 0; step < 20; step += 1) old = record(old, 1 + Math.floor(chance() * 4), `old-${step}`, step)
      if (chance() < 0.5) server.save(pending(old).slice(0, 2))
      let taken = reconcile(EMPTY_BOOK, server.all(), 2 + Math.floor(chance() * 5))
      taken = record(taken, 1, 'new', 99)
      server.save(pending(taken))
      server.save(pending(old)) // a lease nobody looked at would let it through; its sequences do not
      expect(server.held.get(1)?.value, `seed ${seed}`).toBe('new')
    }
  })

  test('comparing twice is comparing once, and forgetting sends exactly what was forgotten', () => {
    for (let seed = block * RUNS; seed < (block + 1) * RUNS; seed += 1) {
      const chance = chanceOf(seed)
      const server = new Server()
      let book = EMPTY_BOOK
      for (let step = 0; step < 10; step += 1) book = record(book, 1 + Math.floor(chance() * 4), String(step), step)
      server.save(pending(book).filter(() => chance() < 0.5))
      const once = reconcile(book, server.all(), 1)
      expect(reconcile(once, server.all(), 1)).toEqual(once)
      const whole = confirm(once, server.save(pending(once)))
      const slots = [...server.held.keys()].filter(() => chance() < 0.5)
      expect(pending(forget(whole, slots)).map(({ slot }) => slot).sort()).toEqual(slots.sort())
    }
  })
})

describe('leases', () => {
  test.each([
    [1, 2, false],
    [999, 1000, true],
    [86_423_000, 86_423_001, false],
    [1, 86_423_000, true],
    [86_423_001, 86_431_000, true],
    [0, 86_431_000, false],
    [5, 0, false],
  ])('of %i and %i: another filling is %s', (mine, theirs, expected) => {
    expect(isOfAnotherFilling(mine, theirs)).toBe(expected)
  })

  test('a refusal tells which lease writes', () => {
    expect(verdictOf({ status: 409, code: 'lease-taken', facts: { lease: 7 } })).toEqual({ is: 'elsewhere', lease: 7 })
  })
})

test('pauses grow, stay within their bound, and never fall below what the server asks for', () => {
  for (let failures = 1; failures < 40; failures += 1) {
    for (const chance of [0, 0.5, 0.999]) {
      const pause = retryDelayMs(failures, chance)
      expect(pause).toBeGreaterThanOrEqual(400)
      expect(pause).toBeLessThanOrEqual(20_000)
      expect(retryDelayMs(failures, chance, 3_000)).toBe(pause + 3_000)
      expect(retryDelayMs(failures + 1, chance)).toBeGreaterThanOrEqual(pause)
    }
  }
})
