/** What stands inside a sealed paper and a sealed start (`exam_engine/delivery/sealing.py`), and the labels they bear. */

import type { Envelope, Form, StartContent } from '../shared/api.ts'
import { type Bytes, fromBase64 } from './base64.ts'
import { macHex, sha256Hex, unseal } from './sealing.ts'

export const KEY_LABEL = 'exam-key/1'
const PAPER_LABEL = 'exam-paper/1'
const START_LABEL = 'exam-start/1'

export interface Figure {
  readonly path: string
  readonly mediaType: string
  readonly content: Bytes
}

export interface OpenedPaper {
  readonly form: Form
  readonly figures: readonly Figure[]
}

/** The paper is not the one that was announced. */
export class PaperChanged extends Error {}

interface Index {
  readonly form_bytes: number
  readonly media: readonly { readonly path: string; readonly media_type: string; readonly bytes: number }[]
}

/** Open a sealed paper; the form inside must be the one the envelope names. */
export async function openPaper(key: Bytes, sealed: Bytes, formHash: string): Promise<OpenedPaper> {
  const content = await unseal(key, PAPER_LABEL, sealed)
  const indexBytes = new DataView(content.buffer, content.byteOffset).getUint32(0)
  let at = 4
  const take = (length: number): Bytes => content.subarray(at, (at += length))
  const index = JSON.parse(new TextDecoder().decode(take(indexBytes))) as Index
  const body = await unzipped(take(index.form_bytes))
  if ((await sha256Hex(body)) !== formHash) throw new PaperChanged('the form inside is another one')
  const figures = index.media.map(({ path, media_type, bytes }) => ({ path, mediaType: media_type, content: take(bytes) }))
  return { form: JSON.parse(new TextDecoder().decode(body)) as Form, figures }
}

export async function openStart(key: Bytes, sealed: string): Promise<StartContent> {
  return JSON.parse(new TextDecoder().decode(await unseal(key, START_LABEL, fromBase64(sealed)))) as StartContent
}

/** The envelope a seat writes for itself when nobody answers; the server corrects it when it is back. */
export function envelopeOf(start: StartContent, paperKey: string, nowMs: number): Envelope {
  return {
    attempt_id: start.attempt_id,
    form_hash: start.form_hash,
    paper_code: start.paper_code,
    ordering: start.ordering,
    lease: 1,
    state: 'running',
    started_at_ms: nowMs,
    deadline_ms: Math.min(nowMs + start.duration_ms, start.ends_at_ms) + start.extra_ms,
    server_time_ms: nowMs,
    extra_seconds: Math.floor(start.extra_ms / 1000),
    responses: [],
    notices: [],
    candidate: start.candidate,
    paper_key: paperKey,
    seat_key: start.seat_key,
    hand_over_key: start.hand_over_key,
  }
}

/** Proof of the moment this seat began by itself. */
export function startProof(seatKey: string, attemptId: string, startedAtMs: number): Promise<string> {
  return macHex(fromBase64(seatKey), `exam-start/1:${attemptId}:${startedAtMs}`)
}

async function unzipped(zipped: Bytes): Promise<Bytes> {
  const stream = new Blob([zipped]).stream().pipeThrough(new DecompressionStream('gzip'))
  return new Uint8Array(await new Response(stream).arrayBuffer())
}
