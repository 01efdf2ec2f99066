/** What this tab remembers across a reload: who signed in, which attempt was open, the receipt. Gone when the tab is closed.
 * In the browser stay the computer's own name, so that the server knows a computer that comes back, and the visit while a
 * paper is open: after a power cut the same card opens it again, also when the network is still out. */

import { toHex } from '../core/base64.ts'
import type { AttemptSummary, Candidate } from '../shared/api.ts'

export interface Visit {
  readonly token: string
  readonly candidate: Candidate
  readonly exam: { readonly code: string; readonly name: string }
  readonly attempts: readonly AttemptSummary[]
  /** The attempt that is open on the screen. */
  readonly attemptId: string | null
  /** Names this tab to the server, `<device>.<tab>`: it holds the lease, not the computer. */
  readonly clientId: string
  /** Server's clock minus this computer's when last heard: the countdown goes on after a reload without a network. */
  readonly wallOffsetMs?: number
  /** Hash of what was typed at the door; only where the browser can make one. */
  readonly card?: string
  /** The paper is in, and wiped from this computer. */
  readonly receipt?: ReceiptFacts
}

export interface ReceiptFacts {
  readonly attemptId: string
  readonly paperCode: string
  readonly total: number
  readonly answered: number
  readonly finishedAtMs: number | null
  /** Signed by the server; empty as long as it has not come. */
  readonly text: string
}

const KEY = 'exam.visit'
const OPEN_KEY = 'exam.open-visit'
const DEVICE_KEY = 'exam.device'

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
    if (visit === null || visit.receipt) localStorage.removeItem(OPEN_KEY)
    else if (visit.attemptId !== null && visit.card) localStorage.setItem(OPEN_KEY, JSON.stringify(visit))
  } catch {
    // A browser without storage: a reload asks for the card again, nothing worse.
  }
}

/** The visit of the paper that was open on this computer, for who types the same card again. */
export function openVisit(card: string): Visit | null {
  try {
    const kept = JSON.parse(localStorage.getItem(OPEN_KEY) ?? 'null') as Visit | null
    return card !== '' && kept?.card === card ? kept : null
  } catch {
    return null
  }
}

/** A name no other tab has, on a computer that keeps its own: after a power cut the same computer goes on at once. */
export function freshClientId(): string {
  return `${deviceId()}.${freshName(8)}`
}

function deviceId(): string {
  try {
    const kept = localStorage.getItem(DEVICE_KEY)
    if (kept !== null && /^[0-9a-f]{32}$/.test(kept)) return kept
    const fresh = freshName(16)
    localStorage.setItem(DEVICE_KEY, fresh)
    return fresh
  } catch {
    return freshName(16) // a browser without storage is a new computer each time
  }
}

/** Works on plain HTTP too, where crypto.randomUUID does not exist. */
function freshName(bytes: number): string {
  return toHex(crypto.getRandomValues(new Uint8Array(bytes)))
}

/** True if this page is the same tab reloaded; a duplicated tab must take a name of its own.
 * A browser that does not tell counts as reloaded: who reloads must not have to ask the invigilator. */
export function isReload(): boolean {
  const [entry] = performance.getEntriesByType('navigation')
  return entry === undefined || (entry as PerformanceNavigationTiming).type === 'reload'
}
