/** One attempt at this seat: keeps every change, sends it, follows the server's time. No DOM; all decisions lie in `core/`.
 *
 *   paper ──hand in──► handing-in ──accepted──► handed-in
 *     │  ▲                 │
 *     │  └─ time added ─┐  │ closed meanwhile
 *     ├──── time over ──► over ◄┘
 *     ├──── another seat writes ──► elsewhere ──take back──► paper
 *     └──── token refused ──► signed-out
 *
 * One request is under way at a time. After any gap the server is asked for its sequences again, so that whatever it
 * lacks, even what it once confirmed, is sent anew.
 */

import type {
  AttemptState,
  Candidate,
  ClientEvent,
  Envelope,
  EventKind,
  Notice,
  ResponseValue,
  SavedResponse,
  Submitted,
} from '../shared/api.ts'
import { normalise } from '../core/completeness.ts'
import { clampPosition } from '../core/navigation.ts'
import type { Marks } from '../core/palette.ts'
import type { Entry, Paper } from '../core/paper.ts'
import * as responses from '../core/responses.ts'
import { idleDelayMs, retryDelayMs } from '../core/retry.ts'
import { type SaveState, saveState } from '../core/save_state.ts'
import { readClock, remainingMs, type ServerClock, serverNow, warningDue } from '../core/timer.ts'
import { type ExamServer, Refused, Unreachable } from './server.ts'
import type { Vault } from './vault.ts'

export type Phase = 'paper' | 'handing-in' | 'handed-in' | 'over' | 'elsewhere' | 'signed-out'

/** What may have changed; a view listens to what it shows. */
export type Topic = 'responses' | 'remote' | 'save' | 'position' | 'marks' | 'notices' | 'phase' | 'time'

export interface Ports {
  readonly server: ExamServer
  readonly vault: Vault
  /** A counter that only rises; never the computer's clock. */
  readonly counter: () => number
  /** The computer's clock: a label on events, and a stopwatch across a reload without network. */
  readonly wall: () => number
  readonly chance: () => number
}

export interface Opening {
  readonly envelope: Envelope
  readonly paper: Paper
  readonly clientId: string
  readonly clock: ServerClock
  readonly book: responses.ResponseBook
  readonly position: number
  readonly marks: Marks
  readonly dismissed: ReadonlySet<number>
  readonly handingIn: boolean
  /** False when the attempt was opened from this computer alone, because the server could not be reached. */
  readonly isLinked: boolean
}

const COALESCE_MS = 60
const DRAFT_SILENCE_MS = 700
const DRAFT_LONGEST_MS = 4_000
const WRITE_PATIENCE_MS = 2_000
const EVENTS_KEPT = 100 // as many as one request may carry

interface Draft {
  readonly value: ResponseValue
  readonly sinceMs: number
}

export class ExamSession {
  readonly attemptId: string
  readonly candidate: Candidate
  readonly paper: Paper
  readonly paperCode: string
  readonly formHash: string

  readonly #ports: Ports
  readonly #listeners = new Map<Topic, Set<() => void>>()
  readonly #bySlot: ReadonlyMap<number, Entry>
  #clientId: string
  #envelope: Envelope
  #clock: ServerClock
  #phase: Phase = 'paper'
  #state: AttemptState
  #book: responses.ResponseBook
  #position: number
  #visited: Set<number>
  #flagged: Set<number>
  #notices: Notice[] = []
  #dismissed: Set<number>
  #deadlineMs: number
  #extraSeconds: number
  #lastLeftMs = Number.POSITIVE_INFINITY
  #warning: number | null = null
  #receipt: Submitted | null = null
  #handsIn: boolean

  #drafts = new Map<number, Draft>()
  #draftTimer: ReturnType<typeof setTimeout> | undefined
  #unwritten = new Map<number, SavedResponse>()
  #writing: Promise<void> = Promise.resolve()
  #isVaultBroken = false
  #refusedSlots = new Set<number>()
  #waitingSinceMs: number | null = null

  #isBusy = false
  #isStopped = false
  #mustCompare: boolean
  #oneByOne = false
  #failures = 0
  #retryAfterMs = 0
  #missingRounds = 0
  #timer: ReturnType<typeof setTimeout> | undefined
  #events: ClientEvent[] = []

