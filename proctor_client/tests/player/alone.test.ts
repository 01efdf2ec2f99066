import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { openAttempt } from '../../src/player/opening.ts'
import type { ExamSession } from '../../src/player/session.ts'
import { ATTEMPT, SITTING, MemoryServer, MemoryVault, passTime, portsOf } from './fakes.ts'

/** A seat that began by its release code; meanwhile another computer got the paper, and the same first lease. */

let server: MemoryServer
let session: ExamSession

beforeEach(async () => {
  vi.useFakeTimers({ now: 1_000_000_000_000 })
  server = new MemoryServer(() => Date.now())
  const vault = new MemoryVault()
  const request = { attemptId: ATTEMPT, sittingId: SITTING, clientId: 'alone.tab', isReturn: false }
  const first = await openAttempt(portsOf(server, vault), request)
  first.begin()
  await passTime(100, () => first.tick())
  first.stop()
  const kept = vault.kept.get(ATTEMPT)
  if (!kept) throw new Error('nothing was kept')
  // As it lies on a computer that never reached the server: the envelope is its own, and so is the lease in it.
  vault.kept.set(ATTEMPT, { ...kept, claim: { started_at_ms: 999_999_990_000, proof: 'ab' } })
  server.client = 'other.tab'
  server.secondSeat = 'admit'
  server.cutOff()
  session = await openAttempt(portsOf(server, vault), { ...request, isReturn: true })
  session.begin()
})
afterEach(() => {
  session.stop()
  vi.useRealTimers()
})

const pass = (ms: number): Promise<void> => passTime(ms, () => session.tick())

test('it waits to be let in, and writes nothing under the lease of the other', async () => {
  session.answer(1, 'A')
  server.reconnect()
  await pass(60_000)
  expect(session.phase).toBe('elsewhere')
  expect(server.claims).toContain(999_999_990_000)
  expect(server.values()).toEqual({})
})

test('it does so, too, when the paper was closed as it came back, and given back afterwards', async () => {
  session.answer(1, 'A')
  server.state = 'closed'
  server.reconnect()
  await pass(60_000)
  expect(session.phase).toBe('over')
  expect(server.late.map(({ slot, value }) => [slot, value])).toEqual([[1, 'A']])
  server.state = 'running'
  await pass(60_000)
  expect(session.phase).toBe('elsewhere')
  expect(server.claimant).toBe('alone.tab')
  expect(server.values()).toEqual({})
})
