/** Receipts of an attempt: what the seat knows itself, and the server's signature where it comes. */

import { cellsOf, tally } from '../core/palette.ts'
import type { ExamServer } from './server.ts'
import type { ExamSession } from './session.ts'
import type { ReceiptFacts } from './tab_memory.ts'

export function receiptSoFar(session: ExamSession): ReceiptFacts {
  const sums = tally(cellsOf(session.paper, session.book, session.marks))
  const { receipt } = session
  return {
    attemptId: session.attemptId,
    paperCode: session.paperCode,
    total: sums.total,
    answered: receipt?.answered ?? sums.answered,
    finishedAtMs: receipt?.submitted_at_ms ?? null,
    text: receipt?.receipt ?? '',
  }
}

/** Ask for the signature where the submission did not bring it: after a reload, or when time closed the paper. */
export async function receiptOfSession(server: ExamServer, session: ExamSession): Promise<ReceiptFacts> {
  const known = receiptSoFar(session)
  if (known.text !== '') return known
  const reply = await server.receipt(session.attemptId).catch(() => null)
  return reply === null ? known : { ...known, answered: reply.answered, finishedAtMs: reply.finished_at_ms, text: reply.receipt }
}