  constructor(ports: Ports, opening: Opening) {
    const { envelope } = opening
    this.#ports = ports
    this.attemptId = envelope.attempt_id
    this.candidate = envelope.candidate
    this.paper = opening.paper
    this.paperCode = envelope.paper_code
    this.formHash = envelope.form_hash
    this.#bySlot = new Map(opening.paper.entries.map((entry) => [entry.slot, entry]))
    this.#clientId = opening.clientId
    this.#envelope = envelope
    this.#clock = opening.clock
    this.#state = envelope.state
    this.#book = opening.book
    this.#position = clampPosition(opening.position, opening.paper.entries.length)
    this.#visited = new Set(opening.marks.visited)
    this.#flagged = new Set(opening.marks.flagged)
    this.#dismissed = new Set(opening.dismissed)
    this.#deadlineMs = envelope.deadline_ms
    this.#extraSeconds = envelope.extra_seconds
    this.#handsIn = opening.handingIn
    this.#mustCompare = !opening.isLinked
    if (!opening.isLinked) this.#failures = 1
    this.#takeNotices(envelope.notices)
    if (opening.handingIn) this.#phase = 'handing-in'
    this.#settleState(envelope.state)
    this.#noteWaiting()
    this.#markVisited()
    this.#lastLeftMs = this.leftMs
  }

  // -- what the views read ------------------------------------------------------------------------------------------

