import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { openAttempt } from '../../src/player/opening.ts'
import { Refused, Unreachable } from '../../src/player/server.ts'
import type { ExamSession } from '../../src/player/session.ts'
import { ATTEMPT, SITTING, MemoryServer, MemoryVault, passTime, portsOf } from './fakes.ts'

const HOUR = 3_600_000
/** The server's clock is an hour and a half ahead of the computer's: nothing may depend on the latter. */
const AHEAD = 1.5 * HOUR

let server: MemoryServer
let vault: MemoryVault
let session: ExamSession

beforeEach(() => {
  vi.useFakeTimers({ now: 1_000_000_000_000 })
  server = new MemoryServer(() => Date.now() + AHEAD)
  vault = new MemoryVault()
})
afterEach(() => {
  session.stop()
  vi.useRealTimers()
})

async function open(more: { client?: string; isReturn?: boolean } = {}): Promise<ExamSession> {
  session = await openAttempt(portsOf(server, vault), { attemptId: ATTEMPT, sittingId: SITTING, clientId: more.client ?? 'tab', isReturn: more.isReturn ?? false })
  session.begin()
  return session
}

/** A reload: everything in memory is gone, the vault stays. */
async function reload(): Promise<ExamSession> {
  session.stop()
  const opening = open({ isReturn: true })
  await vi.advanceTimersByTimeAsync(3_500)
  return opening
}

const pass = (ms: number): Promise<void> => passTime(ms, () => session.tick())

describe('answering', () => {
  test('a change is written here, sent, and then called saved', async () => {
    await open()
    session.answer(1, 'B')
    expect(session.saveState).toBe('saving')
    expect(session.isSaved(1)).toBe(false)
    await pass(200)
    expect(session.saveState).toBe('saved')
    expect(server.values()).toEqual({ 1: 'B' })
    expect(vault.held.get(1)?.value).toBe('B')
  })

  test('nothing is sent before this computer has written it', async () => {
    await open()
    let finish = (): void => undefined
    vi.spyOn(vault, 'keepResponses').mockImplementation(() => new Promise((resolve) => (finish = resolve)))
    session.answer(1, 'B')
    await vi.advanceTimersByTimeAsync(1_000)
    expect(server.calls).not.toContain('save')
    finish()
    await vi.advanceTimersByTimeAsync(100)
    expect(server.calls).toContain('save')
  })

  test('a disk that refuses is told, and the server still gets everything', async () => {
    await open()
    vault.isBroken = true
    session.answer(1, 'B')
    await pass(200)
    expect(session.isVaultBroken).toBe(true)
    expect(server.values()).toEqual({ 1: 'B' })
    vault.isBroken = false
    session.answer(1, 'C')
    await pass(200)
    expect(session.isVaultBroken).toBe(false)
  })

  test('choosing the same again sends nothing', async () => {
    await open()
    session.answer(1, 'B')
    await pass(200)
    const before = server.calls.length
    session.answer(1, 'B')
    await pass(200)
    expect(server.calls.length).toBe(before)
  })

  test('several changes in a moment travel in one request', async () => {
    await open()
    session.answer(1, 'A')
    session.answer(2, 'B')
    session.answer(3, { a: true })
    await pass(200)
    expect(server.calls.filter((call) => call === 'save')).toHaveLength(1)
    expect(server.values()).toEqual({ 1: 'A', 2: 'B', 3: { a: true } })
  })

  test('a text is saved when the typing pauses, and at the latest after four seconds', async () => {
    await open()
    for (let second = 0; second < 6; second += 0.5) {
      session.answerSoon(4, `text ${second}`)
      await vi.advanceTimersByTimeAsync(500)
    }
    expect(server.held.get(4)).toBeDefined()
    session.answerSoon(4, 'the end')
    expect(session.saveState).toBe('saving')
    await pass(1_500)
    expect(server.values()).toEqual({ 4: 'the end' })
    expect(session.saveState).toBe('saved')
  })

  test('leaving an item settles its text', async () => {
    await open()
    session.answerSoon(4, 'unfinished')
    session.goTo(2)
    await pass(200)
    expect(server.values()).toEqual({ 4: 'unfinished' })
  })
})

describe('a page that is left', () => {
  test('keeps what the disk had no time for', async () => {
    await open()
    vi.spyOn(vault, 'keepResponses').mockImplementation(() => new Promise(() => undefined)) // given up by the browser
    session.answerSoon(4, 'in the middle of a wo')
    session.secure()
    vi.restoreAllMocks()
    await reload()
    await pass(1_000)
    expect(session.value(4)).toBe('in the middle of a wo')
    expect(server.values()).toEqual({ 4: 'in the middle of a wo' })
  })

  test('never brings an old word back over a newer one', async () => {
    await open()
    session.answerSoon(4, 'old')
    session.secure()
    session.answer(4, 'new')
    await pass(1_000)
    await reload()
    expect(session.value(4)).toBe('new')
  })
})

