/** Signs that something else than the exam has the screen. Pure; none of them proves anything, people judge. */

export interface WindowSize {
  readonly outerWidth: number
  readonly outerHeight: number
  readonly innerWidth: number
  readonly innerHeight: number
  /** Changes with the zoom, which shrinks the page's own measure without any panel. */
  readonly pixelRatio: number
}

const PANEL_PIXELS = 160

/** A panel opened inside the window: the page lost room while the window kept its size and nobody zoomed. */
export function panelOpened(before: WindowSize, now: WindowSize): boolean {
  const isSame = before.outerWidth === now.outerWidth && before.outerHeight === now.outerHeight && before.pixelRatio === now.pixelRatio
  return isSame && (before.innerWidth - now.innerWidth > PANEL_PIXELS || before.innerHeight - now.innerHeight > PANEL_PIXELS)
}

/** Text that comes from this very paper may be moved about in it; anything else may not come in. */
export function mayPaste(text: string, copiedHere: readonly string[]): boolean {
  const plain = (each: string): string => each.replace(/\s+/g, ' ').trim()
  return text === '' || copiedHere.some((copied) => plain(copied) === plain(text))
}
