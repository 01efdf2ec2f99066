/** The candidate's application: which screen is on, who is signed in, which attempt is open. */

import type { AttemptList, AttemptSummary } from '../shared/api.ts'
import { toBase64 } from '../core/base64.ts'
import { canSeal, sha256Hex } from '../core/sealing.ts'
import { readClock, type ServerClock, serverNow } from '../core/timer.ts'
import { h } from '../shared/dom.ts'
import { keepLanguage, startLanguage } from '../shared/preferences.ts'
import { type Language } from '../shared/i18n.ts'
import { PaperMismatch } from '../core/paper.ts'
import type { AppContext } from './context.ts'
import { checkDisk, type DiskTrouble } from './disk_check.ts'
import { handingInScreen, overScreen, receiptScreen } from './endings.ts'
import { elsewhereScreen, lockedScreen, pausedScreen } from './holds.ts'
import { openAttempt, openByCode } from './opening.ts'
import { forgetLeftBehind, leaveBehind, takeUpLeftBehind } from './left_behind.ts'
import { Prefetch } from './prefetch.ts'
import { paperScreen } from './paper_screen.ts'
import { reviewScreen } from './review_screen.ts'
import type { Screen } from './screen.ts'
import { safeBrowserShown } from './safe_browser.ts'
import { Refused } from './server.ts'
import type { Ports } from './ports.ts'
import type { ExamSession } from './session.ts'
import { signInScreen } from './sign_in_screen.ts'
import { receiptOfSession, receiptSoFar } from './receipts.ts'
import { watchSeat } from './seat_watch.ts'
import { freshClientId, isReload, keepVisit, openVisit, type ReceiptFacts, recallVisit, type Visit } from './tab_memory.ts'
import { waitingScreen } from './waiting_screen.ts'
import { loadTexts, t } from '../shared/texts.ts'

type Place = 'paper' | 'review' | 'reading'

export class ExamApp extends HTMLElement implements AppContext {
  #ports: Ports | null = null
  #visit: Visit | null = null
  #photo: Promise<string | null> | null = null
  #session: ExamSession | null = null
  #place: Place = 'paper'
  #clock: ServerClock | null = null
  #screen: Screen | null = null
  #screenEnds = new AbortController()
  #sessionEnds = new AbortController()
  #expired = false
  #prefetch: Prefetch | null = null
  #diskTrouble: DiskTrouble | null = null
  #receipt: ReceiptFacts | null = null
  readonly #openedListeners: ((attemptId: string) => void)[] = []
  readonly #stage = h('div', { class: 'stage' })
  readonly #voice = h('div', { class: 'visually-hidden', role: 'status', 'aria-live': 'polite' })

  static define(): void {
    customElements.define('exam-app', ExamApp)
  }

  get visit(): Visit | null {
    return this.#visit
  }
  get session(): ExamSession | null {
    return this.#session
  }
  get diskTrouble(): DiskTrouble | null {
    return this.#diskTrouble
  }

