/** What a refusal of the server means for a seat. Pure: facts of the refusal in, one decision out. */

export type Verdict =
  /** Another seat writes: stop writing, ask to be let in. */
  | { readonly is: 'elsewhere'; readonly lease: number }
  /** The invigilator locked the paper: keep everything, send nothing, ask again. */
  | { readonly is: 'locked' }
  /** The attempt takes no more answers. */
  | { readonly is: 'ended'; readonly state: 'submitted' | 'closed' }
  /** The server lacks these answers though it once confirmed them. */
  | { readonly is: 'missing'; readonly slots: readonly number[] }
  /** One answer does not fit its item. */
  | { readonly is: 'misfit'; readonly slot: number | null }
  /** The server has lost the hand-in with its memory: bring back what is missing and hand in again. */
  | { readonly is: 'lost' }
  /** The server began empty: start again there. */
  | { readonly is: 'unstarted' }
  /** It will not believe when this seat began: start by the ordinary way. */
  | { readonly is: 'unproved' }
  | { readonly is: 'signed-out' }
  /** Something else that may pass. */
  | { readonly is: 'trouble' }

/** A refused save the server has kept as evidence: there is no use in sending the same again for the record. */
export function isOnRecord({ is }: Verdict): boolean {
  return is === 'ended' || is === 'elsewhere' || is === 'locked'
}

export interface RefusalFacts {
  readonly status: number
  readonly code: string
  readonly facts: Readonly<Record<string, unknown>>
}

export function verdictOf({ status, code, facts }: RefusalFacts): Verdict {
  switch (code) {
    case 'lease-taken':
      return { is: 'elsewhere', lease: typeof facts['lease'] === 'number' ? facts['lease'] : 0 }
    case 'attempt-locked':
      return { is: 'locked' }
    case 'attempt-closed':
    case 'time-over':
      return { is: 'ended', state: facts['state'] === 'submitted' ? 'submitted' : 'closed' }
    case 'responses-missing': {
      const missing = facts['missing']
      return { is: 'missing', slots: Array.isArray(missing) ? missing.filter((slot) => typeof slot === 'number') : [] }
    }
    case 'unknown-slot':
    case 'response-invalid':
      return { is: 'misfit', slot: typeof facts['slot'] === 'number' ? facts['slot'] : null }
    case 'receipt-not-yet':
      return { is: 'lost' }
    case 'not-started':
      return { is: 'unstarted' }
    case 'start-proof-invalid':
      return { is: 'unproved' }
    default:
      return status === 401 ? { is: 'signed-out' } : { is: 'trouble' }
  }
}
