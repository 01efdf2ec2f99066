/** The hand-over file: a seat's answers on their way by hand, readable by the server alone (`delivery/hand_over.py`). */

import type { SavedResponse } from '../shared/api.ts'
import { fromBase64, toBase64 } from './base64.ts'
import { macHex, sealBox } from './sealing.ts'

export interface HandOverFacts {
  readonly sittingId: string
  readonly attemptId: string
  readonly clientId: string
  readonly madeAtMs: number
  /** When the seat began without a network, as long as the server does not know; else 0. */
  readonly startedAtMs: number
  readonly responses: readonly SavedResponse[]
}

export async function handOverFile(facts: HandOverFacts, seatKey: string, handOverKey: string): Promise<string> {
  const content = JSON.stringify({
    attempt_id: facts.attemptId,
    client_id: facts.clientId,
    made_at_ms: Math.round(facts.madeAtMs),
    started_at_ms: Math.round(facts.startedAtMs),
    responses: facts.responses,
  })
  const signed = JSON.stringify({ content, mac: await macHex(fromBase64(seatKey), content) })
  const label = `exam-hand-over/1:${facts.sittingId}:${facts.attemptId}`
  const box = toBase64(await sealBox(fromBase64(handOverKey), label, signed))
  return JSON.stringify({ kind: 'exam-hand-over', version: 1, sitting_id: facts.sittingId, attempt_id: facts.attemptId, box })
}
