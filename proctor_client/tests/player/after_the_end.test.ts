import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { takeUp } from '../../src/player/left_behind.ts'
import { openAttempt } from '../../src/player/opening.ts'
import { Refused, Unreachable } from '../../src/player/server.ts'
import type { ExamSession } from '../../src/player/session.ts'
import { ATTEMPT, SITTING, MemoryServer, MemoryVault, passTime, portsOf } from './fakes.ts'

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

async function open(isReturn = false): Promise<ExamSession> {
  session = await openAttempt(portsOf(server, vault), { attemptId: ATTEMPT, sittingId: SITTING, clientId: 'tab', isReturn })
  session.begin()
  return session
}
const pass = (ms: number): Promise<void> => passTime(ms, () => session.tick())
const late = (): unknown[] => server.late.map(({ slot, value }) => [slot, value])
const count = (call: string): number => server.calls.filter((each) => each === call).length

/** Slot 1 is on the server, slot 2 on this computer alone, and the network comes back after the end. */
async function crossTheEnd(): Promise<void> {
  server.deadlineMs = server.now() + 10_000
  await open()
  session.answer(1, 'A')
  await pass(500)
  server.cutOff()
  session.answer(2, 'B')
  await pass(30_000)
  server.state = 'closed'
}

describe('answers of an outage that crosses the end', () => {
  test('are sent once, for the record', async () => {
    await crossTheEnd()
    expect(session.unsaved).toBe(1)
    server.reconnect()
    await pass(60_000)
    expect(late()).toEqual([[2, 'B']])
    expect(session.late).toBe(1)
    expect(session.unsaved).toBe(0)
    const saves = count('save')
    await pass(60_000)
    expect(count('save')).toBe(saves)
    expect(server.values()).toEqual({ 1: 'A' })
  })

  test('more than one request takes are all sent', async () => {
    await crossTheEnd()
    server.reconnect()
    server.state = 'running'
    server.deadlineMs = server.now() + 600_000
    await pass(25_000)
    server.cutOff()
    for (let slot = 1; slot <= 70; slot += 1) session.answer(slot, `x${slot}`)
    await pass(5_000)
    server.state = 'closed'
    server.reconnect()
    await pass(30_000)
    expect(server.late).toHaveLength(70)
  })

  test('what came through without its answer is not called late', async () => {
    await crossTheEnd()
    server.held.set(2, { slot: 2, sequence: 100_002, value: 'B' })
    server.reconnect()
    await pass(60_000)
    expect(late()).toEqual([])
    expect(session.late).toBe(0)
    expect(session.unsaved).toBe(0)
  })

  test('wait for the timer that is about to close the paper, and are then sent', async () => {
    await crossTheEnd()
    server.state = 'running'
    const refuse = vi.spyOn(server, 'start').mockImplementation(async () => {
      throw new Refused(409, 'time-over', '', {})
    })
    server.reconnect()
    await pass(2_000)
    expect(session.phase).toBe('over')
    server.state = 'closed'
    await pass(60_000)
    expect(late()).toEqual([[2, 'B']])
    expect(refuse.mock.calls.length).toBeLessThan(4)
  })

  test('are sent of a paper that was closed as absent, which has no receipt', async () => {
    await crossTheEnd()
    vi.spyOn(server, 'receipt').mockImplementation(async () => {
      throw new Refused(409, 'receipt-not-yet', '', {})
    })
    server.reconnect()
    await pass(60_000)
    expect(late()).toEqual([[2, 'B']])
  })

  test('count as any other once time was added', async () => {
    await crossTheEnd()
    server.reconnect()
    await pass(30_000)
    server.state = 'running'
    server.deadlineMs = server.now() + 300_000
    await pass(15_000)
    expect(session.phase).toBe('paper')
    expect(server.values()).toEqual({ 1: 'A', 2: 'B' })
    expect(session.late).toBe(0)
  })

  test('are reached after a reload too, which shows the paper as closed', async () => {
    await crossTheEnd()
    session.stop()
    server.reconnect()
    await open(true)
    expect(session.phase).toBe('over')
    await pass(20_000)
    expect(late()).toEqual([[2, 'B']])
    expect(session.late).toBe(1)
  })

  test('are sent by a page that asks on unseen, and then it stops', async () => {
    await crossTheEnd()
    session.stop()
    server.reconnect()
    const unseen = await takeUp(portsOf(server, vault), { attemptId: ATTEMPT, sittingId: SITTING, token: 't' })
    await passTime(20_000, () => unseen?.tick())
    expect(late()).toEqual([[2, 'B']])
    const calls = server.calls.length
    await vi.advanceTimersByTimeAsync(60_000)
    expect(server.calls.length).toBe(calls)
  })

  test('of a paper another seat handed in are sent too', async () => {
    await crossTheEnd()
    server.state = 'submitted'
    server.reconnect()
    await pass(60_000)
    expect(late()).toEqual([[2, 'B']])
    expect(session.phase).toBe('handed-in')
    expect(await session.forget()).toBe(false) // they stay here, for people to decide
  })
})

test('a text typed before the end counts, though its pause falls between the last second and the tick', async () => {
  server.deadlineMs = server.now() + 10_000
  await open()
  await pass(9_000)
  await vi.advanceTimersByTimeAsync(500)
  session.answerSoon(4, 'in time')
  await vi.advanceTimersByTimeAsync(800) // the draft's own timer, after the end and before the tick
  session.answerSoon(5, 'too late')
  session.tick()
  await pass(1_000)
  expect(session.phase).toBe('over')
  expect(server.values()).toEqual({ 4: 'in time' })
})

describe('what the seat noticed', () => {
  test('never outgrows a request, however long the network is out', async () => {
    await open()
    for (let n = 0; n < 90; n += 1) session.note('focus_lost', { n })
    server.reportTrouble = () => {
      for (let n = 90; n < 120; n += 1) session.note('focus_lost', { n })
      return new Unreachable('no answer')
    }
    await pass(1_000)
    server.reportTrouble = null
    await pass(15_000)
    expect(server.events).toHaveLength(100)
    expect(server.events.at(-1)?.detail['n']).toBe(119)
  })

  test('leaves before the paper is handed in, or after', async () => {
    await open()
    session.note('focus_lost')
    session.handIn()
    await pass(1_000)
    expect(server.calls.indexOf('report')).toBeLessThan(server.calls.indexOf('submit'))
    session.stop()
    server = new MemoryServer(() => Date.now())
    server.isStored = false
    await open()
    server.reportTrouble = () => new Unreachable('no answer')
    session.note('focus_lost')
    session.handIn()
    await pass(1_000)
    expect(session.phase).toBe('handed-in')
    server.reportTrouble = null
    await pass(5_000)
    expect(server.events.map(({ kind }) => kind)).toEqual(['focus_lost'])
  })

  test('is not told again when the server would not have it', async () => {
    await open()
    server.reportTrouble = () => new Refused(400, 'request-invalid', '', {})
    session.note('focus_lost')
    await pass(15_000)
    server.reportTrouble = null
    session.note('online')
    await pass(15_000)
    expect(server.events.map(({ kind }) => kind)).toEqual(['online'])
  })
})
