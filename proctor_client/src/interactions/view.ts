/** What every interaction offers to whoever shows it, and what it gets. */

import type { ResponseValue } from '../shared/api.ts'
import type { Entry } from '../core/paper.ts'

export interface InteractionView {
  readonly element: HTMLElement
  /** Show a response; never calls back. */
  show(value: ResponseValue): void
  setReadOnly(on: boolean): void
  /** A choosing key was pressed; true if it meant something here. */
  choose(index: number): boolean
  /** A sign of a short answer was typed outside its field. */
  type(text: string): boolean
}

export interface InteractionContext {
  readonly entry: Entry
  /** Makes names and ids unique when several papers are on one page (samples, previews). */
  readonly prefix: string
  /** Language of the content, for screen readers. */
  readonly contentLanguage: string
  onChange(value: ResponseValue): void
  /** A text that is still being typed. */
  onDraft(value: ResponseValue): void
  /** A text field is left: what it holds counts now. */
  onSettle(): void
}
