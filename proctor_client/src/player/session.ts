/** One attempt at this seat: keeps every change, sends it, follows the server's time. No DOM; all decisions lie in `core/`.
 *
 * Where it stands is `core/phase.ts`. One request is under way at a time. After any gap the server is asked for its
 * sequences again, so that whatever it lacks, even what it once confirmed, is sent anew.
 */

import type { Candidate, EventKind, Notice, ResponseValue, SavedResponse, Submitted } from '../shared/api.ts'
import { normalise, sameValue } from '../core/completeness.ts'
import type { Paper } from '../core/paper.ts'
import { hasEnded, isWaitingForPeople, maySend, type Phase, phaseOf, type Standing } from '../core/phase.ts'
import type { ResponseBook } from '../core/responses.ts'
import { askingDelayMs, idleDelayMs } from '../core/retry.ts'
import { type SaveState, saveState } from '../core/save_state.ts'
import { verdictOf } from '../core/verdicts.ts'
import { AnswerSheet } from './answer_sheet.ts'
import { AttemptClock } from './attempt_clock.ts'
import { Custody } from './custody.ts'
import { Dialogue } from './dialogue.ts'
import { Drafts } from './drafts.ts'
import { type EventDetail, EventLog } from './event_log.ts'
import { Keeper } from './keeper.ts'
import { Link, type LinkPlan } from './link.ts'
import { NoticeBox } from './notice_box.ts'
import type { Refused } from './server.ts'
import type { Opening, Ports, Topic } from './ports.ts'
import { SeatMarks } from './seat_marks.ts'
import { Topics } from './topics.ts'

const COALESCE_MS = 60
/** How often a seat asks what came through of a paper that is about to be closed. */
const CLOSING_PATIENCE = 3

export class ExamSession {
  readonly attemptId: string
  readonly sittingId: string
  readonly candidate: Candidate
  readonly paper: Paper
  readonly paperCode: string
  readonly formHash: string
  /** Where the candidate is, what was looked at, what is flagged. */
  readonly marks: SeatMarks
  readonly clock: AttemptClock

  readonly #ports: Ports
  readonly #topics = new Topics<Topic>()
  readonly #sheet: AnswerSheet
  readonly #notices: NoticeBox
  readonly #drafts: Drafts
  readonly #keeper: Keeper
  readonly #link: Link
  readonly #dialogue: Dialogue
  readonly #custody = new Custody()
  readonly #events = new EventLog()
  #phase: Phase = 'paper'
  #standing: Standing
  #isSignedOut = false
  #receipt: Submitted | null = null
  #handsIn: boolean
  #waitingSinceMs: number | null = null
  #mustCompare: boolean
  /** The attempt has ended, and which of our answers the server has is not known. */
  #mustCheck: boolean
  #missingRounds = 0

