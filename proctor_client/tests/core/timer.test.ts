import { describe, expect, test } from 'vitest'
import { formatLeft, isShown, readClock, remainingMs, serverNow, urgency, warningDue } from '../../src/core/timer.ts'

const MINUTE = 60_000

describe('the server’s clock', () => {
  test('is reckoned from the middle of the round trip', () => {
    const clock = readClock(null, 1_000_000, 100, 300)
    expect(serverNow(clock, 300)).toBe(1_000_100)
  })

  test('a slow answer does not spoil a good reading', () => {
    const good = readClock(null, 1_000_000, 0, 20)
    const after = readClock(good, 1_005_900, 1_000, 9_000)
    expect(after.offsetMs).toBe(good.offsetMs)
  })

  test('a reading that contradicts the old one wins: the computer slept, or its counter stood still', () => {
    const old = readClock(null, 1_000_000, 0, 20)
    const woken = readClock(old, 2_000_000, 1_000, 1_400)
    expect(Math.round(serverNow(woken, 1_200))).toBe(2_000_000)
  })

  test('time left never falls below nothing', () => {
    expect(remainingMs(500, readClock(null, 1_000, 0, 0), 0)).toBe(0)
    expect(remainingMs(5_000, readClock(null, 1_000, 0, 0), 1_000)).toBe(3_000)
  })
})

describe('what the candidate sees of it', () => {
  test.each([
    [90 * MINUTE, '1:30:00'],
    [59 * MINUTE + 59_001, '1:00:00'],
    [5 * MINUTE, '05:00'],
    [1, '00:01'],
    [0, '00:00'],
  ])('%i ms read %s', (left, text) => expect(formatLeft(left)).toBe(text))

  test.each([
    [31 * MINUTE, 30 * MINUTE, 30],
    [30 * MINUTE, 29 * MINUTE, null],
    [10 * MINUTE + 500, 10 * MINUTE - 500, 10],
    [40 * MINUTE, 4 * MINUTE, 5],
    [4 * MINUTE, 9 * MINUTE, null],
  ])('going from %i to %i ms warns of %s minutes', (before, now, warning) => expect(warningDue(before, now)).toBe(warning))

  test('opening a paper with little time left warns of nothing that passed long ago', () => {
    expect(warningDue(3 * MINUTE, 3 * MINUTE)).toBeNull()
  })

  test('a hidden clock comes back for the last five minutes', () => {
    expect(isShown(true, 6 * MINUTE)).toBe(false)
    expect(isShown(true, 5 * MINUTE)).toBe(true)
    expect(isShown(false, 60 * MINUTE)).toBe(true)
  })

  test('urgency has three steps', () => {
    expect([6, 5, 1].map((minutes) => urgency(minutes * MINUTE))).toEqual(['calm', 'soon', 'last'])
  })
})
