/** What this tab remembers across a reload: who signed in and which attempt was open. Gone when the tab is closed. */

import type { AttemptSummary, Candidate } from '../shared/api.ts'

export interface Visit {
  readonly token: string
  readonly candidate: Candidate
  readonly exam: { readonly code: string; readonly name: string }
  readonly attempts: readonly AttemptSummary[]
  /** The attempt that is open on the screen. */
  readonly attemptId: string | null
  /** Names this tab to the server: it holds the lease, not the computer. */
  readonly clientId: string
}

const KEY = 'exam.visit'

export function recallVisit(): Visit | null {
  try {
    const kept = sessionStorage.getItem(KEY)
    return kept === null ? null : (JSON.parse(kept) as Visit)
  } catch {
    return null
  }
}

export function keepVisit(visit: Visit | null): void {
  try {
    if (visit === null) sessionStorage.removeItem(KEY)
    else sessionStorage.setItem(KEY, JSON.stringify(visit))
  } catch {
    // A browser without storage: a reload asks for the card again, nothing worse.
  }
}

/** A name nobody else has; works on plain HTTP too, where crypto.randomUUID does not exist. */
export function freshClientId(): string {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, '0')).join('')
}

/** True if this page is the same tab reloaded; a duplicated tab must take a name of its own. */
export function isReload(): boolean {
  const [entry] = performance.getEntriesByType('navigation')
  return (entry as PerformanceNavigationTiming | undefined)?.type === 'reload'
}
