/** Papers handed in here whose page was left before the second store of the server had them: the next page asks on, unseen. */

import { openAttempt } from './opening.ts'
import type { Ports } from './ports.ts'
import { Refused } from './server.ts'
import type { ExamSession } from './session.ts'
import { freshClientId } from './tab_memory.ts'

export interface LeftBehind {
  readonly attemptId: string
  readonly sittingId: string
  /** The candidate is gone; only their own token may ask. It ends with the exam day. */
  readonly token: string
}

const KEY = 'exam.left-behind'
const AGAIN_MS = 20_000

export function leaveBehind(paper: LeftBehind): void {
  write([...leftBehind().filter(({ attemptId }) => attemptId !== paper.attemptId), paper])
}

export function forgetLeftBehind(attemptId: string): void {
  write(leftBehind().filter((paper) => paper.attemptId !== attemptId))
}

/** Ask on for every paper but the one that is open on this page. */
export function takeUpLeftBehind(ports: Ports, openId: string | null): void {
  for (const paper of leftBehind()) if (paper.attemptId !== openId) void takeUp(ports, paper)
}

/** A session without a screen: it asks, brings back what the server lost, and wipes what is stored. */
export async function takeUp(ports: Ports, paper: LeftBehind): Promise<ExamSession | null> {
  const { attemptId, sittingId, token } = paper
  if ((await ports.vault.attempt(attemptId).catch(() => null)) === null) {
    forgetLeftBehind(attemptId)
    return null
  }
  try {
    const own = { ...ports, server: ports.server.for(token) }
    const session = await openAttempt(own, { attemptId, sittingId, clientId: freshClientId(), isReturn: true })
    const ends = new AbortController()
    session.on('receipt', () => void wipe(session, ends), ends.signal)
    const look = (): void => {
      if (session.phase === 'signed-out' || (session.phase === 'over' && session.unsaved === 0)) finish(session, ends)
    }
    session.on('phase', look, ends.signal)
    session.on('save', look, ends.signal)
    session.begin()
    return session
  } catch (error) {
    if (error instanceof Refused) forgetLeftBehind(attemptId) // closed, or the day is over: nothing can be brought back
    else setTimeout(() => void takeUp(ports, paper), AGAIN_MS)
    return null
  }
}

async function wipe(session: ExamSession, ends: AbortController): Promise<void> {
  if (session.isStored && (await session.forget())) finish(session, ends)
}

function finish(session: ExamSession, ends: AbortController): void {
  ends.abort()
  session.stop()
  forgetLeftBehind(session.attemptId)
}

function leftBehind(): readonly LeftBehind[] {
  try {
    return JSON.parse(localStorage.getItem(KEY) ?? '[]') as LeftBehind[]
  } catch {
    return []
  }
}

function write(papers: readonly LeftBehind[]): void {
  try {
    if (papers.length === 0) localStorage.removeItem(KEY)
    else localStorage.setItem(KEY, JSON.stringify(papers))
  } catch {
    // A browser without storage keeps no vault either.
  }
}
