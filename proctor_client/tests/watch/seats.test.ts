import { describe, expect, test } from 'vitest'
import type { BoardSeat, RoomBoardView } from '../../src/watch/board_api.ts'
import { ageOf, reasonOf, seatLists, totals } from '../../src/watch/seats.ts'

const START = 1_000_000
const MINUTE = 60_000
const sitting = { starts_at_ms: START, ends_at_ms: START + 100 * MINUTE }
const seat = (more: Partial<BoardSeat>): BoardSeat => ({
  attempt_id: 'a', candidate_number: '31000001', name: 'An', seat: 1, state: 'running', close_reason: null, answered: 3, total: 22,
  last_seen_ms: START, last_saved_ms: START, deadline_ms: START + 90 * MINUTE, extra_seconds: 0, lease: 1, ...more,
})

describe('a seat', () => {
  test.each([
    ['works', seat({ last_seen_ms: START + 5 * MINUTE }), 5 * MINUTE + 10_000, null],
    ['is silent', seat({}), 40_000, 'silent'],
    ['thinks for long', seat({ last_seen_ms: START + 20 * MINUTE }), 20 * MINUTE, 'idle'],
    ['has answered all and rests', seat({ last_seen_ms: START + 20 * MINUTE, answered: 22 }), 20 * MINUTE, null],
    ['has not started yet', seat({ state: 'ready' }), MINUTE, null],
    ['is late', seat({ state: 'ready' }), 4 * MINUTE, 'not-started'],
    ['never came', seat({ state: 'ready', last_seen_ms: null }), 4 * MINUTE, 'never-seen'],
    ['has handed in', seat({ state: 'submitted' }), 60 * MINUTE, null],
    ['was collected', seat({ state: 'closed', close_reason: 'time' }), 120 * MINUTE, null],
  ] as const)('that %s', (_name, it, after, kind) => expect(reasonOf(it, sitting, START + after)?.kind ?? null).toBe(kind))

  test('is never late for a practice paper that stays open for days', () => {
    expect(reasonOf(seat({ state: 'ready' }), { ...sitting, ends_at_ms: START + 30 * 24 * 60 * MINUTE }, START + 60 * MINUTE)).toBeNull()
  })
})

describe('the board', () => {
  const board: RoomBoardView = {
    sitting: { id: 's', code: 'S1', name: 'Toán', state: 'open', starts_at_ms: START, ends_at_ms: START + 100 * MINUTE },
    room: { id: 'r', code: 'P03' },
    server_time_ms: START + MINUTE,
    seats: [
      seat({ attempt_id: 'c', seat: 3, last_seen_ms: START + MINUTE }),
      seat({ attempt_id: 'b', seat: 2 }),
      seat({ attempt_id: 'x', seat: null, state: 'submitted' }),
      seat({ attempt_id: 'a', seat: 1, last_seen_ms: START + MINUTE }),
    ],
  }
  test('puts who may need help on top, each list in the order of the seats', () => {
    const { help, fine } = seatLists(board, START + MINUTE)
    expect([help, fine].map((list) => list.map((one) => one.attempt_id))).toEqual([['b'], ['a', 'c', 'x']])
  })
  test('counts', () => expect(totals(board)).toEqual({ all: 4, running: 3, done: 1 }))
})

test.each([
  [0, 'seconds', 0],
  [3_000, 'seconds', 5],
  [59_400, 'seconds', 60],
  [61_000, 'minutes', 1],
  [7_200_000, 'hours', 2],
  [-5_000, 'seconds', 0],
] as const)('an age of %i ms is told in %s: %i', (ms, unit, count) => expect(ageOf(ms)).toEqual({ unit, count }))
