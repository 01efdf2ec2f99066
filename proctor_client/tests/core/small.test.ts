import { describe, expect, test } from 'vitest'
import type { AttemptSummary } from '../../src/shared/api.ts'
import { formatCode, readCode, readNumber } from '../../src/core/entry_codes.ts'
import { idleDelayMs, retryDelayMs } from '../../src/core/retry.ts'
import { PATIENCE_MS, saveState } from '../../src/core/save_state.ts'
import { doorOf, nearest } from '../../src/core/waiting.ts'
import { countWords } from '../../src/core/words.ts'

describe('the save state', () => {
  test('is saved when nothing waits, whatever went before', () => {
    expect(saveState({ waiting: 0, failures: 3, waitingSinceMs: null }, 99_999)).toBe('saved')
  })
  test('is saving at first, and not saved once a send failed or patience ends', () => {
    expect(saveState({ waiting: 1, failures: 0, waitingSinceMs: 1_000 }, 1_100)).toBe('saving')
    expect(saveState({ waiting: 1, failures: 1, waitingSinceMs: 1_000 }, 1_100)).toBe('not-saved')
    expect(saveState({ waiting: 1, failures: 0, waitingSinceMs: 1_000 }, 1_001 + PATIENCE_MS)).toBe('not-saved')
  })
})

describe('trying again', () => {
  test('waits longer each time, within limits, and never twice the same for everybody', () => {
    const delays = [1, 2, 3, 4, 8, 40].map((failures) => retryDelayMs(failures, 0.999))
    expect(delays).toEqual([...delays].sort((a, b) => a - b))
    expect(delays.at(-1)).toBeLessThanOrEqual(20_000)
    expect(retryDelayMs(3, 0)).toBeLessThan(retryDelayMs(3, 0.9))
  })
  test('the server’s Retry-After is a floor', () => {
    expect(retryDelayMs(1, 0, 5_000)).toBeGreaterThan(5_000)
  })
  test('idle seats ask often enough to hear of everything within ten seconds', () => {
    const workersHearMs = 1_000 // EXCHANGE_SECONDS of exam_engine/delivery
    const aSlowAnswerMs = 800
    expect(idleDelayMs(0.999) + workersHearMs + aSlowAnswerMs).toBeLessThanOrEqual(10_000)
    expect(idleDelayMs(0.999) - idleDelayMs(0)).toBeGreaterThan(1_000) // a room does not ask in one beat
  })
})

describe('what is typed at the door', () => {
  test.each([
    ['7k3m 9qxa 2b4d', '7K3M-9QXA-2B4D'],
    ['7K3M-9QXA-2B4D', '7K3M-9QXA-2B4D'],
    ['oil0', '0110'],
    ['7K3M9', '7K3M-9'],
    ['', ''],
  ])('%s is read as %s', (typed, code) => expect(formatCode(typed)).toBe(code))
  test('reading a formatted code gives the same signs', () => {
    expect(readCode(formatCode('7k3m9qxa2b4d'))).toBe('7K3M9QXA2B4D')
  })
  test('a candidate number loses its spaces and dots', () => {
    expect(readNumber(' 31 000.123 ')).toBe('31000123')
  })
})

describe('the waiting room', () => {
  const attempt = (more: Partial<AttemptSummary>): AttemptSummary => ({
    attempt_id: 'x', sitting_id: 's', subject: 'Toán', state: 'ready', starts_at_ms: 1_000, ends_at_ms: 9_000, minutes: 90, room: null, seat: null, ...more,
  })
  test('the door opens at the start and closes at the end', () => {
    expect([500, 1_000, 9_000].map((now) => doorOf(attempt({}), now))).toEqual(['early', 'open', 'over'])
    expect(doorOf(attempt({ state: 'running' }), 99_000)).toBe('running')
    expect(doorOf(attempt({ state: 'submitted' }), 2_000)).toBe('handed-in')
  })
  test('a running attempt comes first, then an open one, then the next to start', () => {
    const early = attempt({ attempt_id: 'early', starts_at_ms: 5_000 })
    const open = attempt({ attempt_id: 'open' })
    const running = attempt({ attempt_id: 'running', state: 'running' })
    const done = attempt({ attempt_id: 'done', state: 'submitted' })
    expect(nearest([done, early, open, running], 2_000)?.attempt_id).toBe('running')
    expect(nearest([done, early, open], 2_000)?.attempt_id).toBe('open')
    expect(nearest([done, early], 2_000)?.attempt_id).toBe('early')
    expect(nearest([], 2_000)).toBeNull()
  })
})

describe('counting words', () => {
  test.each([
    ['', 0],
    ['  \n ', 0],
    ['Tự học là   quý.', 4],
    ['một – hai … 3', 3],
    ['don’t stop', 2],
  ])('%s has %i', (text, words) => expect(countWords(text)).toBe(words))
})
