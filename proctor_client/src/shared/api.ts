/** What travels between browser and server. Names match the server's; times are UTC milliseconds of the server's clock. */

/** A response by kind of item: "B" · ["A","C"] · {"a": true} · "-1,5" · text; null: cleared. Letters are master letters. */
export type ResponseValue = string | readonly string[] | Readonly<Record<string, boolean>> | null

export interface Option {
  readonly id: string
  readonly content: string
}

interface ItemCommon {
  readonly slot: number
  readonly part: number
  readonly stimulus: string | null
  readonly stem: string
}

export interface SingleChoiceItem extends ItemCommon {
  readonly kind: 'single_choice'
  readonly options: readonly Option[]
}

export interface MultipleChoiceItem extends ItemCommon {
  readonly kind: 'multiple_choice'
  readonly options: readonly Option[]
  /** At most so many may be chosen; 0: no limit. */
  readonly maximum: number
}

export interface ClusterItem extends ItemCommon {
  readonly kind: 'true_false_cluster'
  readonly statements: readonly Option[]
}

export interface ShortNumericItem extends ItemCommon {
  readonly kind: 'short_numeric'
  readonly max_characters: number
}

export interface EssayItem extends ItemCommon {
  readonly kind: 'essay'
  readonly max_words: number
}

export type Item = SingleChoiceItem | MultipleChoiceItem | ClusterItem | ShortNumericItem | EssayItem
export type ItemKind = Item['kind']

export interface Part {
  readonly part: number
  readonly title: string
  readonly instructions: string
  readonly points_note: string
}

export interface Stimulus {
  readonly id: string
  readonly title: string
  readonly content: string
}

/** The keyless form, the same bytes for every candidate. */
export interface Form {
  readonly title: string
  readonly language: string
  readonly minutes: number
  readonly parts: readonly Part[]
  readonly stimuli: readonly Stimulus[]
  readonly items: readonly Item[]
}

/** One place of a paper: which slot, and its options or statements in display order. */
export interface Place {
  readonly slot: number
  readonly options: string
}

export type AttemptState = 'ready' | 'running' | 'submitted' | 'closed'

export interface Candidate {
  readonly number: string
  readonly name: string
  readonly school?: string | null
}

export interface AttemptSummary {
  readonly attempt_id: string
  readonly sitting_id: string
  readonly subject: string
  readonly state: AttemptState
  readonly starts_at_ms: number
  readonly ends_at_ms: number
  readonly minutes: number
  readonly room: string | null
  readonly seat: number | null
  /** How long after the beginning this seat shall ask for its paper, so that a herd comes as a stream. */
  readonly start_jitter_ms?: number
  /** Name of the sealed paper to fetch while waiting; empty: none. */
  readonly sealed_hash?: string
  readonly sealed_bytes?: number
  /** What was said to who waits here. */
  readonly notices?: readonly Notice[]
}

export interface StartRequest {
  readonly client_id: string
  /** Where the seat began without a network, and its proof. */
  readonly started_at_ms?: number
  readonly proof?: string
}

/** Fetched while waiting: what begins without a network once somebody tells the room's release code. Bytes as base64. */
export interface SealedStart {
  readonly attempt_id: string
  readonly sealed_hash: string
  readonly salt: string
  readonly rounds: number
  readonly wrapped_key: string
  readonly start: string
}

/** What stands inside a sealed start. */
export interface StartContent {
  readonly attempt_id: string
  readonly form_hash: string
  readonly paper_code: string
  readonly ordering: readonly Place[]
  readonly candidate: Candidate
  readonly starts_at_ms: number
  readonly latest_start_ms: number
  readonly ends_at_ms: number
  readonly duration_ms: number
  readonly extra_ms: number
  readonly seat_key: string
  readonly hand_over_key: string
}

export interface SignInRequest {
  readonly exam: string
  readonly candidate_number: string
  readonly code: string
}

export interface SignedIn {
  readonly token: string
  readonly candidate: Candidate
  readonly exam: { readonly code: string; readonly name: string }
  readonly attempts: readonly AttemptSummary[]
  readonly server_time_ms: number
}

export interface AttemptList {
  readonly attempts: readonly AttemptSummary[]
  readonly server_time_ms: number
}

export interface Notice {
  readonly id: number
  readonly kind: 'message' | 'time'
  readonly text?: string
  readonly extra_seconds?: number | null
}

export interface HeldResponse {
  readonly slot: number
  readonly sequence: number
  readonly value: ResponseValue
}

/** What a candidate gets at the start and at every resume. */
export interface Envelope {
  readonly attempt_id: string
  readonly form_hash: string
  readonly paper_code: string
  readonly ordering: readonly Place[]
  readonly lease: number
  readonly state: AttemptState
  readonly started_at_ms: number
  readonly deadline_ms: number
  readonly server_time_ms: number
  readonly extra_seconds: number
  readonly responses: readonly HeldResponse[]
  readonly notices: readonly Notice[]
  readonly candidate: Candidate
  readonly is_paused?: boolean
  readonly is_locked?: boolean
  /** Keys as base64, from servers that seal: of the paper, of this seat, and the sitting's for hand-over files. */
  readonly paper_key?: string
  readonly seat_key?: string
  readonly hand_over_key?: string
}

export interface SavedResponse extends HeldResponse {
  readonly client_time_ms: number
}

export interface SaveRequest {
  readonly lease: number
  readonly responses: readonly SavedResponse[]
  /** The newest notice this seat has seen. */
  readonly after: number
}

/** Facts that come with every answer of the server while an attempt runs. */
export interface TimeReply {
  readonly server_time_ms: number
  readonly deadline_ms: number
  readonly state: AttemptState
  readonly notices: readonly Notice[]
  readonly is_paused?: boolean
  readonly is_locked?: boolean
  /** The lease that writes; another one than ours: the paper is open elsewhere. Left out by a save, which proves ours. */
  readonly lease?: number
}

/** The receipt of a paper that has ended, handed in or not. */
export interface ReceiptReply {
  readonly receipt: string
  readonly state: AttemptState
  readonly reason: string
  readonly finished_at_ms: number
  readonly answered: number
  /** The newest sequences the server holds. */
  readonly saved: readonly { readonly slot: number; readonly sequence: number }[]
  /** The second store has the whole paper too: this computer need not keep it any longer. */
  readonly is_stored: boolean
}

export interface SaveReply extends TimeReply {
  readonly saved: readonly { readonly slot: number; readonly sequence: number }[]
}

export interface SubmissionRequest {
  readonly lease: number
  readonly sequences: Readonly<Record<string, number>>
}

export interface Submitted {
  readonly state: AttemptState
  readonly submitted_at_ms: number
  readonly answered: number
  readonly receipt?: string | null
}

/** What a seat notices; how grave it is the server's table says (`exam_engine/invigilation/model.py`). */
export type EventKind =
  | 'focus_lost' | 'focus_back' | 'fullscreen_left' | 'paste_blocked' | 'devtools_open' | 'second_window'
  | 'clock_jump' | 'offline' | 'online' | 'storage_full' | 'private_mode' | 'hand_over_saved' | 'reload' | 'start'

export interface ClientEvent {
  readonly kind: EventKind
  readonly client_time_ms: number
  readonly detail: Readonly<Record<string, string | number | boolean | null>>
}