  /** Start the application on its ports: the server, the vault, the counters. */
  async open(ports: Ports): Promise<void> {
    this.#ports = ports
    const query = new URLSearchParams(location.search)
    await this.#useLanguage(startLanguage(query.get('lang')))
    this.replaceChildren(this.#stage, this.#voice)
    const ticking = setInterval(() => this.#session?.tick(), 1000)
    this.#sessionEnds.signal.addEventListener('abort', () => clearInterval(ticking))
    watchSeat(this, ports, this.#sessionEnds.signal)
    this.#guardLeaving()
    this.#prefetch = new Prefetch(ports, () => this.#screen?.onNews?.())
    this.#sessionEnds.signal.addEventListener('abort', () => this.#prefetch?.stop())
    void this.#lookAtDisk(ports)
    const visit = recallVisit()
    takeUpLeftBehind(ports, visit?.attemptId ?? null)
    if (visit === null) return this.#draw()
    this.#visit = isReload() ? visit : { ...visit, clientId: freshClientId() }
    ports.server.useToken(visit.token)
    if (visit.attemptId === null || visit.receipt) return this.#draw()
    this.#stage.replaceChildren(h('p', { class: 'loading' }, t('app.loading')))
    try {
      await this.#open(visit.attemptId, true)
      this.#session?.note('reload')
    } catch (error) {
      if (error instanceof Refused && error.status === 401) this.#expired = true
      this.#remember({ attemptId: null })
      this.#draw()
    }
  }

  nowMs(): number {
    if (this.#clock !== null) return serverNow(this.#clock, this.#counter())
    return Date.now() + (this.#visit?.wallOffsetMs ?? 0)
  }

  clockErrorMs(): number | null {
    return this.#clock === null ? null : Date.now() - serverNow(this.#clock, this.#counter())
  }

  hasFetched(attempt: AttemptSummary): boolean {
    return this.#prefetch?.has(attempt) ?? false
  }

  receiptOf(session: ExamSession): ReceiptFacts | null {
    return this.#receipt?.attemptId === session.attemptId ? this.#receipt : null
  }

  onOpened(listener: (attemptId: string) => void): void {
    this.#openedListeners.push(listener)
  }

  seatOf(attemptId: string): { readonly room: string | null; readonly seat: number | null } {
    return this.#visit?.attempts.find((attempt) => attempt.attempt_id === attemptId) ?? { room: null, seat: null }
  }

  readonly switchLanguage = (next: Language): void => {
    void this.#useLanguage(next).then(() => {
      this.#draw()
      document.getElementById('tools-button')?.focus()
    })
  }

  /** Without its texts a language is not switched to: better the known one than none. */
  async #useLanguage(next: Language): Promise<void> {
    const isThere = await loadTexts(next).then(() => true, () => false)
    keepLanguage(isThere ? next : 'vi')
    this.#ports?.server.useLanguage(isThere ? next : 'vi')
    document.title = t('app.name')
  }

  announce(text: string): void {
    // The same words twice in a row would not be read: a no-break space makes them different.
    this.#voice.textContent = this.#voice.textContent === text ? `${text}\u00a0` : text
  }

  warn(text: string): void {
    this.announce(text)
    this.#screen?.warn?.(text)
  }

  async signIn(exam: string, number: string, code: string): Promise<void> {
    const sent = this.#counter()
    const card = canSeal() ? await sha256Hex(new TextEncoder().encode(`${exam} ${number} ${code}`)) : ''
    const signedIn = await this.#server.signIn({ exam, candidate_number: number, code }).catch(async (error: unknown) => {
      if (error instanceof Refused || !(await this.#openKept(card))) throw error
    })
    if (!signedIn) return
    this.#clock = readClock(this.#clock, signedIn.server_time_ms, sent, this.#counter())
    this.#server.useToken(signedIn.token)
    const { token, candidate, attempts } = signedIn
    this.#visit = { token, candidate, exam: signedIn.exam, attempts, attemptId: null, clientId: this.#visit?.clientId ?? freshClientId(), wallOffsetMs: this.nowMs() - Date.now(), card }
    this.#expired = false
    this.#photo = null
    keepVisit(this.#visit)
    this.#prefetch?.consider(attempts, this.nowMs())
    this.#draw()
  }

  /** Nobody answers, but the paper of this card lies open on this computer: a power cut, and the network is still out. */
  async #openKept(card: string): Promise<boolean> {
    const kept = openVisit(card)
    if (!kept?.attemptId) return false
    const before = this.#visit
    this.#visit = { ...kept, clientId: freshClientId() }
    this.#server.useToken(kept.token)
    this.#expired = false
    return this.#open(kept.attemptId, true).then(() => true, () => {
      this.#visit = before
      return false
    })
  }

  async refreshAttempts(): Promise<AttemptList> {
    const sent = this.#counter()
    try {
      const list = await this.#server.attempts()
      this.#clock = readClock(this.#clock, list.server_time_ms, sent, this.#counter())
      this.#remember({ attempts: list.attempts, wallOffsetMs: this.nowMs() - Date.now() })
      this.#prefetch?.consider(list.attempts, this.nowMs())
      return list
    } catch (error) {
      if (error instanceof Refused && error.status === 401) this.#signOut()
      throw error
    }
  }

