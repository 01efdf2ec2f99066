/** What a seat notices about its surroundings: focus, full screen, pasting, panels, other windows, the clock, the network.
 *
 * Everything goes to the invigilator as an event with its time; nothing here stops or ends a paper.
 */

import { type ClockReading, clockJumpMs } from '../core/clock_jumps.ts'
import { mayPaste, panelOpened, type WindowSize } from '../core/windows.ts'
import type { AppContext } from './context.ts'
import type { Ports } from './ports.ts'
import { t } from '../shared/texts.ts'

const CHANNEL = 'exam-seat'
const CLOCK_LOOK_MS = 5_000
/** A page that was not looked at for so long may have slept. */
const PAUSE_MS = 15_000
const COPIES_KEPT = 20

export function watchSeat(app: AppContext, ports: Ports, signal: AbortSignal): void {
  const on = (target: EventTarget, kind: string, act: (event: Event) => void): void => target.addEventListener(kind, act, { signal })
  on(window, 'online', () => { app.session?.note('online'); app.session?.nudge() })
  on(window, 'offline', () => app.session?.note('offline'))
  on(window, 'blur', () => app.session?.note('focus_lost'))
  on(window, 'focus', () => app.session?.note('focus_back'))
  on(window, 'pagehide', () => app.session?.secure())
  on(document, 'visibilitychange', () => {
    if (document.visibilityState === 'hidden') app.session?.secure()
    else app.session?.nudge() // a computer that slept may have lost count: ask the time at once
  })
  on(document, 'fullscreenchange', () => { if (document.fullscreenElement === null) app.session?.note('fullscreen_left') })
  watchPanels(app, on)
  watchPasting(app, on)
  watchClock(app, ports, signal)
  watchWindows(app, signal)
}

function watchPanels(app: AppContext, on: (target: EventTarget, kind: string, act: () => void) => void): void {
  // On touch screens the keyboard takes the room.
  if (!matchMedia('(pointer: fine)').matches) return
  let before = windowSize()
  on(window, 'resize', () => {
    const now = windowSize()
    if (panelOpened(before, now)) app.session?.note('devtools_open', { width: now.innerWidth, height: now.innerHeight })
    before = now
  })
}

function windowSize(): WindowSize {
  const { outerWidth, outerHeight, innerWidth, innerHeight } = window
  return { outerWidth, outerHeight, innerWidth, innerHeight, pixelRatio: window.devicePixelRatio }
}

function watchPasting(app: AppContext, on: (target: EventTarget, kind: string, act: (event: Event) => void) => void): void {
  const copies: string[] = []
  const remember = (event: Event): void => {
    const { target } = event
    const field = target instanceof HTMLTextAreaElement || target instanceof HTMLInputElement ? target : null
    const text = field ? field.value.slice(field.selectionStart ?? 0, field.selectionEnd ?? 0) : String(document.getSelection() ?? '')
    copies.push(text)
    copies.splice(0, copies.length - COPIES_KEPT)
  }
  on(document, 'copy', remember)
  on(document, 'cut', remember)
  on(document, 'paste', (event) => {
    const { session } = app
    if (session?.phase !== 'paper') return
    const text = (event as ClipboardEvent).clipboardData?.getData('text/plain') ?? ''
    if (mayPaste(text, copies)) return
    event.preventDefault()
    session.note('paste_blocked', { characters: text.length })
    app.warn(t('paste.blocked'))
  })
}

function watchClock(app: AppContext, ports: Ports, signal: AbortSignal): void {
  const read = (): ClockReading => ({ wallMs: ports.wall(), counterMs: ports.counter() })
  let before = read()
  const looking = setInterval(() => {
    const now = read()
    const jumpMs = clockJumpMs(before, now, PAUSE_MS)
    if (jumpMs !== 0) app.session?.note('clock_jump', { by_seconds: Math.round(jumpMs / 1000) })
    before = now
  }, CLOCK_LOOK_MS)
  signal.addEventListener('abort', () => clearInterval(looking))
}

/** Windows of the same browser hear each other without any server. */
function watchWindows(app: AppContext, signal: AbortSignal): void {
  if (!('BroadcastChannel' in window)) return
  const channel = new BroadcastChannel(CHANNEL)
  signal.addEventListener('abort', () => channel.close())
  channel.onmessage = ({ data }: MessageEvent<{ attempt?: string; isAnswer?: boolean }>) => {
    const { session } = app
    if (!session || data.attempt !== session.attemptId) return
    session.note('second_window')
    if (!data.isAnswer) channel.postMessage({ attempt: session.attemptId, isAnswer: true })
  }
  app.onOpened((attemptId) => channel.postMessage({ attempt: attemptId }))
}
