/** After handing in: the vault stays until the second store of the server has the paper. */

import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { takeUp } from '../../src/player/left_behind.ts'
import { openAttempt } from '../../src/player/opening.ts'
import type { ExamSession } from '../../src/player/session.ts'
import { ATTEMPT, MemoryServer, MemoryVault, passTime, portsOf, SITTING } from './fakes.ts'

let server: MemoryServer
let vault: MemoryVault
let session: ExamSession

beforeEach(async () => {
  vi.useFakeTimers({ now: 1_000_000_000_000 })
  server = new MemoryServer(() => Date.now())
  server.isStored = false
  vault = new MemoryVault()
  await open()
  session.answer(1, 'B')
  session.handIn()
  await pass(1_000)
  expect(session.phase).toBe('handed-in')
})
afterEach(() => {
  session.stop()
  vi.useRealTimers()
})

async function open(isReturn = false): Promise<void> {
  session = await openAttempt(portsOf(server, vault), { attemptId: ATTEMPT, sittingId: SITTING, clientId: 'tab', isReturn })
  session.begin()
}

/** The server's memory is gone, and the second store had not heard of the paper's last minutes. */
function loseHandIn(): void {
  server.state = 'running'
  server.lease = 86_400_000
  server.held.clear()
}

const pass = (ms: number): Promise<void> => passTime(ms, () => session.tick())
const asked = (): number => server.calls.filter((call) => call === 'receipt').length

test('the vault stays until the server says stored, and is asked for ever more rarely', async () => {
  await pass(60_000)
  expect(asked()).toBeGreaterThan(3)
  expect(asked()).toBeLessThan(9)
  expect(session.isStored).toBe(false)
  expect(await session.forget()).toBe(false)
  expect(vault.held.get(1)?.value).toBe('B')
  server.isStored = true
  await pass(20_000)
  expect(session.isStored).toBe(true)
  expect(await session.forget()).toBe(true)
  expect(vault.kept.size + vault.held.size).toBe(0)
  const before = asked()
  await pass(120_000)
  expect(asked()).toBe(before)
})

test('a paper the server has lost is brought back and handed in again', async () => {
  loseHandIn()
  await pass(10_000)
  expect(session.phase).toBe('handed-in')
  expect(server.state).toBe('submitted')
  expect(server.values()).toEqual({ 1: 'B' })
  server.isStored = true
  await pass(20_000)
  expect(session.isStored).toBe(true)
})

test('a cut network changes nothing on the last screen', async () => {
  server.cutOff()
  await pass(60_000)
  expect(session.phase).toBe('handed-in')
  server.reconnect()
  server.isStored = true
  await pass(30_000)
  expect(session.isStored).toBe(true)
})

test('after a reload the question goes on', async () => {
  session.stop()
  await open(true)
  expect(session.phase).toBe('handed-in')
  server.isStored = true
  await pass(5_000)
  expect(await session.forget()).toBe(true)
})

test('answers that were not part of the hand-in stay on this computer', async () => {
  vault.held.set(2, { slot: 2, sequence: 9, value: 'C', client_time_ms: 0 })
  session.stop()
  await open(true)
  server.isStored = true
  await pass(5_000)
  expect(session.isStored).toBe(true)
  expect(await session.forget()).toBe(false)
  expect(vault.held.has(2)).toBe(true)
})

test('a page that was left early is taken up by the next one, without a screen', async () => {
  session.stop()
  loseHandIn()
  const paper = { attemptId: ATTEMPT, sittingId: SITTING, token: 'token' }
  const unseen = await takeUp(portsOf(server, vault), paper)
  await passTime(5_000, () => undefined)
  expect(server.values()).toEqual({ 1: 'B' })
  expect(unseen?.phase).toBe('handed-in')
  server.isStored = true
  await passTime(10_000, () => undefined)
  expect(vault.kept.size + vault.held.size).toBe(0)
})