  constructor(ports: Ports, opening: Opening) {
    const { envelope } = opening
    this.#ports = ports
    this.attemptId = envelope.attempt_id
    this.sittingId = opening.sittingId
    this.candidate = envelope.candidate
    this.paper = opening.paper
    this.paperCode = envelope.paper_code
    this.formHash = envelope.form_hash
    this.#sheet = new AnswerSheet(opening.book)
    this.#notices = new NoticeBox(opening.dismissed)
    this.marks = new SeatMarks(opening.paper, opening.position, opening.marks)
    this.clock = new AttemptClock(ports.counter, opening.clock, envelope.deadline_ms, envelope.extra_seconds)
    this.#drafts = new Drafts(ports.counter, () => this.settleDrafts())
    this.#keeper = new Keeper(ports.vault, this.attemptId, (error) => this.#noteDisk(error))
    this.#link = new Link(this.#plan(), ports.counter, ports.chance, opening.isLinked)
    const voices = { sheet: this.#sheet, notices: this.#notices, clock: this.clock, keeper: this.#keeper, onNotices: () => this.#topics.tell('notices') }
    this.#dialogue = new Dialogue(ports, voices, envelope, opening.clientId, opening.claim)
    this.#standing = this.#dialogue.standing
    this.#handsIn = opening.handingIn
    this.#mustCompare = this.#mustCheck = !opening.isLinked
    this.#settle(this.#standing)
    this.#noteWaiting()
  }

  // -- what the views read ------------------------------------------------------------------------------------------

  get phase(): Phase {
    return this.#phase
  }
  get book(): ResponseBook {
    return this.#sheet.book
  }
  get notices(): readonly Notice[] {
    return this.#notices.shown
  }
  get receipt(): Submitted | null {
    return this.#receipt
  }
  /** The paper is in, and both stores of the server have it: nothing depends on this computer any more. */
  get isStored(): boolean {
    return this.#custody.isOver
  }
  get isReadOnly(): boolean {
    return this.#phase !== 'paper'
  }
  /** Another seat writes, and this one waits for the invigilator to let it in. */
  get isApplying(): boolean {
    return this.#dialogue.isApplying
  }
  /** The server seals: answers can be handed over as a file. */
  get hasKeys(): boolean {
    return Boolean(this.#dialogue.envelope.seat_key && this.#dialogue.envelope.hand_over_key)
  }
  get isVaultBroken(): boolean {
    return this.#keeper.isBroken
  }
  get isReachable(): boolean {
    return this.#link.failures === 0
  }
  get leftMs(): number {
    return this.clock.leftMs
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
  get unsaved(): number {
    return this.#waiting().length + this.#drafts.size
  }
  get unsavedMs(): number {
    return this.#waitingSinceMs === null ? 0 : this.#ports.counter() - this.#waitingSinceMs
  }
  /** How many answers reached the server after it had closed the attempt: it keeps them as evidence. */
  get late(): number {
    return this.#standing.state === 'closed' && this.#waiting().length === 0 ? this.#sheet.unconfirmed().length : 0
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
    this.#record(slot, value)
    this.#noteWaiting()
    this.#topics.tell('responses', 'save')
  }

  /** For texts: noted at once on the screen, kept and sent when the typing pauses. */
  answerSoon(slot: number, value: ResponseValue): void {
    if (this.isReadOnly || this.leftMs === 0) return
    this.#drafts.hold(slot, value)
    this.#noteWaiting()
    this.#topics.tell('save')
  }

  /** Make drafts responses now: on leaving the item, the page, or at the end. */
  settleDrafts(): void {
    if (this.#drafts.size === 0) return
    // Typed in time, though the clock may have reached the end before this came to be noted.
    for (const [slot, value] of this.#drafts.take()) if (this.#phase === 'paper') this.#record(slot, value)
    this.#noteWaiting()
    this.#topics.tell('responses', 'save')
  }

  /** The page may go away any moment: what is still on its way to the disk is put where it arrives at once. */
  secure(): void {
    this.settleDrafts()
    if (this.#phase !== 'handed-in') this.#keeper.keepLastWords(this.#sheet.unconfirmed())
  }

  goTo(position: number): void {
    this.settleDrafts()
    this.marks.goTo(position)
    this.#keep()
    this.#topics.tell('position', 'marks')
  }

  toggleFlag(slot: number): void {
    this.marks.toggleFlag(slot)
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
    this.#settle(this.#standing)
    this.#link.wake(0)
  }

  /** Continue here although another seat took the attempt over. */
  takeBack(clientId: string): void {
    if (this.#phase !== 'elsewhere') return
    this.#dialogue.useClient(clientId)
    this.#mustCompare = true
    this.#link.wake(0)
  }

  /** Somebody fetched the receipt: views may show it. */
  tellReceipt(): void {
    this.#topics.tell('receipt')
  }

  note(kind: EventKind, detail: EventDetail = {}): void {
    this.#events.note(kind, this.#ports.wall(), detail)
  }

  /** Every answer of this seat as a file only the server can read; null where this browser or server cannot seal. */
  handOver(): Promise<string | null> {
    this.settleDrafts()
    return this.#dialogue.handOver(this.sittingId)
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
    this.clock.tick()
    if (this.leftMs === 0 && this.#phase === 'paper') {
      this.#settle(this.#standing)
      this.#link.wake(0)
    }
    this.#topics.tell('time', 'save')
  }

  /** The browser says the network is back, or the page woke up: do not wait for the next try. */
  nudge(): void {
    this.#link.nudge()
  }

  #record(slot: number, value: ResponseValue): void {
    const next = normalise(value)
    if (sameValue(next, this.#sheet.value(slot))) return
    const held = this.#sheet.record(slot, next, this.#ports.wall())
    if (held) this.#keeper.write([held])
    this.#link.wake(COALESCE_MS)
  }

  #plan(): LinkPlan {
    return {
      step: () => this.#step(),
      refused: (error) => this.#refuse(error),
      lost: () => {
        this.#mustCompare ||= this.#phase !== 'handed-in'
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

  async #step(): Promise<void> {
    if (this.#phase === 'signed-out') return
    if (this.#phase === 'handing-in') await this.#events.send(this.#ports.server, this.attemptId) // while people still look
    await this.#ask()
    await this.#events.send(this.#ports.server, this.attemptId)
  }

  /** The one thing to do now, most urgent first. */
  async #ask(): Promise<void> {
    const phase = this.#phase
    const waiting = maySend(phase) ? this.#waiting() : []
    if (this.isStored && waiting.length === 0) return
    if (phase === 'handed-in' && (this.#mustCheck || waiting.length === 0)) return this.#askStored()
    if (this.#mustCompare || this.#dialogue.mustStart(hasEnded(this.#standing))) return this.#compare()
    if (hasEnded(this.#standing) && this.#mustCheck) await this.#askStored()
    else if (waiting.length > 0) {
      this.#settle(await this.#dialogue.send(waiting))
      this.#topics.tell('responses')
    } else if (phase === 'handing-in') await this.#submit()
    else this.#settle(await this.#dialogue.askTime())
    this.#topics.tell('time')
  }

  #pauseMs(): number {
    const phase = this.#phase
    const chance = this.#ports.chance()
    const owes = maySend(phase) && this.#waiting().length > 0
    if (phase === 'handed-in') return owes ? COALESCE_MS : this.#custody.pauseMs(chance)
    if (phase === 'elsewhere') return askingDelayMs(chance)
    if (phase === 'handing-in' || this.#mustCompare || this.#dialogue.isForgotten) return 0
    if (owes) return COALESCE_MS
    return isWaitingForPeople(phase) ? askingDelayMs(chance) : idleDelayMs(chance)
  }

  async #compare(): Promise<void> {
    const { standing, isNews } = await this.#dialogue.compare()
    this.#mustCompare = this.#mustCheck = false
    this.#settle(standing)
    this.#keep()
    if (isNews) this.#topics.tell('remote')
    this.#topics.tell('responses', 'time')
  }

  async #submit(): Promise<void> {
    this.#receipt = await this.#dialogue.submit()
    this.#settle({ ...this.#standing, state: 'submitted' })
  }

  async #askStored(): Promise<void> {
    const state = await this.#custody.ask(this.#ports.server, this.attemptId, this.#sheet)
    this.#mustCheck = false
    this.#settle({ ...this.#standing, state })
    if (this.isStored) this.#topics.tell('receipt')
  }

  /** Follow the server's word on the attempt; added time brings a paper back that time had closed. */
  #settle(standing: Standing): void {
    this.#standing = standing
    this.clock.hold(standing.isPaused && standing.state === 'running')
    const phase = phaseOf({ ...standing, isSignedOut: this.#isSignedOut, handsIn: this.#handsIn, leftMs: this.leftMs })
    if (phase === this.#phase) return
    this.settleDrafts()
    this.#phase = phase
    this.#topics.tell('phase')
  }

  #refuse(error: Refused): void {
    const verdict = verdictOf(error)
    switch (verdict.is) {
      case 'elsewhere':
        this.#link.settle()
        if (this.#dialogue.lose(verdict.lease)) this.#settle({ ...this.#standing, isMine: false })
        return
      case 'locked':
        this.#link.settle()
        this.#settle({ ...this.#standing, isLocked: true })
        return
      case 'ended':
        // Not again until somebody adds time: the idle question goes on and brings the news. What was not confirmed is
        // sent once more, for the record; after a gap the server is asked first which of it came through.
        this.#mustCheck ||= this.#mustCompare || this.#dialogue.isForgotten
        this.#mustCompare = false
        this.#dialogue.startNoMore()
        this.#link.settle()
        this.#settle({ ...this.#standing, state: verdict.state })
        return
      case 'missing':
        this.#sheet.forget(verdict.slots)
        this.#missingRounds += 1
        if (this.#missingRounds > 1) this.#link.slowDown() // sent again and still missing: slower, and with a fresh comparison
        return
      case 'misfit':
        this.#sheet.refuse(verdict.slot)
        this.#topics.tell('responses')
        return
      case 'signed-out':
        this.#isSignedOut = true
        this.#settle(this.#standing)
        return
      case 'unproved':
        this.#dialogue.dropClaim()
        this.#link.slowDown()
        return
      case 'lost':
        if (this.#standing.state === 'closed') {
          // Over, and the timer is about to close it; or it was closed as absent, and has no receipt.
          this.#mustCheck = this.#link.failures < CLOSING_PATIENCE
          return this.#mustCheck ? this.#link.slowDown() : this.#link.settle()
        }
        this.#link.settle()
        this.#custody.restart()
        this.#mustCompare = true
        this.#settle({ ...this.#standing, state: 'running' })
        return
      case 'unstarted': // a server started empty: starting again brings the attempt back
      case 'trouble':
        this.#link.slowDown()
        this.#mustCompare = true
    }
  }

  /** What is to be sent; an attempt that has ended takes it as evidence, and each answer once. */
  #waiting(): readonly SavedResponse[] {
    return hasEnded(this.#standing) ? this.#sheet.untold() : this.#sheet.unconfirmed()
  }

  #noteWaiting(): void {
    if (this.unsaved === 0) this.#waitingSinceMs = null
    else this.#waitingSinceMs ??= this.#ports.counter()
  }

  // -- this computer ------------------------------------------------------------------------------------------------

  /** Wipe what this computer keeps of the attempt, once both stores of the server have everything. */
  async forget(): Promise<boolean> {
    if (!this.isStored || this.#sheet.unconfirmed().length > 0) return false
    return this.#keeper.erase(this.formHash)
  }

  #keep(): void {
    if (this.#phase === 'handed-in') return // wiped, or about to be
    this.#keeper.keep({
      attempt_id: this.attemptId,
      envelope: { ...this.#dialogue.envelope, ...this.clock.kept, responses: [], notices: this.#notices.all },
      ...this.marks.kept,
      dismissed: this.#notices.dismissed,
      handing_in: this.#handsIn,
      claim: this.#dialogue.claim,
      wall_offset_ms: this.clock.nowMs - this.#ports.wall(),
    })
  }

  #noteDisk(error: unknown): void {
    if (error instanceof Error && error.name === 'QuotaExceededError') this.note('storage_full')
    this.#topics.tell('phase')
  }
}
