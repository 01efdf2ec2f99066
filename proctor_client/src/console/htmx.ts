/** HTMX 4 under our content policy: nothing is evaluated, failures become toasts, problem details never become page text. */

import './htmx_settings.ts'
import htmx from 'htmx.org'

import { t } from '../shared/staff_texts.ts'
import { toast } from './toast.ts'

/** Version 4 has no `allowEval` switch; its security hook takes the place of the function constructors. */
function refuse(): never {
  throw new Error('attributes that hold script are not allowed on these pages')
}

htmx.registerExtension('no-evaluation', {
  init(api: { initSecurity(policy: undefined, sync: () => never, async: () => never): void }) {
    api.initSecurity(undefined, refuse, refuse)
  },
})

interface Exchange {
  readonly ctx: { readonly text?: string; readonly response?: { readonly status: number; readonly headers: Headers } }
}

document.addEventListener('htmx:error', () => toast(t('request.offline'), 'bad'))
document.addEventListener('htmx:after:request', (event) => {
  const { text, response } = (event as CustomEvent<Exchange>).detail.ctx
  if (!response || response.status < 400) return
  const isProblem = response.headers.get('Content-Type')?.startsWith('application/problem+json') ?? false
  if (!isProblem && response.status < 500) return // a refused form comes back as a page part, with what was typed
  event.preventDefault()
  toast(isProblem ? problemText(text ?? '') : t('request.failed'), 'bad')
})

function problemText(body: string): string {
  try {
    const problem = JSON.parse(body) as { detail?: string; title?: string }
    return problem.detail || problem.title || t('request.failed')
  } catch {
    return t('request.failed')
  }
}