describe('without a network', () => {
  test('a minute off line loses nothing and says so in the right words', async () => {
    await open()
    session.answer(1, 'A')
    await pass(500)
    server.cutOff()
    session.answer(1, 'B')
    session.answer(2, 'C')
    await pass(2_000)
    expect(session.saveState).toBe('not-saved')
    await pass(60_000)
    session.answer(1, 'D')
    server.reconnect()
    await pass(25_000)
    expect(session.saveState).toBe('saved')
    expect(server.values()).toEqual({ 1: 'D', 2: 'C' })
  })

  test('the news that the network is back is used at once', async () => {
    await open()
    server.cutOff()
    session.answer(1, 'A')
    await pass(120_000)
    server.reconnect()
    session.nudge()
    await pass(1_000)
    expect(session.saveState).toBe('saved')
  })

  test('tries grow rarer while it lasts', async () => {
    await open()
    server.cutOff()
    session.answer(1, 'A')
    await pass(300_000)
    expect(server.calls.length).toBeLessThan(40)
  })

  test('a reload off line opens the paper from this computer, with answers, flags and place', async () => {
    await open()
    session.answer(1, 'A')
    session.goTo(3)
    session.toggleFlag(3)
    await pass(500)
    server.cutOff()
    session.answer(3, { b: false })
    await pass(1_000)
    await reload()
    expect(session.value(1)).toBe('A')
    expect(session.value(3)).toEqual({ b: false })
    expect(session.marks.position).toBe(3)
    expect(session.marks.flagged.has(3)).toBe(true)
    expect(session.saveState).toBe('not-saved')
    session.answer(2, 'D')
    server.reconnect()
    session.nudge()
    await pass(2_000)
    expect(server.values()).toEqual({ 1: 'A', 2: 'D', 3: { b: false } })
  })

  test('the clock goes on right over a reload off line', async () => {
    await open()
    await pass(10_000)
    server.cutOff()
    await reload()
    expect(Math.abs(session.leftMs - (server.deadlineMs - server.now()))).toBeLessThan(100)
  })

  test('without anything kept here, a dead network is an honest failure', async () => {
    server.cutOff()
    await expect(open()).rejects.toBeInstanceOf(Unreachable)
    server.reconnect()
    await open()
  })

  test('a server that comes back empty gets everything again', async () => {
    await open()
    session.answer(1, 'A')
    session.answer(2, 'B')
    await pass(500)
    server.cutOff()
    await pass(15_000)
    server.held.clear()
    server.reconnect()
    await pass(25_000)
    expect(server.values()).toEqual({ 1: 'A', 2: 'B' })
  })

  test('a busy server is given the time it asks for', async () => {
    await open()
    server.trouble = () => new Unreachable('503', 8_000)
    session.answer(1, 'A')
    await pass(1_000)
    const before = server.calls.length
    await pass(6_000)
    expect(server.calls.length).toBe(before)
  })
})

describe('another seat', () => {
  test('makes this one read-only; taking back brings the newest answers', async () => {
    await open()
    session.answer(1, 'A')
    await pass(500)
    const other = await server.start(ATTEMPT, { client_id: 'other' })
    await server.save(ATTEMPT, { lease: other.lease, after: 0, responses: [{ slot: 1, sequence: 200_001, value: 'D', client_time_ms: 0 }] })
    session.answer(2, 'B')
    await pass(500)
    expect(session.phase).toBe('elsewhere')
    session.answer(3, { a: true })
    expect(session.value(3)).toBeNull()
    session.takeBack('tab again')
    await pass(1_000)
    expect(session.phase).toBe('paper')
    expect(session.value(1)).toBe('D')
    expect(server.values()).toEqual({ 1: 'D', 2: 'B' })
  })
})

