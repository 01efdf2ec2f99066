/** Is this computer ready? Network, paper on the disk with its check, room on the disk, clock: one line each. */

import type { AttemptSummary } from '../shared/api.ts'
import { WRONG_MS } from '../core/clock_jumps.ts'
import { checkOf } from '../core/prefetching.ts'
import { h, sign, type Sign } from '../shared/dom.ts'
import type { AppContext } from './context.ts'
import { t } from '../shared/texts.ts'

export interface Readiness {
  readonly element: HTMLElement
  /** `next` is the paper that is waited for, if any. */
  update(next: AttemptSummary | null, isReachable: boolean): void
}

export function readinessView(app: AppContext): Readiness {
  const list = h('ul', {})
  const element = h('div', { class: 'waiting__status small soft', role: 'status' }, list)
  let shown = ''
  return {
    element,
    update(next, isReachable) {
      const lines: (readonly [Sign, string])[] = [[isReachable ? 'check' : 'warn', t(isReachable ? 'waiting.connected' : 'waiting.offline')]]
      if (next?.sealed_hash && app.hasFetched(next)) lines.push(['check', t('waiting.fetched', { check: checkOf(next.sealed_hash) })])
      if (app.diskTrouble !== null) lines.push(['warn', t(`waiting.disk-${app.diskTrouble}`)])
      const errorMs = app.clockErrorMs()
      if (errorMs !== null && Math.abs(errorMs) > WRONG_MS) lines.push(['warn', t('waiting.clock', { minutes: Math.round(Math.abs(errorMs) / 60_000) })])
      const text = lines.join('|')
      if (text === shown) return
      shown = text
      list.replaceChildren(...lines.map(([mark, line]) => h('li', { class: mark === 'warn' ? 'is-warning' : '' }, sign(mark), line)))
    },
  }
}
