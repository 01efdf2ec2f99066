import { describe, expect, test } from 'vitest'
import type { BoardSeat, RoomBoardView } from '../../src/watch/board_api.ts'
import { NOTHING_YET, serverNow, withBeat, withRoom, withSeats } from '../../src/watch/live_state.ts'

const seat = (id: string, answered: number): BoardSeat => ({ attempt_id: id, candidate_number: id, name: id, seat: 1, state: 'running', answered, total: 9 })
const room: RoomBoardView = {
  sitting: { id: 's', code: 'S', name: 'S', subject: 'S', state: 'open', starts_at_ms: 0, ends_at_ms: 9 },
  room: { id: 'r', code: 'P', columns: 0 },
  server_time_ms: 50_000,
  seats: [seat('a', 0), seat('b', 0)],
}

describe('the state of a room', () => {
  const whole = withRoom(NOTHING_YET, room, 1_000)

  test('takes changes seat by seat and leaves the others as they are', () => {
    const next = withSeats(whole, { server_time_ms: 51_000, seats: [seat('b', 4)] }, 2_000)
    expect(next.board?.seats.map((one) => one.answered)).toEqual([0, 4])
    expect(next.board?.seats[0]).toBe(room.seats[0])
    expect(next.readMs).toBe(51_000)
  })

  test('waits for the whole before it takes changes', () => {
    expect(withSeats(NOTHING_YET, { server_time_ms: 1, seats: [seat('b', 4)] }, 2).board).toBeNull()
  })

  test('is as old as a beat says', () => {
    expect(withBeat(whole, { server_time_ms: 60_000, read_ms: 52_000 }, 11_000).readMs).toBe(52_000)
  })

  test('keeps the clock of the message that was least late', () => {
    const late = withBeat(whole, { server_time_ms: 53_000, read_ms: 53_000 }, 4_700)
    expect(serverNow(late, 5_000)).toBe(54_000)
    const prompt = withBeat(late, { server_time_ms: 55_000, read_ms: 55_000 }, 5_900)
    expect(serverNow(prompt, 6_000)).toBe(55_100)
  })
})
