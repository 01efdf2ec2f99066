/** The strip above the foot: notices, warnings, hints. At the bottom, so that nothing a candidate is reading ever jumps. */

import { formatLeft } from '../core/timer.ts'
import { h, sign } from '../shared/dom.ts'
import type { AppContext } from './context.ts'
import { canHandOver, handOverView, OFFERED_AFTER_MS } from './hand_over_view.ts'
import type { ExamSession } from './session.ts'
import { t } from '../shared/texts.ts'

/** Notices already read out, so that a screen drawn anew does not repeat them. */
const SPOKEN = new WeakMap<ExamSession, Set<number>>()

const WARNING_STAYS_MS = 20_000
/** "Not saved" must last a moment before it is explained; most gaps are over sooner. */
const HINT_AFTER_MS = 2_000

export interface Strip {
  readonly element: HTMLElement
  warn(text: string): void
}

export function stripView(app: AppContext, session: ExamSession, signal: AbortSignal): Strip {
  const element = h('div', { class: 'strip' })
  const warning = h('div', { class: 'strip__line strip__line--warning' })
  const hint = h('div', { class: 'strip__line strip__line--hint' })
  const notices = h('div', { class: 'strip__notices' })
  const reading = h('div', { class: 'strip__line strip__line--reading' }, sign('seat'), h('p', {}, t('elsewhere.reading')), h('button', { class: 'button button--small', type: 'button', on: { click: () => app.showPaper() } }, t('elsewhere.reading-end')))
  const file = handOverView(session)
  warning.hidden = hint.hidden = true
  reading.hidden = session.phase !== 'elsewhere'
  element.append(notices, warning, reading, hint, file)
  const spoken = SPOKEN.get(session) ?? new Set<number>()
  SPOKEN.set(session, spoken)
  let unsavedSince: number | null = null

  const updateNotices = (): void => {
    notices.replaceChildren(
      ...session.notices.map((notice) => {
        const seconds = notice.kind === 'time' ? (notice.extra_seconds ?? 0) : 0
        const minutes = Math.round(seconds / 60)
        const change = seconds < 0 ? t('notice.less', { time: formatLeft(-seconds * 1000) }) : minutes > 0 ? t('notice.extra', { minutes }) : ''
        const text = [change, notice.text ?? ''].filter(Boolean).join(' ')
        const title = t(notice.kind !== 'time' ? 'notice.message' : seconds < 0 ? 'notice.time-less' : 'notice.time')
        if (!spoken.has(notice.id)) {
          spoken.add(notice.id)
          app.announce(`${title}: ${text}`)
        }
        return h(
          'div',
          { class: `strip__line strip__line--${notice.kind}` },
          sign(notice.kind === 'time' ? 'clock' : 'message'),
          h('p', {}, h('strong', {}, `${title}: `), text),
          h('button', { class: 'button button--small', type: 'button', on: { click: () => session.dismiss(notice.id) } }, t('notice.dismiss')),
        )
      }),
    )
  }

  const updateHint = (): void => {
    file.hidden = session.isReachable || session.unsavedMs < OFFERED_AFTER_MS || !canHandOver(session)
    const isUnsaved = session.saveState === 'not-saved'
    const now = performance.now()
    unsavedSince = isUnsaved ? (unsavedSince ?? now) : null
    const text = session.isVaultBroken ? t('save.vault') : unsavedSince !== null && now - unsavedSince >= HINT_AFTER_MS ? t('save.hint') : ''
    if (hint.textContent === text) return
    hint.hidden = text === ''
    hint.replaceChildren(...(text === '' ? [] : [sign('warn'), h('p', {}, text)]))
  }

  let timer: ReturnType<typeof setTimeout> | undefined
  signal.addEventListener('abort', () => clearTimeout(timer))
  updateNotices()
  updateHint()
  session.on('notices', updateNotices, signal)
  session.on('save', updateHint, signal)
  session.on('phase', updateHint, signal)

  return {
    element,
    warn(text) {
      warning.replaceChildren(sign('clock'), h('p', {}, text))
      warning.hidden = false
      clearTimeout(timer)
      timer = setTimeout(() => (warning.hidden = true), WARNING_STAYS_MS)
    },
  }
}
