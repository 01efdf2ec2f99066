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
  readonly security?: { readonly configKey?: string; updateKeys?(done: () => void): void }
}

/** What to show, or nothing in any other browser. The hash was made for the address of this page. */
export async function safeBrowserShown(page: Window & { readonly SafeExamBrowser?: SafeExamBrowser }): Promise<SafeBrowserShown | null> {
  const browser = page.SafeExamBrowser
  if (!browser && !/\bSEB\b/.test(page.navigator.userAgent)) return null
  const { security } = browser ?? {}
  // Version 3.0 on macOS and iOS hashes the address only when it is asked.
  if (security?.updateKeys && !security.configKey) await new Promise<void>((done) => security.updateKeys?.(done))
  return { page_url: page.location.href, config_key_hash: security?.configKey ?? '', version: browser?.version ?? '' }
}
