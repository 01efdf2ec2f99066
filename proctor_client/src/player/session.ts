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

import type { AttemptState, Candidate, Envelope, EventKind, Notice } from '../shared/api.ts'
import type { ResponseValue, SavedResponse, Submitted, TimeReply } from '../shared/api.ts'
import { normalise } from '../core/completeness.ts'
import type { Marks } from '../core/palette.ts'
import type { Entry, Paper } from '../core/paper.ts'
import type { ResponseBook } from '../core/responses.ts'
import { idleDelayMs } from '../core/retry.ts'
import { type SaveState, saveState } from '../core/save_state.ts'
import { AnswerSheet } from './answer_sheet.ts'
import { AttemptClock } from './attempt_clock.ts'
import { Drafts } from './drafts.ts'
import { type EventDetail, EventLog } from './event_log.ts'
import { Keeper } from './keeper.ts'
import { Link, type LinkPlan } from './link.ts'
import { NoticeBox } from './notice_box.ts'
import type { Refused } from './server.ts'
import type { Opening, Phase, Ports, Topic } from './ports.ts'
import { SeatMarks } from './seat_marks.ts'
import { Topics } from './topics.ts'

const COALESCE_MS = 60

export class ExamSession {
  readonly attemptId: string
  readonly candidate: Candidate
  readonly paper: Paper
  readonly paperCode: string
  readonly formHash: string

  readonly #ports: Ports
  readonly #topics = new Topics<Topic>()
  readonly #sheet: AnswerSheet
  readonly #notices: NoticeBox
  readonly #marks: SeatMarks
  readonly #clock: AttemptClock
  readonly #drafts: Drafts
  readonly #keeper: Keeper
  readonly #link: Link
  #clientId: string
  #envelope: Envelope
  #phase: Phase = 'paper'
  #state: AttemptState
  #receipt: Submitted | null = null
  #handsIn: boolean
  #waitingSinceMs: number | null = null
  #mustCompare: boolean
  #missingRounds = 0
  readonly #events = new EventLog()

  constructor(ports: Ports, opening: Opening) {
    const { envelope } = opening
    this.#ports = ports
    this.attemptId = envelope.attempt_id
    this.candidate = envelope.candidate
    this.paper = opening.paper
    this.paperCode = envelope.paper_code
    this.formHash = envelope.form_hash
    this.#sheet = new AnswerSheet(opening.book)
    this.#notices = new NoticeBox(opening.dismissed)
    this.#marks = new SeatMarks(opening.paper, opening.position, opening.marks)
    this.#clock = new AttemptClock(ports.counter, opening.clock, envelope.deadline_ms, envelope.extra_seconds)
    this.#drafts = new Drafts(ports.counter, () => this.settleDrafts())
    this.#keeper = new Keeper(ports.vault, this.attemptId, () => this.#topics.tell('phase'))
    this.#link = new Link(this.#plan(), ports.chance, opening.isLinked)
    this.#clientId = opening.clientId
    this.#envelope = envelope
    this.#state = envelope.state
    this.#handsIn = opening.handingIn
    this.#mustCompare = !opening.isLinked
    this.#takeNotices(envelope.notices)
    if (opening.handingIn) this.#phase = 'handing-in'
    this.#settleState(envelope.state)
    this.#noteWaiting()
  }

  // -- what the views read ------------------------------------------------------------------------------------------

