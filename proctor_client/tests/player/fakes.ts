/** A server and a vault in memory, for sessions on a fake clock. The server can be cut off, emptied or taken over. */

import { vi } from 'vitest'
import type {
  AttemptList, ClientEvent, Envelope, Form, HeldResponse, Notice, ReceiptReply, SavedResponse, SaveReply, SaveRequest, SealedStart, SignedIn, StartRequest, SubmissionRequest, Submitted, TimeReply,
} from '../../src/shared/api.ts'
import type { Bytes } from '../../src/core/base64.ts'
import { type ExamServer, Refused, Unreachable } from '../../src/player/server.ts'
import type { Ports } from '../../src/player/ports.ts'
import type { KeptAttempt, Vault } from '../../src/player/vault.ts'
import { form, ordering } from '../forms.ts'

export const ATTEMPT = '3f2a91bc-0000-4000-8000-000000000001'
export const SITTING = '3f2a91bc-0000-4000-8000-0000000000aa'
const HASH = 'ab'.repeat(32)

export class MemoryServer implements ExamServer {
  /** This server's clock; moved along with the fake timers by `now()`. */
  now: () => number
  state: Envelope['state'] = 'running'
  lease = 1
  client = ''
  deadlineMs: number
  held = new Map<number, HeldResponse>()
  notices: Notice[] = []
  events: ClientEvent[] = []
  /** Answers it refused and keeps as evidence. */
  late: SavedResponse[] = []
  /** Thrown by reports only. */
  reportTrouble: (() => Error) | null = null
  calls: string[] = []
  /** Thrown by every call while it is set. */
  trouble: (() => Error) | null = null
  secondSeat: 'admit' | 'take_over' = 'take_over'
  claimant = ''
  isPaused = false
  isLocked = false
  /** The second store has everything. */
  isStored = true
  keys: Pick<Envelope, 'paper_key' | 'seat_key' | 'hand_over_key'> = {}
  sealed: Bytes | null = null
  sealedStartOf: SealedStart | null = null
  /** Moments of off-line starts, as they were told; 0: an ordinary start. */
  claims: number[] = []
  /** Thrown by the next save only. */
  nextSave: Error | null = null

  constructor(now: () => number, minutes = 90) {
    this.now = now
    this.deadlineMs = now() + minutes * 60_000
  }

  cutOff(): void {
    this.trouble = () => new Unreachable('no network')
  }
  reconnect(): void {
    this.trouble = null
  }

  useToken(): void {}
  useLanguage(): void {}
  for(): ExamServer {
    return this
  }
  signIn(): Promise<SignedIn> {
    throw new Error('not asked here')
  }
  attempts(): Promise<AttemptList> {
    throw new Error('not asked here')
  }
  photo(): Promise<Bytes> {
    throw new Error('not asked here')
  }

  async start(_attempt: string, request: StartRequest): Promise<Envelope> {
    this.#enter('start')
    const clientId = request.client_id
    this.claims.push(request.started_at_ms ?? 0)
    if (this.state === 'submitted' || this.state === 'closed') throw new Refused(409, 'attempt-closed', '', { state: this.state })
    if (this.client === '' || (clientId !== this.client && this.secondSeat === 'take_over')) {
      if (this.client !== '') this.lease += 1
      this.client = clientId
    }
    const lease = clientId === this.client ? this.lease : 0
    if (lease === 0) this.claimant = clientId
    return {
      attempt_id: ATTEMPT, form_hash: HASH, paper_code: '0101', ordering, lease, ...this.keys, started_at_ms: 0, extra_seconds: 0,
      responses: [...this.held.values()], candidate: { number: '1', name: 'An' }, ...this.#facts(0),
    }
  }

  async form(): Promise<Form> {
    this.#enter('form')
    return form
  }

  async sealedPaper(): Promise<Bytes> {
    this.#enter('sealed-paper')
    if (this.sealed === null) throw new Refused(404, 'sealed-paper-unknown', '', {})
    return this.sealed
  }

  async sealedStart(): Promise<SealedStart> {
    this.#enter('sealed-start')
    if (this.sealedStartOf === null) throw new Refused(404, 'sealed-paper-unknown', '', {})
    return this.sealedStartOf
  }

  async receipt(): Promise<ReceiptReply> {
    this.#enter('receipt')
    if (this.state !== 'submitted' && this.state !== 'closed') throw new Refused(409, 'receipt-not-yet', '', {})
    const saved = [...this.held.values()].map(({ slot, sequence }) => ({ slot, sequence }))
    return { receipt: 'R1.TEST', state: this.state, reason: '', finished_at_ms: this.now(), answered: this.held.size, saved, is_stored: this.isStored }
  }

  /** The invigilator lets the claimant in. */
  admit(): void {
    this.lease += 1
    this.client = this.claimant
  }

