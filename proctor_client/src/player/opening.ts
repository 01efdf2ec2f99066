/** Opening an attempt: from the server if it answers, else from what this computer keeps. */

import type { Envelope, Form } from '../shared/api.ts'
import { arrange, mediaOf, type Paper } from '../core/paper.ts'
import * as responses from '../core/responses.ts'
import { readClock } from '../core/timer.ts'
import { Refused, Unreachable } from './server.ts'
import type { Ports } from './ports.ts'
import { ExamSession } from './session.ts'
import type { KeptAttempt } from './vault.ts'

/** With answers on this computer, wait no longer than this for a server that does not speak. */
const LOCAL_PATIENCE_MS = 3_000

export interface OpeningRequest {
  readonly attemptId: string
  readonly clientId: string
  /** True after a reload: the attempt was open here a moment ago. */
  readonly isReturn: boolean
}

/** Open at the server or here; refusals of the server pass through, and so does `Unreachable` when nothing is kept here. */
export async function openAttempt(ports: Ports, request: OpeningRequest): Promise<ExamSession> {
  const kept = await ports.vault.attempt(request.attemptId).catch(() => null)
  const sent = ports.counter()
  try {
    const envelope = await startAtServer(ports, request, kept !== null && request.isReturn)
    const clock = readClock(null, envelope.server_time_ms, sent, ports.counter())
    const form = await loadForm(ports, envelope.form_hash)
    return await makeSession(ports, request.clientId, envelope, form, clock, kept, true)
  } catch (error) {
    if (error instanceof Refused || kept === null) throw error
    const form = await ports.vault.form(kept.envelope.form_hash)
    if (form === null) throw error
    return await openHere(ports, request.clientId, kept, form)
  }
}

async function startAtServer(ports: Ports, { attemptId, clientId }: OpeningRequest, hasLocal: boolean): Promise<Envelope> {
  const started = ports.server.start(attemptId, clientId)
  if (!hasLocal) return started
  let timer: ReturnType<typeof setTimeout> | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Unreachable('no answer in time')), LOCAL_PATIENCE_MS)
  })
  return Promise.race([started, late]).finally(() => clearTimeout(timer))
}

/** Without the server: its time is reckoned from the computer's clock, used as a stopwatch since the last contact. */
function openHere(ports: Ports, clientId: string, kept: KeptAttempt, form: Form): Promise<ExamSession> {
  const serverMs = ports.wall() + kept.wall_offset_ms
  const counter = ports.counter()
  const clock = { ...readClock(null, serverMs, counter, counter), uncertaintyMs: 60_000 }
  return makeSession(ports, clientId, kept.envelope, form, clock, kept, false)
}

async function makeSession(
  ports: Ports,
  clientId: string,
  envelope: Envelope,
  form: Form,
  clock: ReturnType<typeof readClock>,
  kept: KeptAttempt | null,
  isLinked: boolean,
): Promise<ExamSession> {
  const paper: Paper = arrange(form, envelope.ordering)
  const written = await ports.vault.responses(envelope.attempt_id).catch(() => [])
  const local = responses.restore([...written, ...ports.vault.lastWords(envelope.attempt_id)])
  const book = isLinked ? responses.reconcile(local, envelope.responses, envelope.lease) : local
  const session = new ExamSession(ports, {
    envelope,
    paper,
    clientId,
    clock,
    book,
    position: kept?.position ?? 1,
    marks: { visited: new Set(kept?.visited), flagged: new Set(kept?.flagged) },
    dismissed: new Set(kept?.dismissed),
    handingIn: kept?.handing_in ?? false,
    isLinked,
  })
  for (const address of mediaOf(form)) void ports.server.warm(address).catch(() => undefined)
  return session
}

async function loadForm(ports: Ports, hash: string): Promise<Form> {
  const kept = await ports.vault.form(hash).catch(() => null)
  if (kept !== null) return kept
  const form = await ports.server.form(hash)
  // Without it a reload off line would show no paper; the exam itself goes on.
  await ports.vault.keepForm(hash, form).catch(() => undefined)
  return form
}
