/** Opening an attempt: from the server if it answers, else from what this computer keeps, else by the release code. */

import type { Envelope, Form } from '../shared/api.ts'
import { readCode } from '../core/entry_codes.ts'
import { fromBase64, toBase64 } from '../core/base64.ts'
import { envelopeOf, KEY_LABEL, openPaper, openStart, startProof } from '../core/sealed_paper.ts'
import { canSeal, SealBroken, unwrapByCode } from '../core/sealing.ts'
import { arrange, mediaOf, type Paper } from '../core/paper.ts'
import * as responses from '../core/responses.ts'
import { readClock } from '../core/timer.ts'
import { verdictOf } from '../core/verdicts.ts'
import { Refused, Unreachable } from './server.ts'
import type { Ports, StartClaim } from './ports.ts'
import { ExamSession } from './session.ts'
import type { KeptAttempt } from './vault.ts'

/** With answers on this computer, wait no longer than this for a server that does not speak. */
const LOCAL_PATIENCE_MS = 3_000

/** The release code does not open this paper. */
export class WrongCode extends Error {}

/** By the clock as this computer last knew it, the sitting has not begun, or the latest start has passed. */
export class WrongMoment extends Error {
  readonly isEarly: boolean

  constructor(isEarly: boolean) {
    super(isEarly ? 'too early' : 'too late')
    this.isEarly = isEarly
  }
}

export interface OpeningRequest {
  readonly attemptId: string
  readonly sittingId: string
  readonly clientId: string
  /** True after a reload: the attempt was open here a moment ago. */
  readonly isReturn: boolean
}

/** Open at the server or here; refusals of the server pass through, and so does `Unreachable` when nothing is kept here. */
export async function openAttempt(ports: Ports, request: OpeningRequest): Promise<ExamSession> {
  const kept = await ports.vault.attempt(request.attemptId).catch(() => null)
  const sent = ports.counter()
  try {
    const envelope = await startAtServer(ports, request, kept)
    const clock = readClock(null, envelope.server_time_ms, sent, ports.counter())
    const form = await loadForm(ports, envelope)
    return await makeSession(ports, request, { envelope, form, clock, kept, claim: null, isLinked: true })
  } catch (error) {
    const ended = error instanceof Refused ? endOf(error) : undefined
    if (kept === null || (error instanceof Refused && ended === undefined)) throw error
    const form = await ports.vault.form(kept.envelope.form_hash)
    if (form === null) throw error
    return await openHere(ports, request, ended ? { ...kept, envelope: { ...kept.envelope, state: ended } } : kept, form)
  }
}

/** Begin without a network, with the code the invigilator read out; `nowMs` is the server's time as far as it is known. */
export async function openByCode(ports: Ports, request: OpeningRequest, typed: string, nowMs: number): Promise<ExamSession> {
  const { attemptId } = request
  const sealed = await ports.vault.sealedStart(attemptId)
  const bytes = sealed === null ? null : await ports.vault.sealedPaper(sealed.sealed_hash)
  if (sealed === null || bytes === null) throw new Unreachable('no paper was fetched beforehand')
  const key = await unwrapByCode(readCode(typed), fromBase64(sealed.salt), sealed.rounds, KEY_LABEL, fromBase64(sealed.wrapped_key)).catch((error: unknown) => {
    throw error instanceof SealBroken ? new WrongCode('the code opens nothing') : error
  })
  const start = await openStart(key, sealed.start)
  const startedMs = Math.round(nowMs)
  if (startedMs < start.starts_at_ms || startedMs > start.latest_start_ms) throw new WrongMoment(startedMs < start.starts_at_ms)
  const { form, figures } = await openPaper(key, bytes, start.form_hash)
  await ports.vault.keepForm(start.form_hash, form).catch(() => undefined)
  await ports.vault.keepFigures(figures).catch(() => undefined)
  const claim = { started_at_ms: startedMs, proof: await startProof(start.seat_key, attemptId, startedMs) }
  const counter = ports.counter()
  const clock = { ...readClock(null, startedMs, counter, counter), uncertaintyMs: 60_000 }
  return makeSession(ports, request, { envelope: envelopeOf(start, toBase64(key), startedMs), form, clock, kept: null, claim, isLinked: false })
}