  get phase(): Phase {
    return this.#phase
  }
  get position(): number {
    return this.#position
  }
  get entry(): Entry | undefined {
    return this.paper.entries[this.#position - 1]
  }
  get book(): responses.ResponseBook {
    return this.#book
  }
  get marks(): Marks {
    return { visited: this.#visited, flagged: this.#flagged }
  }
  get notices(): readonly Notice[] {
    return this.#notices.filter((notice) => !this.#dismissed.has(notice.id))
  }
  get extraSeconds(): number {
    return this.#extraSeconds
  }
  get receipt(): Submitted | null {
    return this.#receipt
  }
  get isReadOnly(): boolean {
    return this.#phase !== 'paper'
  }
  /** True when this browser cannot write to its own disk; answers then live on the server alone. */
  get isVaultBroken(): boolean {
    return this.#isVaultBroken
  }
  get isReachable(): boolean {
    return this.#failures === 0
  }
  get leftMs(): number {
    return remainingMs(this.#deadlineMs, this.#clock, this.#ports.counter())
  }
  get nowMs(): number {
    return serverNow(this.#clock, this.#ports.counter())
  }
  /** Minutes of the newest warning, until somebody took it. */
  takeWarning(): number | null {
    const warning = this.#warning
    this.#warning = null
    return warning
  }
  value(slot: number): ResponseValue {
    const draft = this.#drafts.get(slot)
    return draft === undefined ? responses.valueOf(this.#book, slot) : draft.value
  }
  isSaved(slot: number): boolean {
    return !this.#drafts.has(slot) && responses.isConfirmed(this.#book, slot)
  }
  /** Slots whose newest response the server would not take; they stay on the screen. */
  get refusedSlots(): ReadonlySet<number> {
    return this.#refusedSlots
  }
  /** Responses the server has not confirmed. */
  get unsaved(): number {
    return this.#waiting().length + this.#drafts.size
  }
  get saveState(): SaveState {
    const facts = { waiting: this.unsaved, failures: this.#failures, waitingSinceMs: this.#waitingSinceMs }
    return saveState(facts, this.#ports.counter())
  }

  on(topic: Topic, listener: () => void, signal: AbortSignal): void {
    let listeners = this.#listeners.get(topic)
    if (!listeners) this.#listeners.set(topic, (listeners = new Set()))
    listeners.add(listener)
    signal.addEventListener('abort', () => listeners.delete(listener))
  }

  // -- what the candidate does --------------------------------------------------------------------------------------

  answer(slot: number, value: ResponseValue): void {
    if (this.isReadOnly || this.leftMs === 0) return
    this.#drafts.delete(slot)
    const next = normalise(value)
    if (sameValue(next, responses.valueOf(this.#book, slot))) {
      this.#noteWaiting()
      this.#tell('responses', 'save')
      return
    }
    this.#book = responses.record(this.#book, slot, next, this.#ports.wall())
    this.#refusedSlots.delete(slot)
    const held = this.#book.held.get(slot)
    if (held) this.#unwritten.set(slot, held)
    this.#write()
    this.#noteWaiting()
    this.#tell('responses', 'save')
    this.#wake(COALESCE_MS)
  }

  /** For texts: noted at once on the screen, kept and sent when the typing pauses. */
  answerSoon(slot: number, value: ResponseValue): void {
    if (this.isReadOnly) return
    const before = this.#drafts.get(slot)
    const now = this.#ports.counter()
    const draft = { value, sinceMs: before?.sinceMs ?? now }
    this.#drafts.set(slot, draft)
    this.#noteWaiting()
    this.#tell('save')
    clearTimeout(this.#draftTimer)
    const wait = Math.min(DRAFT_SILENCE_MS, Math.max(0, draft.sinceMs + DRAFT_LONGEST_MS - now))
    this.#draftTimer = setTimeout(() => this.settleDrafts(), wait)
  }

  /** Make drafts responses now: on leaving the item, the page, or at the end. */
  settleDrafts(): void {
    clearTimeout(this.#draftTimer)
    for (const [slot, { value }] of [...this.#drafts]) this.answer(slot, value)
  }

  /** The page may go away any moment: what is still on its way to the disk is put where it arrives at once. */
  secure(): void {
    this.settleDrafts()
    this.#ports.vault.keepLastWords(this.attemptId, responses.pending(this.#book, Number.POSITIVE_INFINITY))
  }

  goTo(position: number): void {
    this.settleDrafts()
    this.#position = clampPosition(position, this.paper.entries.length)
    this.#markVisited()
    this.#keep()
    this.#tell('position', 'marks')
  }

  toggleFlag(slot: number): void {
    if (!this.#flagged.delete(slot)) this.#flagged.add(slot)
    this.#keep()
    this.#tell('marks')
  }

  dismiss(noticeId: number): void {
    this.#dismissed.add(noticeId)
    this.#keep()
    this.#tell('notices')
  }

  handIn(): void {
    if (this.#phase !== 'paper') return
    this.settleDrafts()
    this.#handsIn = true
    this.#keep()
    this.#setPhase('handing-in')
    this.#wake(0)
  }

  /** Continue here although another seat took the attempt over. */
  takeBack(clientId: string): void {
    if (this.#phase !== 'elsewhere') return
    this.#clientId = clientId
    this.#mustCompare = true
    this.#setPhase(this.#handsIn ? 'handing-in' : 'paper')
    this.#wake(0)
  }

  note(kind: EventKind, detail: ClientEvent['detail'] = {}): void {
    this.#events.push({ kind, client_time_ms: this.#ports.wall(), detail })
    this.#events.splice(0, this.#events.length - EVENTS_KEPT)
  }

  // -- time and network ---------------------------------------------------------------------------------------------

  begin(): void {
    this.#keep()
    this.#wake(this.#mustCompare ? 0 : COALESCE_MS)
  }

  stop(): void {
    this.settleDrafts()
    this.#isStopped = true
    clearTimeout(this.#timer)
    clearTimeout(this.#draftTimer)
  }

  /** Once a second, from the page. */
  tick(): void {
    const left = this.leftMs
    this.#warning = warningDue(this.#lastLeftMs, left) ?? this.#warning
    this.#lastLeftMs = left
    if (left === 0 && this.#phase === 'paper') {
      // What was typed in the last moment still counts as typed in time.
      for (const [slot, { value }] of this.#drafts) this.#book = this.#recordLate(slot, value)
      this.#drafts.clear()
      this.#write()
      this.#setPhase('over')
      this.#wake(0)
    }
    this.#tell('time', 'save')
  }

  /** The browser says the network is back, or the page woke up: do not wait for the next try. */
  nudge(): void {
    this.#retryAfterMs = 0
    this.#wake(0)
  }

  /** Everything this computer holds is on the server, or will never be taken. */
  get isSettled(): boolean {
    return this.unsaved === 0
  }

  #recordLate(slot: number, value: ResponseValue): responses.ResponseBook {
    const book = responses.record(this.#book, slot, normalise(value), this.#ports.wall())
    const held = book.held.get(slot)
    if (held) this.#unwritten.set(slot, held)
    return book
  }

  #wake(delayMs: number): void {
    if (this.#isStopped || this.#isBusy) return
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => void this.#turn(), delayMs)
  }

  async #turn(): Promise<void> {
    if (this.#isBusy || this.#isStopped) return
    this.#isBusy = true
    try {
      await this.#step()
      if (this.#failures > 0) {
        this.#failures = 0
        this.#tell('phase')
      }
    } catch (error) {
      this.#fail(error)
    } finally {
      this.#isBusy = false
    }
    this.#noteWaiting()
    this.#tell('save')
    this.#wake(this.#nextDelayMs())
  }

  /** The one thing to do now, most urgent first. */
  async #step(): Promise<void> {
    if (this.#phase === 'handed-in' || this.#phase === 'elsewhere' || this.#phase === 'signed-out') return
    if (this.#mustCompare) return this.#compare()
    if (this.#waiting().length > 0) await this.#send()
    else if (this.#phase === 'handing-in') await this.#submit()
    else await this.#askTime()
    await this.#sendEvents()
  }

  #nextDelayMs(): number {
    const { chance } = this.#ports
    if (this.#failures > 0) return retryDelayMs(this.#failures, chance(), this.#retryAfterMs)
    if (this.#phase === 'handing-in' || this.#mustCompare) return 0
    if (this.#waiting().length > 0 && (this.#phase === 'paper' || this.#phase === 'over')) return COALESCE_MS
    return idleDelayMs(chance())
  }

  async #compare(): Promise<void> {
    await this.#written()
    const { server, counter } = this.#ports
    const sent = counter()
    const envelope = await server.start(this.attemptId, this.#clientId)
    this.#clock = readClock(this.#clock, envelope.server_time_ms, sent, counter())
    const held = this.#book.held
    this.#envelope = envelope
    this.#book = responses.reconcile(this.#book, envelope.responses, envelope.lease)
    const fromServer = [...this.#book.held.values()].filter((response) => held.get(response.slot) !== response)
    for (const response of fromServer) this.#unwritten.set(response.slot, response)
    this.#write()
    this.#mustCompare = false
    this.#extraSeconds = envelope.extra_seconds
    this.#deadlineMs = envelope.deadline_ms
    this.#takeNotices(envelope.notices)
    this.#settleState(envelope.state)
    this.#keep()
    if (fromServer.length > 0) this.#tell('remote')
    this.#tell('responses', 'notices', 'time')
  }

  async #send(): Promise<void> {
    await this.#written()
    const batch = this.#waiting().slice(0, this.#oneByOne ? 1 : undefined)
    const { server, counter } = this.#ports
    const sent = counter()
    const reply = await server.save(this.attemptId, { lease: this.#envelope.lease, responses: batch, after: this.#newestNotice })
    this.#book = responses.confirm(this.#book, reply.saved)
    this.#oneByOne = this.#oneByOne && this.#waiting().length > 0
    this.#takeTime(reply, sent, counter())
    this.#tell('responses')
  }

  async #submit(): Promise<void> {
    const held = Object.entries(responses.sequences(this.#book)).filter(([slot]) => !this.#refusedSlots.has(Number(slot)))
    const request = { lease: this.#envelope.lease, sequences: Object.fromEntries(held) }
    this.#receipt = await this.#ports.server.submit(this.attemptId, request)
    this.#setPhase('handed-in')
  }

  async #askTime(): Promise<void> {
    const { server, counter } = this.#ports
    const sent = counter()
    this.#takeTime(await server.time(this.attemptId, this.#newestNotice), sent, counter())
  }

  async #sendEvents(): Promise<void> {
    if (this.#events.length === 0) return
    const events = this.#events
    this.#events = []
    // Best effort: a lost event is no reason to trouble a candidate.
    await this.#ports.server.report(this.attemptId, events).catch(() => this.#events.unshift(...events))
  }

  #takeTime(reply: { server_time_ms: number; deadline_ms: number; state: AttemptState; notices: readonly Notice[] }, sent: number, received: number): void {
    this.#clock = readClock(this.#clock, reply.server_time_ms, sent, received)
    if (reply.deadline_ms > this.#deadlineMs) this.#extraSeconds += Math.round((reply.deadline_ms - this.#deadlineMs) / 1000)
    this.#deadlineMs = reply.deadline_ms
    this.#takeNotices(reply.notices)
    this.#settleState(reply.state)
    this.#tell('time')
  }

  #takeNotices(notices: readonly Notice[]): void {
    const known = new Set(this.#notices.map((notice) => notice.id))
    const fresh = notices.filter((notice) => !known.has(notice.id))
    if (fresh.length === 0) return
    this.#notices = [...this.#notices, ...fresh].sort((a, b) => a.id - b.id)
    this.#tell('notices')
  }

  get #newestNotice(): number {
    return this.#notices.reduce((highest, notice) => Math.max(highest, notice.id), 0)
  }

  /** Follow the server's word on the attempt; added time brings a paper back that time had closed. */
  #settleState(state: AttemptState): void {
    this.#state = state
    if (state === 'submitted') this.#setPhase('handed-in')
    else if (state === 'closed') this.#setPhase('over')
    else if (state === 'running' && this.#phase === 'over' && this.leftMs > 0) {
      this.#setPhase(this.#handsIn ? 'handing-in' : 'paper')
    }
  }

  #fail(error: unknown): void {
    if (error instanceof Refused) {
      this.#refuse(error)
      return
    }
    this.#failures += 1
    this.#retryAfterMs = error instanceof Unreachable ? error.retryAfterMs : 0
    this.#mustCompare = true
    this.#tell('phase')
  }

  #refuse(error: Refused): void {
    switch (error.code) {
      case 'lease-taken':
        this.#failures = 0
        this.#setPhase('elsewhere')
        return
      case 'attempt-closed':
      case 'time-over':
        this.#settleState(error.facts['state'] === 'submitted' ? 'submitted' : 'closed')
        // Not again until somebody adds time: the idle question goes on and brings the news.
        this.#mustCompare = false
        this.#failures = 0
        return
      case 'responses-missing': {
        const missing = error.facts['missing']
        const slots = Array.isArray(missing) ? missing.filter((slot) => typeof slot === 'number') : []
        this.#book = responses.forget(this.#book, slots)
        this.#missingRounds += 1
        if (this.#missingRounds > 1) this.#failures += 1 // sent again and still missing: slower, and with a fresh comparison
        return
      }
      case 'unknown-slot':
      case 'response-invalid':
        this.#refuseSlot(error.facts['slot'])
        return
      case 'not-started':
        this.#mustCompare = true // a server started empty: starting again brings the attempt back
        this.#failures += 1
        return
      default:
        if (error.status === 401) this.#setPhase('signed-out')
        else {
          this.#failures += 1
          this.#mustCompare = true
        }
    }
  }

  #refuseSlot(slot: unknown): void {
    const waiting = this.#waiting()
    const named = typeof slot === 'number' ? slot : waiting.length === 1 || this.#oneByOne ? waiting[0]?.slot : undefined
    if (named === undefined) this.#oneByOne = true // find the one that does not fit
    else {
      this.#refusedSlots.add(named)
      this.#tell('responses')
    }
  }

  /** How many answers never reached the server before it closed the attempt. */
  get lost(): number {
    return this.#state === 'closed' ? this.#unconfirmed().length : 0
  }

  #unconfirmed(): readonly SavedResponse[] {
    return responses.pending(this.#book).filter((response) => !this.#refusedSlots.has(response.slot))
  }

  /** What is to be sent; a closed attempt takes nothing, so nothing waits. */
  #waiting(): readonly SavedResponse[] {
    return this.#state === 'closed' || this.#state === 'submitted' ? [] : this.#unconfirmed()
  }

  #noteWaiting(): void {
    if (this.unsaved === 0) this.#waitingSinceMs = null
    else this.#waitingSinceMs ??= this.#ports.counter()
  }

  // -- this computer ------------------------------------------------------------------------------------------------

  #markVisited(): void {
    const entry = this.entry
    if (entry && this.#bySlot.has(entry.slot)) this.#visited.add(entry.slot)
  }

  /** One write after another; each takes everything that changed since the last. */
  #write(): void {
    this.#writing = this.#writing.then(async () => {
      if (this.#unwritten.size === 0) return
      const batch = [...this.#unwritten.values()]
      this.#unwritten.clear()
      await this.#guardVault(this.#ports.vault.keepResponses(this.attemptId, batch))
    })
  }

  async #written(): Promise<void> {
    // A disk that hangs must not keep answers from the server.
    await Promise.race([this.#writing, new Promise((resolve) => setTimeout(resolve, WRITE_PATIENCE_MS))])
  }

  #keep(): void {
    const kept = {
      attempt_id: this.attemptId,
      envelope: { ...this.#envelope, deadline_ms: this.#deadlineMs, extra_seconds: this.#extraSeconds, responses: [], notices: this.#notices },
      position: this.#position,
      visited: [...this.#visited],
      flagged: [...this.#flagged],
      dismissed: [...this.#dismissed],
      handing_in: this.#handsIn,
      wall_offset_ms: this.nowMs - this.#ports.wall(),
    }
    void this.#guardVault(this.#ports.vault.keepAttempt(kept))
  }

  async #guardVault(write: Promise<void>): Promise<void> {
    try {
      await write
      if (this.#isVaultBroken) {
        this.#isVaultBroken = false
        this.#tell('phase')
      }
    } catch {
      // Said on the screen; the server still gets everything.
      if (!this.#isVaultBroken) {
        this.#isVaultBroken = true
        this.#tell('phase')
      }
    }
  }

  #setPhase(phase: Phase): void {
    if (this.#phase === phase) return
    this.#phase = phase
    this.#tell('phase')
  }

  #tell(...topics: readonly Topic[]): void {
    for (const topic of topics) for (const listener of [...(this.#listeners.get(topic) ?? [])]) listener()
  }
}

function sameValue(a: ResponseValue, b: ResponseValue): boolean {
  return a === b || JSON.stringify(a) === JSON.stringify(b)
}
