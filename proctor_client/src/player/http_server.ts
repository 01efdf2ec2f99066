/** `ExamServer` over HTTP: bearer token, JSON, problem details, a time limit on every call. */

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
import type { Bytes } from '../core/base64.ts'
import type { SafeBrowserShown } from './safe_browser.ts'
import { type ExamServer, Refused, Unreachable } from './server.ts'

const PATIENCE_MS = 10_000
const FORM_PATIENCE_MS = 60_000
const PAPER_PATIENCE_MS = 300_000 // with its figures, to a whole lab at once, and nobody waits for it

interface Call {
  readonly method?: 'GET' | 'POST'
  readonly body?: unknown
  readonly patienceMs?: number
  readonly keepalive?: boolean
}

export class HttpExamServer implements ExamServer {
  readonly #base: string
  #token: string | null = null
  #language = 'vi'

  constructor(base = '/api') {
    this.#base = base
  }

  useToken(token: string | null): void {
    this.#token = token
  }

  useLanguage(language: string): void {
    this.#language = language
  }

  for(token: string): ExamServer {
    const other = new HttpExamServer(this.#base)
    other.useToken(token)
    other.useLanguage(this.#language)
    return other
  }

  signIn(request: SignInRequest): Promise<SignedIn> {
    return this.#call('/candidate/sign-in', { method: 'POST', body: request })
  }

  attempts(): Promise<AttemptList> {
    return this.#call('/candidate/attempts')
  }

  photo(): Promise<Bytes> {
    return this.#ask('/candidate/photo', {}, async (reply) => new Uint8Array(await reply.arrayBuffer()))
  }

  start(attemptId: string, request: StartRequest): Promise<Envelope> {
    return this.#call(`/attempts/${attemptId}/start`, { method: 'POST', body: request })
  }

  sealedPaper(hash: string): Promise<Bytes> {
    return this.#ask(`/papers/${hash}`, { patienceMs: PAPER_PATIENCE_MS }, async (reply) => new Uint8Array(await reply.arrayBuffer()))
  }

  sealedStart(attemptId: string): Promise<SealedStart> {
    return this.#call(`/attempts/${attemptId}/sealed-start`)
  }

  form(hash: string): Promise<Form> {
    return this.#call(`/forms/${hash}`, { patienceMs: FORM_PATIENCE_MS })
  }

  save(attemptId: string, request: SaveRequest): Promise<SaveReply> {
    return this.#call(`/attempts/${attemptId}/responses`, { method: 'POST', body: request })
  }

  time(attemptId: string, afterNotice: number, lease: number): Promise<TimeReply> {
    return this.#call(`/attempts/${attemptId}/time?after=${afterNotice}&lease=${lease}`)
  }

  submit(attemptId: string, request: SubmissionRequest): Promise<Submitted> {
    return this.#call(`/attempts/${attemptId}/submission`, { method: 'POST', body: request })
  }

  receipt(attemptId: string): Promise<ReceiptReply> {
    return this.#call(`/attempts/${attemptId}/receipt`)
  }

  async report(attemptId: string, events: readonly ClientEvent[]): Promise<void> {
    await this.#call(`/attempts/${attemptId}/events`, { method: 'POST', body: { events }, keepalive: true })
  }

  async showSafeBrowser(attemptId: string, shown: SafeBrowserShown): Promise<void> {
    await this.#call(`/attempts/${attemptId}/safe-browser`, { method: 'POST', body: shown })
  }

  async warm(address: string): Promise<void> {
    const reply = await fetch(address)
    if (!reply.ok) throw new Unreachable(`${address}: ${reply.status}`)
    await reply.blob()
  }

  #call<Reply>(path: string, call: Call = {}): Promise<Reply> {
    return this.#ask(path, call, async (reply) => {
      const text = await reply.text()
      return (text === '' ? {} : JSON.parse(text)) as Reply
    })
  }

  async #ask<Reply>(path: string, { method = 'GET', body, patienceMs = PATIENCE_MS, keepalive = false }: Call, read: (reply: Response) => Promise<Reply>): Promise<Reply> {
    const headers: Record<string, string> = { Accept: 'application/json', 'Accept-Language': this.#language }
    if (this.#token !== null) headers['Authorization'] = `Bearer ${this.#token}`
    if (body !== undefined) headers['Content-Type'] = 'application/json'
    const stop = new AbortController()
    const timer = setTimeout(() => stop.abort(), patienceMs)
    try {
      const reply = await fetch(this.#base + path, {
        method,
        headers,
        keepalive,
        cache: path.startsWith('/forms/') ? 'default' : 'no-store',
        credentials: 'omit',
        signal: stop.signal,
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      })
      await requireOk(reply)
      return await read(reply)
    } catch (error) {
      if (error instanceof Refused || error instanceof Unreachable) throw error
      throw new Unreachable(error instanceof Error ? error.message : String(error))
    } finally {
      clearTimeout(timer)
    }
  }
}

/** Statuses that say "later" rather than "no". */
const LATER = new Set([408, 425, 429, 500, 502, 503, 504])

async function requireOk(reply: Response): Promise<void> {
  if (reply.ok) return
  if (LATER.has(reply.status)) throw new Unreachable(String(reply.status), retryAfterMs(reply.headers.get('Retry-After')))
  const problem = await readProblem(reply)
  const text = (name: string): string => (typeof problem[name] === 'string' ? problem[name] : '')
  throw new Refused(reply.status, text('code'), text('detail') || text('title') || reply.statusText, problem)
}

async function readProblem(reply: Response): Promise<Record<string, unknown>> {
  // A proxy between us may answer in its own words; then the status has to do.
  const parsed: unknown = await reply.json().catch(() => null)
  return typeof parsed === 'object' && parsed !== null ? (parsed as Record<string, unknown>) : {}
}

/** Seconds only: the other form of the header is a date, and dates belong to a clock we do not trust. */
function retryAfterMs(header: string | null): number {
  const seconds = Number(header ?? '')
  return Number.isFinite(seconds) && seconds > 0 ? Math.min(seconds, 120) * 1000 : 0
}
