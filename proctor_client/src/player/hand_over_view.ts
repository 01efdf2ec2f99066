/** The button that puts this seat's answers into a file for the invigilator; only where they cannot go by the network. */

import { canSeal } from '../core/sealing.ts'
import { h } from '../shared/dom.ts'
import type { ExamSession } from './session.ts'
import { t } from '../shared/texts.ts'

/** How long answers wait before the file is offered: most gaps are over sooner. */
export const OFFERED_AFTER_MS = 120_000

export function handOverView(session: ExamSession): HTMLElement {
  const status = h('p', { class: 'small', role: 'status' })
  const save = async (): Promise<void> => {
    const file = await session.handOver().catch(() => null)
    if (file === null) {
      status.textContent = t('hand-over.failed')
      return
    }
    const name = `ban-giao-${session.candidate.number}-${session.attemptId.slice(0, 8)}.exam.json`
    download(file, name)
    session.note('hand_over_saved')
    status.textContent = t('hand-over.saved', { name })
  }
  const button = h('button', { class: 'button', type: 'button', on: { click: () => void save() } }, t('hand-over.save'))
  return h('div', { class: 'hand-over' }, h('p', { class: 'small soft' }, t('hand-over.hint')), button, status)
}

export function canHandOver(session: ExamSession): boolean {
  return canSeal() && session.hasKeys
}

function download(text: string, name: string): void {
  const address = URL.createObjectURL(new Blob([text], { type: 'application/octet-stream' }))
  const link = h('a', { href: address, download: name })
  document.body.append(link)
  link.click()
  link.remove()
  setTimeout(() => URL.revokeObjectURL(address), 10_000)
}
