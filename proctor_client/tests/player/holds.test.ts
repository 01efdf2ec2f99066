import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { openAttempt } from '../../src/player/opening.ts'
import { Prefetch } from '../../src/player/prefetch.ts'
import type { ExamSession } from '../../src/player/session.ts'
import { ATTEMPT, MemoryServer, MemoryVault, passTime, portsOf, SITTING } from './fakes.ts'

let server: MemoryServer
let vault: MemoryVault
let session: ExamSession

beforeEach(() => {
  vi.useFakeTimers({ now: 1_000_000_000_000 })
  server = new MemoryServer(() => Date.now())
  vault = new MemoryVault()
})
afterEach(() => {
  session.stop()
  vi.useRealTimers()
})

async function open(client = 'device.tab'): Promise<ExamSession> {
  session = await openAttempt(portsOf(server, vault), { attemptId: ATTEMPT, sittingId: SITTING, clientId: client, isReturn: false })
  session.begin()
  return session
}
const pass = (ms: number): Promise<void> => passTime(ms, () => session.tick())

describe('a second seat', () => {
  beforeEach(() => {
    server.secondSeat = 'admit'
    server.client = 'first.seat'
  })

  test('reads only, asks every five seconds, and writes once it is let in', async () => {
    await open()
    expect(session.phase).toBe('elsewhere')
    session.answer(1, 'A')
    await pass(12_000)
    expect(server.calls.filter((call) => call === 'start').length).toBeGreaterThanOrEqual(3)
    expect(server.held.size).toBe(0)
    server.admit()
    await pass(6_000)
    expect(session.phase).toBe('paper')
    session.answer(1, 'A')
    await pass(500)
    expect(server.values()).toEqual({ 1: 'A' })
  })

  test('counts on above whatever the first seat may still hold', async () => {
    await open()
    server.admit()
    await pass(6_000)
    session.answer(1, 'A')
    await pass(500)
    expect(server.held.get(1)?.sequence).toBeGreaterThan(200_000)
  })
})

test('a seat that lost its place does not ask to be let in by itself', async () => {
  server.secondSeat = 'admit'
  await open()
  server.claimant = 'other.seat'
  server.admit()
  session.answer(1, 'A')
  await pass(500)
  expect(session.phase).toBe('elsewhere')
  server.claimant = ''
  await pass(60_000)
  expect(server.claimant).toBe('')
  session.takeBack('device.tab2')
  await pass(1_000)
  expect(server.claimant).toBe('device.tab2')
})

test('an idle seat learns from the time that another seat writes', async () => {
  await open()
  server.lease += 1
  await pass(11_000)
  expect(session.phase).toBe('elsewhere')
})

describe('a pause', () => {
  test('stops the clock, and what is under way still arrives', async () => {
    await open()
    await pass(1_000)
    server.isPaused = true
    session.answerSoon(4, 'half a sente')
    await pass(11_000)
    expect(session.phase).toBe('paused')
    expect(server.values()).toEqual({ 4: 'half a sente' })
    const left = session.leftMs
    await pass(600_000)
    expect(session.leftMs).toBe(left)
    server.deadlineMs += 600_000
    server.isPaused = false
    await pass(6_000)
    expect(session.phase).toBe('paper')
    expect(server.deadlineMs - session.clock.nowMs - session.leftMs).toBe(0)
  })

  test('does not let time run out, and warns of nothing', async () => {
    server.deadlineMs = server.now() + 20_000
    await open()
    server.isPaused = true
    await pass(12_000)
    await pass(60_000)
    expect(session.phase).toBe('paused')
    expect(session.clock.takeWarning()).toBeNull()
  })
})

test('a locked seat sends nothing, keeps everything, and sends it when it is unlocked', async () => {
  await open()
  server.isLocked = true
  session.answer(1, 'A')
  await pass(1_000)
  expect(session.phase).toBe('locked')
  const saves = server.calls.filter((call) => call === 'save').length
  await pass(30_000)
  expect(server.calls.filter((call) => call === 'save').length).toBe(saves)
  server.isLocked = false
  await pass(7_000)
  expect(session.phase).toBe('paper')
  expect(server.values()).toEqual({ 1: 'A' })
})

describe('wiping', () => {
  test('follows a hand-in that both stores of the server have', async () => {
    await open()
    session.answer(1, 'A')
    session.handIn()
    await pass(4_000)
    expect(session.phase).toBe('handed-in')
    expect(await session.forget()).toBe(true)
    expect(vault.kept.size + vault.held.size + vault.forms.size).toBe(0)
    session.goTo(2)
    await pass(1_000)
    expect(vault.kept.size).toBe(0)
  })

  test('does not touch an attempt that still runs', async () => {
    await open()
    session.answer(1, 'A')
    await pass(500)
    expect(await session.forget()).toBe(false)
    expect(vault.held.size).toBe(1)
  })
})

test('a paper is fetched once, however often the list is looked at', async () => {
  session = await open()
  const attempt = {
    attempt_id: 'a', sitting_id: 's', subject: '', state: 'ready' as const, starts_at_ms: server.now() + 60_000, ends_at_ms: 0, minutes: 1, room: null, seat: null, sealed_hash: 'f'.repeat(64),
  }
  const prefetch = new Prefetch(portsOf(server, vault), () => undefined)
  prefetch.consider([attempt], server.now())
  prefetch.consider([attempt], server.now())
  await vi.advanceTimersByTimeAsync(30_000)
  prefetch.consider([{ ...attempt, state: 'running' as const, attempt_id: 'b' }], server.now())
  await vi.advanceTimersByTimeAsync(30_000)
  expect(server.calls.filter((call) => call === 'sealed-paper')).toHaveLength(1)
  expect(prefetch.has(attempt)).toBe(false) // refused: the server has none
  prefetch.stop()
})
