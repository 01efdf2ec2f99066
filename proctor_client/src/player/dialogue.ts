/** What a seat says to the server, one exchange at a time, and what it learns from the answer. No phases: `session.ts`. */

import type { Envelope, Notice, SavedResponse, Submitted, TimeReply } from '../shared/api.ts'
import { handOverFile } from '../core/hand_over.ts'
import { isOfAnotherFilling } from '../core/leases.ts'
import type { Standing } from '../core/phase.ts'
import { canSeal } from '../core/sealing.ts'
import { isOnRecord, verdictOf } from '../core/verdicts.ts'
import type { AnswerSheet } from './answer_sheet.ts'
import type { AttemptClock } from './attempt_clock.ts'
import type { Keeper } from './keeper.ts'
import type { NoticeBox } from './notice_box.ts'
import type { Ports, StartClaim } from './ports.ts'
import { Refused } from './server.ts'

export interface Voices {
  readonly sheet: AnswerSheet
  readonly notices: NoticeBox
  readonly clock: AttemptClock
  readonly keeper: Keeper
  /** Notices came that were not known. */
  onNotices(): void
}

export class Dialogue {
  readonly #ports: Ports
  readonly #voices: Voices
  #envelope: Envelope
  #clientId: string
  #claim: StartClaim | null
  /** Began without a network: the lease in the envelope is this seat's own word, and may be another's at the server. */
  #isAlone: boolean
  #isLost = false
  #isForgotten = false

  constructor(ports: Ports, voices: Voices, envelope: Envelope, clientId: string, claim: StartClaim | null) {
    this.#ports = ports
    this.#voices = voices
    this.#envelope = envelope
    this.#clientId = clientId
    this.#claim = claim
    this.#isAlone = claim !== null
    this.#takeNotices(envelope.notices)
  }

  get envelope(): Envelope {
    return this.#envelope
  }
  get clientId(): string {
    return this.#clientId
  }
  /** When this seat began by itself, as long as the server has not heard of it. */
  get claim(): StartClaim | null {
    return this.#claim
  }
  get standing(): Standing {
    return standingOf(this.#envelope, this.#envelope.lease > 0)
  }
  /** The server began empty and does not know this seat's lease: it starts again, and all is as before. */
  get isForgotten(): boolean {
    return this.#isForgotten
  }
  /** The server is to be asked for the paper: another seat writes and this one waits to be let in, or it was forgotten. */
  get isApplying(): boolean {
    return this.#envelope.lease === 0 || this.#isForgotten
  }

  /** A seat that waits to be let in asks again; one that lost its place does not, or two would take turns for ever. */
  mustStart(hasEnded: boolean): boolean {
    return this.#isForgotten || (this.#envelope.lease === 0 && !hasEnded)
  }

  /** That lease writes, not ours. True: another seat has it, and `compare` asks for it back; else we were forgotten. */
  lose(lease: number): boolean {
    this.#isForgotten = !this.#isForgotten && (this.#isAlone || isOfAnotherFilling(this.#lease, lease))
    this.#isLost = !this.#isForgotten
    return this.#isLost
  }

  /** The server refuses the start, as the attempt has ended. */
  startNoMore(): void {
    this.#isForgotten = false
  }

  useClient(clientId: string): void {
    this.#clientId = clientId
  }

  /** The server does not believe when this seat began: from now on it is asked in the ordinary way. */
  dropClaim(): void {
    this.#claim = null
  }

  /** Start again: compare sequences both ways. Returns how things stand, and whether answers came from the server. */
  async compare(): Promise<{ standing: Standing; isNews: boolean }> {
    const { sheet, clock, keeper } = this.#voices
    await keeper.written()
    const { server, counter } = this.#ports
    const sent = counter()
    const envelope = await server.start(this.#envelope.attempt_id, { client_id: this.#clientId, ...(this.#claim ?? {}) })
    this.#claim = null
    this.#isAlone = false
    this.#isLost = false
    this.#isForgotten = false
    clock.follow(envelope.server_time_ms, envelope.deadline_ms, sent)
    clock.restate(envelope.extra_seconds)
    this.#envelope = envelope
    const fromServer = sheet.reconcile(envelope.responses, envelope.lease)
    keeper.write(fromServer)
    this.#takeNotices(envelope.notices)
    return { standing: this.standing, isNews: fromServer.length > 0 }
  }

  async send(waiting: readonly SavedResponse[]): Promise<Standing> {
    const { sheet, notices, keeper } = this.#voices
    await keeper.written()
    const { server, counter } = this.#ports
    const sent = counter()
    const batch = sheet.batchOf(waiting)
    const reply = await server.save(this.#attempt, { lease: this.#lease, responses: batch, after: notices.newest }).catch((error: unknown) => {
      if (error instanceof Refused && isOnRecord(verdictOf(error))) sheet.noteOnRecord(batch)
      throw error
    })
    keeper.write(sheet.confirm(reply.saved))
    return this.#take(reply, sent, true)
  }

  async submit(): Promise<Submitted> {
    return this.#ports.server.submit(this.#attempt, { lease: this.#envelope.lease, sequences: this.#voices.sheet.sequences() })
  }

  async askTime(): Promise<Standing> {
    const { server, counter } = this.#ports
    const sent = counter()
    const lease = this.#lease
    const reply = await server.time(this.#attempt, this.#voices.notices.newest, lease)
    const theirs = reply.lease ?? lease
    this.#isForgotten = !this.#isLost && (this.#isAlone || isOfAnotherFilling(lease, theirs)) && isLive(reply.state)
    this.#isLost ||= theirs !== lease && !this.#isForgotten && isLive(reply.state)
    return this.#take(reply, sent, !this.#isLost && (this.#isForgotten || (lease > 0 && theirs === lease)))
  }

  /** Every answer of this seat as a file only the server can read; null where this browser or server cannot seal. */
  async handOver(sittingId: string): Promise<string | null> {
    const { seat_key: seatKey, hand_over_key: handOverKey } = this.#envelope
    if (!seatKey || !handOverKey || !canSeal()) return null
    const facts = {
      sittingId,
      attemptId: this.#attempt,
      clientId: this.#clientId,
      madeAtMs: this.#voices.clock.nowMs,
      startedAtMs: this.#claim?.started_at_ms ?? 0,
      responses: [...this.#voices.sheet.book.held.values()],
    }
    return handOverFile(facts, seatKey, handOverKey)
  }

  #take(reply: TimeReply, sentMs: number, isMine: boolean): Standing {
    this.#voices.clock.follow(reply.server_time_ms, reply.deadline_ms, sentMs)
    this.#takeNotices(reply.notices)
    return standingOf(reply, isMine)
  }

  #takeNotices(notices: readonly Notice[]): void {
    if (this.#voices.notices.take(notices)) this.#voices.onNotices()
  }

  /** The lease the server gave; 0: none, what is saved then is for the record. */
  get #lease(): number {
    return this.#isAlone ? 0 : this.#envelope.lease
  }

  get #attempt(): string {
    return this.#envelope.attempt_id
  }
}

function standingOf(facts: { state: Standing['state']; is_paused?: boolean; is_locked?: boolean }, isMine: boolean): Standing {
  return { state: facts.state, isMine, isPaused: facts.is_paused ?? false, isLocked: facts.is_locked ?? false }
}

function isLive(state: Standing['state']): boolean {
  return state === 'running' || state === 'ready'
}
