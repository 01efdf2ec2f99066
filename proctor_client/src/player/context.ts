/** What a screen may ask of the application round it. */

import type { Language } from '../shared/i18n.ts'
import type { AttemptList, AttemptSummary } from '../shared/api.ts'
import type { ExamSession } from './session.ts'
import type { DiskTrouble } from './disk_check.ts'
import type { ReceiptFacts, Visit } from './tab_memory.ts'

export interface AppContext {
  readonly visit: Visit | null
  readonly session: ExamSession | null
  /** Server's time as far as it is known before an attempt is open. */
  nowMs(): number
  seatOf(attemptId: string): { readonly room: string | null; readonly seat: number | null }
  switchLanguage(next: Language): void
  /** Say something once to screen readers. */
  announce(text: string): void
  /** A warning of time: said, and shown calmly for a while. */
  warn(text: string): void
  signIn(exam: string, number: string, code: string): Promise<void>
  refreshAttempts(): Promise<AttemptList>
  /** The candidate's photo as an address of an image; null where there is none, or no network. */
  photo(): Promise<string | null>
  startAttempt(attemptId: string): Promise<void>
  /** Begin without a network, by the room's release code. */
  startByCode(attemptId: string, code: string): Promise<void>
  /** The sealed paper of this attempt is on this computer, whole. */
  hasFetched(attempt: AttemptSummary): boolean
  /** How far this computer's clock is off, in milliseconds; null before the server told its time. */
  clockErrorMs(): number | null
  /** What this browser may be short of: said in the waiting room. */
  readonly diskTrouble: DiskTrouble | null
  /** The signed receipt of an attempt that has ended, once it came. */
  receiptOf(session: ExamSession): ReceiptFacts | null
  showPaper(): void
  /** Hear of every attempt that is opened in this window. */
  onOpened(listener: (attemptId: string) => void): void
  /** Look at the paper without writing, while another seat has it. */
  readPaper(): void
  showReview(): void
  /** Forget everything of this candidate on this computer and go back to the door. */
  leave(): Promise<void>
}