describe('the end', () => {
  test('handing in waits until everything is stored', async () => {
    await open()
    server.cutOff()
    session.answer(1, 'A')
    session.handIn()
    await pass(30_000)
    expect(session.phase).toBe('handing-in')
    expect(session.isReachable).toBe(false)
    server.reconnect()
    await pass(25_000)
    expect(session.phase).toBe('handed-in')
    expect(session.receipt?.answered).toBe(1)
    expect(server.values()).toEqual({ 1: 'A' })
  })

  test('handing in goes on after a reload', async () => {
    await open()
    session.answer(1, 'A')
    server.cutOff()
    session.handIn()
    await pass(2_000)
    await reload()
    expect(session.phase).toBe('handing-in')
    server.reconnect()
    session.nudge()
    await pass(2_000)
    expect(session.phase).toBe('handed-in')
  })

  test('what the server names as missing is sent again before the paper is handed in', async () => {
    await open()
    session.answer(1, 'A')
    session.answer(2, 'B')
    await pass(500)
    server.held.delete(2)
    session.handIn()
    await pass(2_000)
    expect(session.phase).toBe('handed-in')
    expect(server.values()).toEqual({ 1: 'A', 2: 'B' })
  })

  test('a lost yes is asked for again', async () => {
    await open()
    const submit = server.submit.bind(server)
    let isFirst = true
    server.submit = async (attempt, request) => {
      const yes = await submit(attempt, request)
      if (isFirst) {
        isFirst = false
        throw new Unreachable('the answer was lost')
      }
      return yes
    }
    session.handIn()
    await pass(25_000)
    expect(session.phase).toBe('handed-in')
  })

  test('when time is over the last words are still sent, and nothing more can be changed', async () => {
    server.deadlineMs = server.now() + 5_000
    await open()
    session.answerSoon(4, 'to the last second')
    await pass(5_200)
    expect(session.phase).toBe('over')
    session.answer(1, 'A')
    await pass(1_000)
    expect(server.values()).toEqual({ 4: 'to the last second' })
    expect(session.unsaved).toBe(0)
  })

  test('time added by the invigilator opens the paper again', async () => {
    server.deadlineMs = server.now() + 5_000
    await open()
    await pass(6_000)
    server.state = 'closed'
    await pass(15_000)
    expect(session.phase).toBe('over')
    server.state = 'running'
    server.deadlineMs = server.now() + 300_000
    await pass(15_000)
    expect(session.phase).toBe('paper')
    session.answer(1, 'C')
    await pass(500)
    expect(server.values()).toEqual({ 1: 'C' })
  })

  test('answers that came too late are counted, not hidden', async () => {
    await open()
    server.cutOff()
    session.answer(1, 'A')
    await pass(2_000)
    server.state = 'closed'
    server.reconnect()
    await pass(25_000)
    expect(session.phase).toBe('over')
    expect(session.late).toBe(1)
    expect(vault.held.get(1)?.value).toBe('A')
  })

  test('a token that is not taken any more asks for the card and loses nothing', async () => {
    await open()
    server.trouble = () => new Refused(401, 'sign-in-expired', '', {})
    session.answer(1, 'A')
    await pass(1_000)
    expect(session.phase).toBe('signed-out')
    server.reconnect()
    session.stop()
    await open({ client: 'tab' })
    await pass(1_000)
    expect(server.values()).toEqual({ 1: 'A' })
  })
})

describe('refused answers', () => {
  test('one that does not fit is set aside, the others go on', async () => {
    await open()
    server.nextSave = new Refused(422, 'response-invalid', '', { slot: 1 })
    session.answer(1, 'Z')
    session.answer(2, 'B')
    await pass(2_000)
    expect(server.values()).toEqual({ 2: 'B' })
    expect(session.refusedSlots).toEqual(new Set([1]))
    expect(session.saveState).toBe('saved')
    session.answer(1, 'A')
    await pass(1_000)
    expect(server.values()).toEqual({ 1: 'A', 2: 'B' })
  })

  test('if the server does not say which one, they are tried one by one', async () => {
    await open()
    const save = server.save.bind(server)
    server.save = async (attempt, request) => {
      if (request.responses.some((response) => response.slot === 2)) throw new Refused(422, 'response-invalid', '', {})
      return save(attempt, request)
    }
    session.answer(1, 'A')
    session.answer(2, 'Z')
    session.answer(3, { a: true })
    await pass(3_000)
    expect(server.values()).toEqual({ 1: 'A', 3: { a: true } })
    expect(session.refusedSlots).toEqual(new Set([2]))
  })
})

describe('time and notices', () => {
  test('an idle seat asks every ten seconds and hears of extra time', async () => {
    await open()
    server.deadlineMs += 300_000
    server.notices.push({ id: 1, kind: 'time', text: 'power', extra_seconds: 300 })
    await pass(12_000)
    expect(session.clock.extraSeconds).toBe(300)
    expect(session.notices.map((notice) => notice.text)).toEqual(['power'])
    session.dismiss(1)
    expect(session.notices).toEqual([])
    await reload()
    expect(session.notices).toEqual([])
  })

  test('the computer’s own clock is never asked how much time is left', async () => {
    await open()
    const before = session.leftMs
    vi.setSystemTime(Date.now() + 5 * HOUR)
    expect(session.leftMs).toBe(before)
  })

  test('warnings come once, at their minute', async () => {
    server.deadlineMs = server.now() + 11 * 60_000
    await open()
    const warnings: (number | null)[] = []
    session.on('time', () => warnings.push(session.clock.takeWarning()), new AbortController().signal)
    await pass(10.5 * 60_000)
    expect(warnings.filter((warning) => warning !== null)).toEqual([10, 5, 1])
  })

  test('what the seat noticed is reported when there is time for it', async () => {
    await open()
    session.note('focus_lost')
    server.cutOff()
    session.note('offline')
    await pass(20_000)
    server.reconnect()
    await pass(40_000)
    expect(server.events.map((event) => event.kind)).toEqual(['focus_lost', 'offline'])
  })
})
