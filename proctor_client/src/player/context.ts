/** What a screen may ask of the application round it. */

import type { Language } from '../shared/i18n.ts'
import type { AttemptList } from '../shared/api.ts'
import type { ExamSession } from './session.ts'
import type { Visit } from './tab_memory.ts'

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
  startAttempt(attemptId: string): Promise<void>
  showPaper(): void
  showReview(): void
  /** Forget everything of this candidate on this computer and go back to the door. */
  leave(): Promise<void>
}