async function startAtServer(ports: Ports, request: OpeningRequest, kept: KeptAttempt | null): Promise<Envelope> {
  const started = ports.server.start(request.attemptId, { client_id: request.clientId, ...(kept?.claim ?? {}) })
  if (kept === null || !request.isReturn) return started
  let timer: ReturnType<typeof setTimeout> | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Unreachable('no answer in time')), LOCAL_PATIENCE_MS)
  })
  return Promise.race([started, late]).finally(() => clearTimeout(timer))
}

/** Without the server: its time is reckoned from the computer's clock, used as a stopwatch since the last contact. */
function openHere(ports: Ports, request: OpeningRequest, kept: KeptAttempt, form: Form): Promise<ExamSession> {
  const serverMs = ports.wall() + kept.wall_offset_ms
  const counter = ports.counter()
  const clock = { ...readClock(null, serverMs, counter, counter), uncertaintyMs: 60_000 }
  return makeSession(ports, request, { envelope: kept.envelope, form, clock, kept, claim: kept.claim ?? null, isLinked: false })
}

/** How the attempt has ended though this computer still keeps it: whether it may be wiped, and what the server lacks of
 * it, the session asks. */
function endOf(error: Refused): 'submitted' | 'closed' | undefined {
  const verdict = verdictOf(error)
  return verdict.is === 'ended' ? verdict.state : undefined
}

interface Found {
  readonly envelope: Envelope
  readonly form: Form
  readonly clock: ReturnType<typeof readClock>
  readonly kept: KeptAttempt | null
  readonly claim: StartClaim | null
  readonly isLinked: boolean
}

async function makeSession(ports: Ports, request: OpeningRequest, { envelope, form, clock, kept, claim, isLinked }: Found): Promise<ExamSession> {
  const paper: Paper = arrange(form, envelope.ordering)
  const written = await ports.vault.responses(envelope.attempt_id).catch(() => [])
  const local = responses.restore([...written, ...ports.vault.lastWords(envelope.attempt_id)], claim === null ? envelope.lease : 0)
  const book = isLinked ? responses.reconcile(local, envelope.responses, envelope.lease) : local
  const session = new ExamSession(ports, {
    envelope,
    paper,
    sittingId: request.sittingId,
    clientId: request.clientId,
    clock,
    book,
    position: kept?.position ?? 1,
    marks: { visited: new Set(kept?.visited), flagged: new Set(kept?.flagged) },
    dismissed: new Set(kept?.dismissed),
    handingIn: kept?.handing_in ?? false,
    claim,
    isLinked,
  })
  if (session.phase !== 'handed-in') for (const address of mediaOf(form)) void ports.server.warm(address).catch(() => undefined)
  return session
}

async function loadForm(ports: Ports, envelope: Envelope): Promise<Form> {
  const hash = envelope.form_hash
  const kept = await ports.vault.form(hash).catch(() => null)
  if (kept !== null) return kept
  const form = (await unsealFetched(ports, envelope).catch(() => null)) ?? (await ports.server.form(hash))
  // Without it a reload off line would show no paper; the exam itself goes on.
  await ports.vault.keepForm(hash, form).catch(() => undefined)
  return form
}

/** The paper this computer fetched while it waited, opened by the key that came with the start; null if there is none. */
async function unsealFetched(ports: Ports, envelope: Envelope): Promise<Form | null> {
  if (!envelope.paper_key || !canSeal()) return null
  const start = await ports.vault.sealedStart(envelope.attempt_id)
  const bytes = start === null ? null : await ports.vault.sealedPaper(start.sealed_hash)
  if (bytes === null) return null
  const { form, figures } = await openPaper(fromBase64(envelope.paper_key), bytes, envelope.form_hash)
  await ports.vault.keepFigures(figures).catch(() => undefined)
  return form
}
