/** Safe Exam Browser, where the page runs in one: what its script interface gives, shown to the server once a start.
 *
 * Windows sends the same in a header by itself. A browser without the interface shows nothing; nothing here ends a paper.
 */

export interface SafeBrowserShown {
  readonly page_url: string
  readonly config_key_hash: string
  readonly version: string
}

interface SafeExamBrowser {
  readonly version?: string
  readonly security?: { readonly configKey?: string }
}

/** What to show, or nothing in any other browser. The hash was made for the address of this page. */
export function safeBrowserShown(page: Window & { readonly SafeExamBrowser?: SafeExamBrowser }): SafeBrowserShown | null {
  const browser = page.SafeExamBrowser
  if (!browser && !/\bSEB\b/.test(page.navigator.userAgent)) return null
  return { page_url: page.location.href, config_key_hash: browser?.security?.configKey ?? '', version: browser?.version ?? '' }
}
