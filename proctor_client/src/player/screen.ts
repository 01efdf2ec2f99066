/** One full screen of the player. Its listeners end with the signal it was made with. */

export interface Screen {
  readonly element: HTMLElement
  /** Put the focus where work begins. */
  focus?(): void
  /** Show a warning of time. */
  warn?(text: string): void
  /** Something outside the attempt changed: a paper was fetched, a disk was found full. */
  onNews?(): void
  /** Responses came from elsewhere (a comparison with the server): show them. */
  onRemoteChange?(): void
}
