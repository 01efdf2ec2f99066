/** The browser's session decides as the bot does: cases written by `tests/golden/protocol_cases.py`, played step by step. */

import { readFileSync } from 'node:fs'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { openAttempt } from '../../src/player/opening.ts'
import { Refused, Unreachable } from '../../src/player/server.ts'
import type { ExamSession } from '../../src/player/session.ts'
import type { Envelope, ReceiptReply, SaveReply, SaveRequest, SubmissionRequest, Submitted, TimeReply } from '../../src/shared/api.ts'
import { MemoryServer, MemoryVault, portsOf, SITTING } from './fakes.ts'
import { ordering } from '../forms.ts'

interface Step {
  readonly at: number
  readonly does?: 'tick' | 'answer' | 'hand in' | 'take back'
  readonly slot?: number
  readonly value?: string
  readonly asks?: string
  readonly body?: unknown
  readonly hears?: unknown
  readonly refused?: { readonly code: string; readonly facts: Record<string, unknown>; readonly status: number }
  readonly fails?: true
  readonly phase?: string
  readonly waits?: number
  readonly next?: number
  readonly held?: Record<string, [number, unknown]>
}

interface Case {
  readonly seed: number
  readonly opening: Envelope
  readonly steps: readonly Step[]
}

const CASES = JSON.parse(readFileSync(new URL('../../../tests/golden/protocol_cases.json', import.meta.url), 'utf8')) as Case[]

interface Asked {
  readonly asks: string
  readonly body: unknown
  resolve(reply: unknown): void
  reject(error: Error): void
}

/** A server that notes what it is asked and answers when the case says so. */
class ScriptedServer extends MemoryServer {
  asked: Asked | null = null

  override start(): Promise<Envelope> {
    return this.#ask('start', {})
  }
  override save(_id: string, { lease, responses }: SaveRequest): Promise<SaveReply> {
    return this.#ask('save', { lease, saves: responses.map(({ slot, sequence, value }) => [slot, sequence, value]) })
  }
  override time(_id: string, after: number, lease = 0): Promise<TimeReply> {
    return this.#ask('time', { after, lease })
  }
  override submit(_id: string, { lease, sequences }: SubmissionRequest): Promise<Submitted> {
    return this.#ask('submit', { lease, sequences })
  }
  override receipt(): Promise<ReceiptReply> {
    return this.#ask('receipt', {})
  }

  #ask<Reply>(asks: string, body: unknown): Promise<Reply> {
    expect(this.asked, 'one request at a time').toBeNull()
    return new Promise<Reply>((resolve, reject) => {
      this.asked = { asks, body, resolve: (reply) => resolve(reply as Reply), reject }
    })
  }
}

let session: ExamSession | null = null

beforeEach(() => {
  vi.useFakeTimers({ now: 1_000_000_000_000 })
})
afterEach(() => {
  session?.stop()
  session = null
  vi.useRealTimers()
})

describe.each(CASES)('case $seed', ({ opening, steps }) => {
  test('every request, its moment, and where the seat stands after each step', async () => {
    const server = new ScriptedServer(() => 0)
    const ports = { ...portsOf(server, new MemoryVault()), counter: (): number => Date.now() - 1_000_000_000_000 }
    const opened = openAttempt(ports, { attemptId: opening.attempt_id, sittingId: SITTING, clientId: 'tab', isReturn: false })
    await vi.advanceTimersByTimeAsync(0)
    const envelope = { ...opening, ordering }
    server.asked?.resolve(envelope)
    server.asked = null
    session = await opened
    session.begin()
    let stands: Partial<Step> = {}
    for (const [index, step] of steps.entries()) {
      const name = `step ${index} ${JSON.stringify(step)}`
      const wait = step.at - ports.counter()
      if (step.asks !== undefined && wait > 1) {
        await vi.advanceTimersByTimeAsync(wait - 1)
        expect(server.asked, `${name}: too soon`).toBeNull()
      }
      await vi.advanceTimersByTimeAsync(step.at - ports.counter())
      await play(session, server, envelope, step, name)
      const { phase, waits, next, held } = step
      stands = { ...stands, ...JSON.parse(JSON.stringify({ phase, waits, next, held })) as Partial<Step> }
      const book = [...session.book.held.values()].sort((a, b) => a.slot - b.slot)
      expect({
        phase: session.phase,
        waits: session.unsaved,
        next: session.book.next,
        held: Object.fromEntries(book.map(({ slot, sequence, value }) => [String(slot), [sequence, value]])),
      }, name).toEqual(stands)
    }
  })
})

async function play(seat: ExamSession, server: ScriptedServer, envelope: Envelope, step: Step, name: string): Promise<void> {
  if (step.asks !== undefined) {
    expect({ asks: server.asked?.asks, body: server.asked?.body }, name).toEqual({ asks: step.asks, body: step.body })
    return
  }
  const { asked } = server
  if (step.does === 'tick') seat.tick()
  else if (step.does === 'answer') seat.answer(step.slot ?? 0, step.value ?? null)
  else if (step.does === 'hand in') seat.handIn()
  else if (step.does === 'take back') seat.takeBack('tab')
  else {
    server.asked = null
    if (step.fails) asked?.reject(new Unreachable('no answer'))
    else if (step.refused) asked?.reject(new Refused(step.refused.status, step.refused.code, '', step.refused.facts))
    // An envelope is written without what stands in the one the case opened with.
    else asked?.resolve(asked.asks === 'start' ? { ...envelope, ...(step.hears as Partial<Envelope>) } : step.hears)
    await vi.advanceTimersByTimeAsync(0)
  }
}
