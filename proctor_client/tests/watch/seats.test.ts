import { describe, expect, test } from 'vitest'
import type { BoardSeat, RoomBoardView } from '../../src/watch/board_api.ts'
import { ageOf, flagsOf, seatLists, seatRows, totals } from '../../src/watch/seats.ts'

const START = 1_000_000
const MINUTE = 60_000
const seat = (more: Partial<BoardSeat>): BoardSeat => ({
  attempt_id: 'a', candidate_number: '31000001', name: 'An', seat: 1, state: 'running', answered: 3, total: 22, is_connected: true,
  last_seen_ms: START, last_saved_ms: START, deadline_ms: START + 90 * MINUTE, lease: 1, ...more,
})
const room = (seats: readonly BoardSeat[], columns = 0): RoomBoardView => ({
  sitting: { id: 's', code: 'S1', name: 'Toán', subject: 'Toán', state: 'open', starts_at_ms: START, ends_at_ms: START + 100 * MINUTE },
  room: { id: 'r', code: 'P03', columns },
  server_time_ms: START + MINUTE,
  seats,
})

describe('the board', () => {
  const silent = { kind: 'disconnected', level: 'bad', since_ms: START } as const
  const board = room([
    seat({ attempt_id: 'c', seat: 3 }),
    seat({ attempt_id: 'b', seat: 2, flags: [silent], is_connected: false }),
    seat({ attempt_id: 'x', seat: null, state: 'submitted' }),
    seat({ attempt_id: 'w', seat: 4, claimed_ms: START, flags: [{ kind: 'second_seat', level: 'bad' }] }),
    seat({ attempt_id: 'a', seat: 1 }),
  ])

  test('puts who waits at the door first, then who may need help, each list in the order of the seats', () => {
    const { waiting, help, fine } = seatLists(board)
    expect([waiting, help, fine].map((list) => list.map((one) => one.attempt_id))).toEqual([['w'], ['b'], ['a', 'c', 'x']])
  })

  test('counts', () => expect(totals(board)).toEqual({ all: 5, ready: 0, running: 4, done: 1, silent: 1 }))

  test('names the most pressing reason first', () => {
    const flags = flagsOf(seat({ flags: [{ kind: 'focus_lost', level: 'warn' }, silent] }))
    expect(flags.map((flag) => flag.kind)).toEqual(['disconnected', 'focus_lost'])
  })
})

describe('the seat map', () => {
  const ids = (board: RoomBoardView): (string | null)[][] => seatRows(board).map((row) => row.map((one) => one?.attempt_id ?? null))

  test('has the rows of the room, with gaps where nobody sits', () => {
    const board = room([seat({ attempt_id: 'a', seat: 1 }), seat({ attempt_id: 'd', seat: 4 }), seat({ attempt_id: 'e', seat: 5 })], 3)
    expect(ids(board)).toEqual([['a', null, null], ['d', 'e', null]])
  })

  test('puts those without a seat, or on one already taken, behind the others', () => {
    const board = room([seat({ attempt_id: 'a', seat: 1 }), seat({ attempt_id: 'b', seat: 1, candidate_number: '32' }), seat({ attempt_id: 'n', seat: null })], 2)
    expect(ids(board)).toEqual([['a', null], ['b', 'n']])
  })

  test('of an empty room is empty', () => expect(seatRows(room([], 4))).toEqual([]))
})

test.each([
  [0, 'seconds', 0],
  [3_000, 'seconds', 5],
  [59_400, 'seconds', 60],
  [61_000, 'minutes', 1],
  [7_200_000, 'hours', 2],
  [-5_000, 'seconds', 0],
] as const)('an age of %i ms is told in %s: %i', (ms, unit, count) => expect(ageOf(ms)).toEqual({ unit, count }))