  /** Asked once a visit: the waiting room is drawn anew for every language. */
  photo(): Promise<string | null> {
    this.#photo ??= this.#server.photo().then(
      (bytes) => (bytes.length > 0 ? `data:image/jpeg;base64,${toBase64(bytes)}` : null),
      () => null,
    )
    return this.#photo
  }

  /** A check that does not get through is no reason to wait: the board shows that none came. */
  #showSafeBrowser(attemptId: string): void {
    void safeBrowserShown(window).then((shown) => shown && this.#server.showSafeBrowser(attemptId, shown)).catch(() => undefined)
  }

  async startAttempt(attemptId: string): Promise<void> {
    try {
      await this.#open(attemptId, false)
      this.#session?.note('start')
      this.#showSafeBrowser(attemptId)
    } catch (error) {
      if (error instanceof Refused && error.status === 401) {
        this.#signOut()
        return
      }
      if (error instanceof PaperMismatch) throw new Refused(0, 'paper-mismatch', t('error.paper', { slot: error.slot }), {})
      throw error
    }
  }

  async startByCode(attemptId: string, code: string): Promise<void> {
    const ports = this.#ports
    const visit = this.#visit
    if (!ports || !visit) return
    this.#take(await openByCode(ports, { attemptId, sittingId: this.#sittingOf(attemptId), clientId: visit.clientId, isReturn: false }, code, this.nowMs()))
  }

  readPaper(): void {
    this.#place = 'reading'
    this.#draw()
  }

  showPaper(): void {
    this.#place = 'paper'
    this.#draw()
  }

  showReview(): void {
    this.#session?.settleDrafts()
    this.#place = 'review'
    this.#draw()
  }

  async leave(): Promise<void> {
    const session = this.#session
    const exam = this.#visit?.exam.code ?? ''
    session?.stop()
    const isKept = session?.phase === 'handed-in' && !session.isStored
    if (session && !isKept && session.unsaved === 0 && session.late === 0) await this.#ports?.vault.erase(session.attemptId, session.formHash).catch(() => undefined)
    navigator.serviceWorker?.controller?.postMessage('forget-media')
    keepVisit(null)
    location.replace(`${location.pathname}${exam === '' ? '' : `?exam=${encodeURIComponent(exam)}`}`)
  }

  async #open(attemptId: string, isReturn: boolean): Promise<void> {
    const ports = this.#ports
    const visit = this.#visit
    if (!ports || !visit) return
    this.#take(await openAttempt(ports, { attemptId, sittingId: this.#sittingOf(attemptId), clientId: visit.clientId, isReturn }))
  }

  /** From here on this attempt is on the screen. */
  #take(session: ExamSession): void {
    this.#session?.stop()
    this.#session = session
    this.#place = 'paper'
    this.#remember({ attemptId: session.attemptId })
    session.on('phase', () => this.#onPhase(), this.#sessionEnds.signal)
    session.on('receipt', () => void this.#wipeStored(session), this.#sessionEnds.signal)
    session.on('remote', () => this.#screen?.onRemoteChange?.(), this.#sessionEnds.signal)
    session.begin()
    for (const listener of this.#openedListeners) listener(session.attemptId)
    this.#draw()
    if (session.phase === 'handed-in' || session.phase === 'over') void this.#fetchReceipt(session)
  }

  /** Should this page go before the paper is stored twice, the next one here asks on. */
  #leaveBehind(session: ExamSession): void {
    const { attemptId, sittingId, isStored } = session
    if (this.#visit && !isStored) leaveBehind({ attemptId, sittingId, token: this.#visit.token })
  }

  #sittingOf(attemptId: string): string {
    return this.#visit?.attempts.find((attempt) => attempt.attempt_id === attemptId)?.sitting_id ?? attemptId
  }

  /** Take the receipt home. */
  async #fetchReceipt(session: ExamSession): Promise<void> {
    const ports = this.#ports
    if (!ports) return
    this.#receipt = await receiptOfSession(ports.server, session)
    if (session !== this.#session) return
    if (session.phase === 'handed-in') this.#draw()
    else session.tellReceipt()
  }

  /** Both stores of the server have the paper: nothing of it need stay on this computer. */
  async #wipeStored(session: ExamSession): Promise<void> {
    if (!session.isStored || !(await session.forget())) return
    forgetLeftBehind(session.attemptId)
    navigator.serviceWorker?.controller?.postMessage('forget-media')
    if (session === this.#session) this.#remember({ receipt: this.#receipt ?? receiptSoFar(session) })
  }

  #shownPhase = ''
  #onPhase(): void {
    const session = this.#session
    if (!session) return
    if (session.phase === 'signed-out') this.#signOut()
    else if (session.phase !== this.#shownPhase) {
      if (session.phase !== 'over') this.#place = 'paper'
      if (session.phase === 'handed-in') this.#leaveBehind(session)
      this.#draw()
      if (session.phase === 'handed-in' || session.phase === 'over') void this.#fetchReceipt(session)
    }
  }

  /** The token is not taken any more: the card opens the door again, and nothing on this computer is touched. */
  #signOut(): void {
    this.#session?.stop()
    this.#session = null
    this.#expired = true
    this.#draw()
  }

  #draw(): void {
    this.#screenEnds.abort()
    this.#screenEnds = new AbortController()
    this.#screen = this.#make(this.#screenEnds.signal)
    this.#shownPhase = this.#session?.phase ?? ''
    this.#stage.replaceChildren(this.#screen.element)
    window.scrollTo(0, 0)
    this.#screen.focus?.()
  }

  #make(signal: AbortSignal): Screen {
    const session = this.#session
    const visit = this.#visit
    if (!visit || this.#expired) {
      const query = new URLSearchParams(location.search)
      return signInScreen(this, { exam: visit?.exam.code ?? query.get('exam') ?? '', number: visit?.candidate.number ?? query.get('number') ?? '', isReturn: this.#expired }, signal)
    }
    if (!session && visit.receipt) return receiptScreen(this, visit.receipt, signal)
    if (!session) return waitingScreen(this, visit, signal)
    switch (session.phase) {
      case 'paper':
      case 'signed-out':
        return this.#place === 'review' ? reviewScreen(this, session, signal) : paperScreen(this, session, signal)
      case 'handing-in':
        return handingInScreen(this, session, signal)
      case 'handed-in':
        return receiptScreen(this, this.receiptOf(session) ?? receiptSoFar(session), signal, session)
      case 'over':
        return overScreen(this, session, signal)
      case 'elsewhere':
        return this.#place === 'reading' ? paperScreen(this, session, signal) : elsewhereScreen(this, session, signal)
      case 'paused':
        return pausedScreen(this, session, signal)
      case 'locked':
        return lockedScreen(this, session, signal)
    }
  }

  async #lookAtDisk(ports: Ports): Promise<void> {
    const { trouble, freeMegabytes } = await checkDisk(ports.vault)
    this.#diskTrouble = trouble
    if (trouble === null) return
    this.#screen?.onNews?.()
    // Told once there is somebody to tell it for.
    this.onOpened(() => this.#session?.note(trouble === 'broken' ? 'private_mode' : 'storage_full', { free_megabytes: freeMegabytes }))
  }

  #guardLeaving(): void {
    const { signal } = this.#sessionEnds
    window.addEventListener(
      'beforeunload',
      (event) => {
        const session = this.#session
        // Only where leaving would lose something: what is on the disk comes back by itself.
        if (session && session.isVaultBroken && session.unsaved > 0) event.preventDefault()
      },
      { signal },
    )
  }

  #remember(changes: Partial<Visit>): void {
    if (!this.#visit) return
    this.#visit = { ...this.#visit, ...changes }
    keepVisit(this.#visit)
  }

  get #server(): Ports['server'] {
    if (!this.#ports) throw new Error('the application is not open yet')
    return this.#ports.server
  }

  #counter(): number {
    return this.#ports?.counter() ?? 0
  }
}
