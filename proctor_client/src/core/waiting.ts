/** The waiting room: which attempt comes next, how long until it starts. Pure. */

import type { AttemptSummary } from '../shared/api.ts'

export type Door = 'early' | 'open' | 'running' | 'over' | 'handed-in'

export function doorOf(attempt: AttemptSummary, serverMs: number): Door {
  if (attempt.state === 'submitted' || attempt.state === 'closed') return 'handed-in'
  if (attempt.state === 'running') return 'running'
  if (serverMs < attempt.starts_at_ms) return 'early'
  return serverMs < attempt.ends_at_ms ? 'open' : 'over'
}

const RANK: Readonly<Record<Door, number>> = { running: 0, open: 1, early: 2, over: 3, 'handed-in': 4 }

/** The attempt a candidate most likely came for: running, then open, then the next to start. */
export function nearest(attempts: readonly AttemptSummary[], serverMs: number): AttemptSummary | null {
  const ordered = [...attempts].sort(
    (a, b) => RANK[doorOf(a, serverMs)] - RANK[doorOf(b, serverMs)] || a.starts_at_ms - b.starts_at_ms,
  )
  return ordered[0] ?? null
}