  async save(_attempt: string, request: SaveRequest): Promise<SaveReply> {
    this.#enter('save')
    const refusal = this.nextSave
    this.nextSave = null
    if (refusal) throw refusal
    try {
      this.#requireWritable(request.lease)
    } catch (error) {
      this.late.push(...request.responses.filter(({ slot, sequence }) => sequence > (this.held.get(slot)?.sequence ?? 0)))
      throw error
    }
    for (const { slot, sequence, value } of request.responses) {
      if (sequence > (this.held.get(slot)?.sequence ?? 0)) this.held.set(slot, { slot, sequence, value })
    }
    const saved = request.responses.map(({ slot }) => ({ slot, sequence: this.held.get(slot)?.sequence ?? 0 }))
    return { saved, ...this.#facts(request.after) }
  }

  async time(_attempt: string, after: number): Promise<TimeReply> {
    this.#enter('time')
    return { ...this.#facts(after), lease: this.lease }
  }

  async submit(_attempt: string, request: SubmissionRequest): Promise<Submitted> {
    this.#enter('submit')
    this.#requireWritable(request.lease)
    const missing = Object.entries(request.sequences).filter(([slot, sequence]) => (this.held.get(Number(slot))?.sequence ?? 0) < sequence)
    if (missing.length > 0) throw new Refused(409, 'responses-missing', '', { missing: missing.map(([slot]) => Number(slot)) })
    this.state = 'submitted'
    return { state: 'submitted', submitted_at_ms: this.now(), answered: this.held.size }
  }

  async showSafeBrowser(): Promise<void> {
    this.#enter('showSafeBrowser')
  }

  async report(_attempt: string, events: readonly ClientEvent[]): Promise<void> {
    this.#enter('report')
    if (this.reportTrouble) throw this.reportTrouble()
    if (events.length > 100) throw new Refused(400, 'request-invalid', '', {})
    this.events.push(...events)
  }

  async warm(): Promise<void> {}

  values(): Record<number, unknown> {
    return Object.fromEntries([...this.held.values()].map(({ slot, value }) => [slot, value]))
  }

  #enter(call: string): void {
    this.calls.push(call)
    if (this.trouble) throw this.trouble()
  }

  #facts(after: number): TimeReply {
    return { server_time_ms: this.now(), deadline_ms: this.deadlineMs, state: this.state, notices: this.notices.filter((notice) => notice.id > after), is_paused: this.isPaused, is_locked: this.isLocked }
  }

  #requireWritable(lease: number): void {
    if (this.state !== 'running') throw new Refused(409, 'attempt-closed', '', { state: this.state })
    if (this.isLocked) throw new Refused(409, 'attempt-locked', '', {})
    if (lease !== this.lease) throw new Refused(409, 'lease-taken', '', { lease: this.lease })
  }
}

export class MemoryVault implements Vault {
  kept = new Map<string, KeptAttempt>()
  held = new Map<number, SavedResponse>()
  forms = new Map<string, Form>()
  isBroken = false
  order: string[] = []

  async attempt(id: string): Promise<KeptAttempt | null> {
    return this.kept.get(id) ?? null
  }
  async keepAttempt(attempt: KeptAttempt): Promise<void> {
    if (this.isBroken) throw new Error('the disk is full')
    this.kept.set(attempt.attempt_id, structuredClone(attempt))
  }
  async responses(): Promise<readonly SavedResponse[]> {
    return [...this.held.values()]
  }
  async keepResponses(_id: string, responses: readonly SavedResponse[]): Promise<void> {
    if (this.isBroken) throw new Error('the disk is full')
    for (const response of responses) this.held.set(response.slot, response)
    this.order.push('written')
  }
  words: readonly SavedResponse[] = []
  keepLastWords(_id: string, responses: readonly SavedResponse[]): void {
    this.words = responses
  }
  lastWords(): readonly SavedResponse[] {
    return this.words
  }
  async form(hash: string): Promise<Form | null> {
    return this.forms.get(hash) ?? null
  }
  async keepForm(hash: string, kept: Form): Promise<void> {
    this.forms.set(hash, kept)
  }
  sealed = new Map<string, Bytes>()
  starts = new Map<string, SealedStart>()
  figures: string[] = []
  async probe(): Promise<void> {}
  async sealedPaper(hash: string): Promise<Bytes | null> {
    return this.sealed.get(hash) ?? null
  }
  async keepSealedPaper(hash: string, sealed: Bytes): Promise<void> {
    this.sealed.set(hash, sealed)
  }
  async sealedStart(id: string): Promise<SealedStart | null> {
    return this.starts.get(id) ?? null
  }
  async keepSealedStart(start: SealedStart): Promise<void> {
    this.starts.set(start.attempt_id, start)
  }
  async keepFigures(figures: readonly { path: string }[]): Promise<void> {
    this.figures.push(...figures.map(({ path }) => path))
  }
  async erase(): Promise<void> {
    this.kept.clear()
    this.held.clear()
    this.forms.clear()
  }
}

export function portsOf(server: ExamServer, vault: Vault): Ports {
  return { server, vault, counter: () => performance.now(), wall: () => Date.now(), chance: () => 0.5 }
}

/** Let time pass as the page does, with a tick every second. */
export async function passTime(ms: number, tick: () => void): Promise<void> {
  for (let left = ms; left > 0; left -= 1000) {
    await vi.advanceTimersByTimeAsync(Math.min(left, 1000))
    tick()
  }
  await vi.advanceTimersByTimeAsync(0)
}
