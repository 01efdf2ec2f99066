/** The candidate's only door to the network, and the ways it can stay shut. */

import type {
  AttemptList,
  ClientEvent,
  Envelope,
  Form,
  ReceiptReply,
  SaveReply,
  SaveRequest,
  SignedIn,
  SignInRequest,
  SealedStart,
  StartRequest,
  SubmissionRequest,
  Submitted,
  TimeReply,
} from '../shared/api.ts'
import type { SafeBrowserShown } from './safe_browser.ts'
import type { Bytes } from '../core/base64.ts'

export interface ExamServer {
  signIn(request: SignInRequest): Promise<SignedIn>
  attempts(): Promise<AttemptList>
  /** The candidate's photo as JPEG; empty where none is known. */
  photo(): Promise<Bytes>
  start(attemptId: string, request: StartRequest): Promise<Envelope>
  /** The sealed paper's bytes, and what starts it without a network. */
  sealedPaper(hash: string): Promise<Bytes>
  sealedStart(attemptId: string): Promise<SealedStart>
  form(hash: string): Promise<Form>
  save(attemptId: string, request: SaveRequest): Promise<SaveReply>
  time(attemptId: string, afterNotice: number, lease: number): Promise<TimeReply>
  submit(attemptId: string, request: SubmissionRequest): Promise<Submitted>
  receipt(attemptId: string): Promise<ReceiptReply>
  report(attemptId: string, events: readonly ClientEvent[]): Promise<void>
  showSafeBrowser(attemptId: string, shown: SafeBrowserShown): Promise<void>
  /** Fetch a picture so that it is there when the network is not. */
  warm(address: string): Promise<void>
  /** Who is asking: set after sign-in and after a reload. */
  useToken(token: string | null): void
  useLanguage(language: string): void
  /** The same server for another token. */
  for(token: string): ExamServer
}

/** The server did not answer, or not as itself: the same request may succeed later. */
export class Unreachable extends Error {
  readonly retryAfterMs: number

  constructor(reason: string, retryAfterMs = 0) {
    super(reason)
    this.retryAfterMs = retryAfterMs
  }
}

/** The server answered with a refusal (RFC 9457): the same request would be refused again. */
export class Refused extends Error {
  readonly status: number
  readonly code: string
  readonly facts: Readonly<Record<string, unknown>>

  constructor(status: number, code: string, detail: string, facts: Readonly<Record<string, unknown>>) {
    super(detail)
    this.status = status
    this.code = code
    this.facts = facts
  }
}
