import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { openAttempt } from '../../src/player/opening.ts'
import type { ExamSession } from '../../src/player/session.ts'
import { ATTEMPT, SITTING, MemoryServer, MemoryVault, passTime, portsOf } from './fakes.ts'

/** The server's memory lost its disk: it is filled anew from the database, which had not heard of everything. */
const NEXT_FILLING = 86_431_000

let server: MemoryServer
let session: ExamSession

beforeEach(async () => {
  vi.useFakeTimers({ now: 1_000_000_000_000 })
  server = new MemoryServer(() => Date.now())
  session = await openAttempt(portsOf(server, new MemoryVault()), { attemptId: ATTEMPT, sittingId: SITTING, clientId: 'tab', isReturn: false })
  session.begin()
})
afterEach(() => {
  session.stop()
  vi.useRealTimers()
})

const pass = (ms: number): Promise<void> => passTime(ms, () => session.tick())

function beginEmpty(): void {
  server.held.clear()
  server.lease = NEXT_FILLING
}

test('a seat that only waits brings back what the server once confirmed, and never says that the paper is elsewhere', async () => {
  session.answer(1, 'B')
  await pass(500)
  expect(session.saveState).toBe('saved')
  beginEmpty()
  const phases = new Set<string>()
  for (let second = 0; second < 12; second += 1) {
    await pass(1_000)
    phases.add(session.phase)
  }
  expect(server.values()).toEqual({ 1: 'B' })
  expect([...phases]).toEqual(['paper'])
})

test('a seat in the middle of saving starts again and sends everything', async () => {
  session.answer(1, 'B')
  await pass(500)
  beginEmpty()
  session.answer(2, 'C')
  await pass(1_000)
  expect(server.values()).toEqual({ 1: 'B', 2: 'C' })
  expect(session.phase).toBe('paper')
  expect(session.saveState).toBe('saved')
})

test('handing in goes through although the lease is another one', async () => {
  session.answer(1, 'B')
  await pass(500)
  beginEmpty()
  session.handIn()
  await pass(2_000)
  expect(session.phase).toBe('handed-in')
  expect(server.values()).toEqual({ 1: 'B' })
})

test('a lease of the same filling still means that another seat writes', async () => {
  server.lease += 1
  server.client = 'another'
  session.answer(1, 'B')
  await pass(1_000)
  expect(session.phase).toBe('elsewhere')
})