  get phase(): Phase {
    return this.#phase
  }
  get position(): number {
    return this.#marks.position
  }
  get entry(): Entry | undefined {
    return this.#marks.entry
  }
  get book(): ResponseBook {
    return this.#sheet.book
  }
  get marks(): Marks {
    return this.#marks
  }
  get notices(): readonly Notice[] {
    return this.#notices.shown
  }
  get extraSeconds(): number {
    return this.#clock.extraSeconds
  }
  get receipt(): Submitted | null {
    return this.#receipt
  }
  get isReadOnly(): boolean {
    return this.#phase !== 'paper'
  }
  get isVaultBroken(): boolean {
    return this.#keeper.isBroken
  }
  get isReachable(): boolean {
    return this.#link.failures === 0
  }
  get leftMs(): number {
    return this.#clock.leftMs
  }
  get nowMs(): number {
    return this.#clock.nowMs
  }
  /** Minutes of the newest warning, until somebody took it. */
  takeWarning(): number | null {
    return this.#clock.takeWarning()
  }
  value(slot: number): ResponseValue {
    const draft = this.#drafts.value(slot)
    return draft === undefined ? this.#sheet.value(slot) : draft
  }
  isSaved(slot: number): boolean {
    return !this.#drafts.has(slot) && this.#sheet.isConfirmed(slot)
  }
  /** Slots whose newest response the server would not take; they stay on the screen. */
  get refusedSlots(): ReadonlySet<number> {
    return this.#sheet.refused
  }
  /** Responses the server has not confirmed. */
  get unsaved(): number {
    return this.#waiting().length + this.#drafts.size
  }
  get saveState(): SaveState {
    const facts = { waiting: this.unsaved, failures: this.#link.failures, waitingSinceMs: this.#waitingSinceMs }
    return saveState(facts, this.#ports.counter())
  }

  on(topic: Topic, listener: () => void, signal: AbortSignal): void {
    this.#topics.on(topic, listener, signal)
  }

  // -- what the candidate does --------------------------------------------------------------------------------------

  answer(slot: number, value: ResponseValue): void {
    if (this.isReadOnly || this.leftMs === 0) return
    this.#drafts.drop(slot)
    const next = normalise(value)
    if (!sameValue(next, this.#sheet.value(slot))) {
      this.#record(slot, next)
      this.#link.wake(COALESCE_MS)
    }
    this.#noteWaiting()
    this.#topics.tell('responses', 'save')
  }

  /** For texts: noted at once on the screen, kept and sent when the typing pauses. */
  answerSoon(slot: number, value: ResponseValue): void {
    if (this.isReadOnly) return
    this.#drafts.hold(slot, value)
    this.#noteWaiting()
    this.#topics.tell('save')
  }

  /** Make drafts responses now: on leaving the item, the page, or at the end. */
  settleDrafts(): void {
    for (const [slot, value] of this.#drafts.take()) this.answer(slot, value)
  }

  /** The page may go away any moment: what is still on its way to the disk is put where it arrives at once. */
  secure(): void {
    this.settleDrafts()
    this.#keeper.keepLastWords(this.#sheet.unconfirmed())
  }

  goTo(position: number): void {
    this.settleDrafts()
    this.#marks.goTo(position)
    this.#keep()
    this.#topics.tell('position', 'marks')
  }

  toggleFlag(slot: number): void {
    this.#marks.toggleFlag(slot)
    this.#keep()
    this.#topics.tell('marks')
  }

  dismiss(noticeId: number): void {
    this.#notices.dismiss(noticeId)
    this.#keep()
    this.#topics.tell('notices')
  }

  handIn(): void {
    if (this.#phase !== 'paper') return
    this.settleDrafts()
    this.#handsIn = true
    this.#keep()
    this.#setPhase('handing-in')
    this.#link.wake(0)
  }

  /** Continue here although another seat took the attempt over. */
  takeBack(clientId: string): void {
    if (this.#phase !== 'elsewhere') return
    this.#clientId = clientId
    this.#mustCompare = true
    this.#setPhase(this.#handsIn ? 'handing-in' : 'paper')
    this.#link.wake(0)
  }

  note(kind: EventKind, detail: EventDetail = {}): void {
    this.#events.note(kind, this.#ports.wall(), detail)
  }

  // -- time and network ---------------------------------------------------------------------------------------------

  begin(): void {
    this.#keep()
    this.#link.wake(this.#mustCompare ? 0 : COALESCE_MS)
  }

  stop(): void {
    this.settleDrafts()
    this.#link.stop()
  }

  /** Once a second, from the page. */
  tick(): void {
    this.#clock.tick()
    if (this.leftMs === 0 && this.#phase === 'paper') {
      // What was typed in the last moment still counts as typed in time.
      for (const [slot, value] of this.#drafts.take()) this.#record(slot, normalise(value))
      this.#setPhase('over')
      this.#link.wake(0)
    }
    this.#topics.tell('time', 'save')
  }

  /** The browser says the network is back, or the page woke up: do not wait for the next try. */
  nudge(): void {
    this.#link.nudge()
  }

  /** Everything this computer holds is on the server, or will never be taken. */
  get isSettled(): boolean {
    return this.unsaved === 0
  }

  #record(slot: number, value: ResponseValue): void {
    const held = this.#sheet.record(slot, value, this.#ports.wall())
    if (held) this.#keeper.write([held])
  }

  #plan(): LinkPlan {
    return {
      step: () => this.#step(),
      refused: (error) => this.#refuse(error),
      lost: () => {
        this.#mustCompare = true
        this.#topics.tell('phase')
      },
      found: () => this.#topics.tell('phase'),
      turned: () => {
        this.#noteWaiting()
        this.#topics.tell('save')
      },
      pauseMs: () => this.#pauseMs(),
    }
  }

  /** The one thing to do now, most urgent first. */
  async #step(): Promise<void> {
    if (this.#phase === 'handed-in' || this.#phase === 'elsewhere' || this.#phase === 'signed-out') return
    if (this.#mustCompare) return this.#compare()
    if (this.#waiting().length > 0) await this.#send()
    else if (this.#phase === 'handing-in') await this.#submit()
    else await this.#askTime()
    await this.#events.send((events) => this.#ports.server.report(this.attemptId, events))
  }

  #pauseMs(): number {
    if (this.#phase === 'handing-in' || this.#mustCompare) return 0
    if (this.#waiting().length > 0 && (this.#phase === 'paper' || this.#phase === 'over')) return COALESCE_MS
    return idleDelayMs(this.#ports.chance())
  }

  async #compare(): Promise<void> {
    await this.#keeper.written()
    const { server, counter } = this.#ports
    const sent = counter()
    const envelope = await server.start(this.attemptId, this.#clientId)
    this.#clock.follow(envelope.server_time_ms, envelope.deadline_ms, sent)
    this.#clock.restate(envelope.extra_seconds)
    this.#envelope = envelope
    const fromServer = this.#sheet.reconcile(envelope.responses, envelope.lease)
    this.#keeper.write(fromServer)
    this.#mustCompare = false
    this.#takeNotices(envelope.notices)
    this.#settleState(envelope.state)
    this.#keep()
    if (fromServer.length > 0) this.#topics.tell('remote')
    this.#topics.tell('responses', 'notices', 'time')
  }

  async #send(): Promise<void> {
    await this.#keeper.written()
    const batch = this.#sheet.batch()
    const { server, counter } = this.#ports
    const sent = counter()
    const reply = await server.save(this.attemptId, { lease: this.#envelope.lease, responses: batch, after: this.#notices.newest })
    this.#sheet.confirm(reply.saved)
    this.#takeTime(reply, sent)
    this.#topics.tell('responses')
  }

  async #submit(): Promise<void> {
    const request = { lease: this.#envelope.lease, sequences: this.#sheet.sequences() }
    this.#receipt = await this.#ports.server.submit(this.attemptId, request)
    this.#setPhase('handed-in')
  }

  async #askTime(): Promise<void> {
    const { server, counter } = this.#ports
    const sent = counter()
    this.#takeTime(await server.time(this.attemptId, this.#notices.newest), sent)
  }

  #takeTime(reply: TimeReply, sentMs: number): void {
    this.#clock.follow(reply.server_time_ms, reply.deadline_ms, sentMs)
    this.#takeNotices(reply.notices)
    this.#settleState(reply.state)
    this.#topics.tell('time')
  }

  #takeNotices(notices: readonly Notice[]): void {
    if (this.#notices.take(notices)) this.#topics.tell('notices')
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

  #refuse(error: Refused): void {
    switch (error.code) {
      case 'lease-taken':
        this.#link.settle()
        this.#setPhase('elsewhere')
        return
      case 'attempt-closed':
      case 'time-over':
        this.#settleState(error.facts['state'] === 'submitted' ? 'submitted' : 'closed')
        // Not again until somebody adds time: the idle question goes on and brings the news.
        this.#mustCompare = false
        this.#link.settle()
        return
      case 'responses-missing': {
        const missing = error.facts['missing']
        const slots = Array.isArray(missing) ? missing.filter((slot) => typeof slot === 'number') : []
        this.#sheet.forget(slots)
        this.#missingRounds += 1
        if (this.#missingRounds > 1) this.#link.slowDown() // sent again and still missing: slower, and with a fresh comparison
        return
      }
      case 'unknown-slot':
      case 'response-invalid':
        this.#sheet.refuse(typeof error.facts['slot'] === 'number' ? error.facts['slot'] : null)
        this.#topics.tell('responses')
        return
      case 'not-started':
        this.#mustCompare = true // a server started empty: starting again brings the attempt back
        this.#link.slowDown()
        return
      default:
        if (error.status === 401) this.#setPhase('signed-out')
        else {
          this.#link.slowDown()
          this.#mustCompare = true
        }
    }
  }

  /** How many answers never reached the server before it closed the attempt. */
  get lost(): number {
    return this.#state === 'closed' ? this.#sheet.unconfirmed().length : 0
  }

  /** What is to be sent; a closed attempt takes nothing, so nothing waits. */
  #waiting(): readonly SavedResponse[] {
    return this.#state === 'closed' || this.#state === 'submitted' ? [] : this.#sheet.unconfirmed()
  }

  #noteWaiting(): void {
    if (this.unsaved === 0) this.#waitingSinceMs = null
    else this.#waitingSinceMs ??= this.#ports.counter()
  }

  // -- this computer ------------------------------------------------------------------------------------------------

  #keep(): void {
    const kept = {
      attempt_id: this.attemptId,
      envelope: { ...this.#envelope, deadline_ms: this.#clock.deadlineMs, extra_seconds: this.#clock.extraSeconds, responses: [], notices: this.#notices.all },
      position: this.#marks.position,
      visited: [...this.#marks.visited],
      flagged: [...this.#marks.flagged],
      dismissed: this.#notices.dismissed,
      handing_in: this.#handsIn,
      wall_offset_ms: this.nowMs - this.#ports.wall(),
    }
    this.#keeper.keep(kept)
  }

  #setPhase(phase: Phase): void {
    if (this.#phase === phase) return
    this.#phase = phase
    this.#topics.tell('phase')
  }
}

function sameValue(a: ResponseValue, b: ResponseValue): boolean {
  return a === b || JSON.stringify(a) === JSON.stringify(b)
}
