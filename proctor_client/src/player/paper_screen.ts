/** The paper: one item at a time, its passage beside it where there is room, the palette, the foot. */

import { moved } from '../core/navigation.ts'
import type { Entry } from '../core/paper.ts'
import { type Command, commandOf } from '../core/shortcuts.ts'
import { content } from '../interactions/content.ts'
import { type ItemView, itemView } from '../interactions/item_view.ts'
import { h, sign } from '../shared/dom.ts'
import { hasSingleKeys } from '../shared/preferences.ts'
import type { AppContext } from './context.ts'
import { frameView, spokenTime } from './frame.ts'
import { paletteView } from './palette_view.ts'
import type { Screen } from './screen.ts'
import type { ExamSession } from './session.ts'
import { stripView } from './strip.ts'
import { showHelp } from './tools.ts'
import { t } from '../shared/texts.ts'

export function paperScreen(app: AppContext, session: ExamSession, signal: AbortSignal): Screen {
  const element = h('div', { class: 'desk' })
  const passage = h('section', { class: 'desk__passage', tabindex: 0 })
  const page = h('main', { class: 'desk__page', id: 'question' })
  const side = h('aside', { class: 'desk__side', id: 'palette' })
  const strip = stripView(app, session, signal)
  const flag = h('button', { class: 'button foot__flag', type: 'button', on: { click: () => toggleFlag() } })
  const previous = h('button', { class: 'button', type: 'button', 'aria-label': t('item.previous'), on: { click: () => move('previous') } }, sign('left'), h('span', { class: 'foot__label' }, t('item.previous')))
  const next = h('button', { class: 'button button--primary foot__next', type: 'button', on: { click: () => move('next') } })
  const foot = h('footer', { class: 'foot' }, strip.element, h('div', { class: 'foot__row' }, previous, flag, next))
  let view: ItemView | null = null
  let shown: Entry | null = null

  side.append(
    paletteView(session, signal, (position) => goTo(position)),
    h('button', { class: 'button button--block desk__review', type: 'button', on: { click: () => app.showReview() } }, t('frame.review')),
  )
  element.append(
    h('a', { class: 'skip-link', href: '#question' }, t('app.skip')),
    frameView(app, session, signal, openPalette),
    passage,
    page,
    side,
    foot,
  )

  function showItem(moveFocus: boolean): void {
    const entry = session.marks.entry
    if (!entry || entry === shown) return
    showPassage(entry, shown)
    shown = entry
    const section = session.paper.sections[entry.section]
    view = itemView(
      {
        entry,
        prefix: 'item',
        contentLanguage: session.paper.language,
        onChange: (value) => session.answer(entry.slot, value),
        onDraft: (value) => session.answerSoon(entry.slot, value),
        onSettle: () => session.settleDrafts(),
      },
      section?.part ?? null,
    )
    view.interaction.show(session.value(entry.slot))
    const clear = h('button', { class: 'button button--quiet button--small item__clear', type: 'button', on: { click: clearAnswer } }, t('item.clear'))
    view.element.append(h('div', { class: 'item__foot' }, h('p', { class: 'item__refused', role: 'status' }), clear))
    page.replaceChildren(sectionHead(entry) ?? '', view.element)
    page.scrollTop = 0
    if (page.scrollHeight <= page.clientHeight) window.scrollTo({ top: 0 })
    updateAnswer()
    updateFoot()
    if (moveFocus) view.heading.focus({ preventScroll: true })
  }

  function sectionHead(entry: Entry): HTMLElement | null {
    const section = session.paper.sections[entry.section]
    if (!section || (section.part.title === '' && section.part.instructions === '')) return null
    return h(
      'div',
      { class: 'section-head' },
      section.part.title !== '' && h('p', { class: 'section-head__title' }, section.part.title),
      section.part.instructions !== '' && h('p', { class: 'section-head__text' }, section.part.instructions),
    )
  }

  function showPassage(entry: Entry, before: Entry | null): void {
    const { stimulus } = entry
    element.classList.toggle('desk--passage', stimulus !== null)
    passage.hidden = stimulus === null
    if (stimulus === null || stimulus === before?.stimulus) return
    const positions = session.paper.entries.filter((other) => other.stimulus === stimulus).map((other) => other.position)
    const [from, to] = [positions[0] ?? entry.position, positions.at(-1) ?? entry.position]
    const title = from === to ? t('item.stimulus-for-one', { from }) : t('item.stimulus-for', { from, to })
    passage.setAttribute('aria-label', title)
    passage.replaceChildren(
      h(
        'details',
        { class: 'passage', open: true },
        h('summary', { class: 'passage__label' }, title),
        stimulus.title !== '' && h('h2', { class: 'passage__title', lang: session.paper.language }, stimulus.title),
        content(stimulus.content, session.paper.language),
      ),
    )
    passage.scrollTop = 0
  }

  function updateAnswer(): void {
    if (!view || !shown) return
    const hasAnswer = session.value(shown.slot) !== null && session.value(shown.slot) !== ''
    const clear = view.element.querySelector<HTMLElement>('.item__clear')
    if (clear) clear.hidden = !hasAnswer || session.isReadOnly
    const refused = view.element.querySelector<HTMLElement>('.item__refused')
    if (refused) refused.textContent = session.refusedSlots.has(shown.slot) ? t('save.refused') : ''
    view.interaction.setReadOnly(session.isReadOnly)
  }

  function updateFoot(): void {
    const entry = session.marks.entry
    if (!entry) return
    const isFlagged = session.marks.flagged.has(entry.slot)
    flag.replaceChildren(sign('flag'), h('span', { class: 'foot__label' }, t(isFlagged ? 'item.flagged' : 'item.flag')))
    flag.setAttribute('aria-pressed', String(isFlagged))
    flag.setAttribute('aria-label', t('item.flag'))
    previous.setAttribute('aria-disabled', String(entry.position === 1))
    const isLast = entry.position === session.paper.entries.length
    next.replaceChildren(h('span', { class: 'foot__label foot__label--always' }, t(isLast ? 'frame.review' : 'item.next')), sign('right'))
  }

  function move(direction: 'next' | 'previous'): void {
    const total = session.paper.entries.length
    if (direction === 'next' && session.marks.position === total) app.showReview()
    else goTo(moved(session.marks.position, direction, total))
  }
  function goTo(position: number): void {
    session.goTo(position)
    view?.heading.focus({ preventScroll: true })
  }
  function toggleFlag(): void {
    if (shown) session.toggleFlag(shown.slot)
  }
  function clearAnswer(): void {
    if (!shown || !view || session.isReadOnly) return
    session.answer(shown.slot, null)
    view.interaction.show(null)
    view.heading.focus({ preventScroll: true })
  }

  function openPalette(): void {
    const stop = new AbortController()
    const dialog = h('dialog', { class: 'dialog sheet', 'aria-label': t('palette.title') })
    const close = (): void => dialog.close()
    dialog.append(
      h('button', { class: 'button button--quiet button--icon sheet__close', type: 'button', 'aria-label': t('app.close'), on: { click: close } }, sign('close')),
      paletteView(session, stop.signal, (position) => {
        close()
        goTo(position)
      }),
      h('button', { class: 'button button--block', type: 'button', on: { click: () => { close(); app.showReview() } } }, t('frame.review')),
    )
    dialog.addEventListener('close', () => {
      stop.abort()
      dialog.remove()
    })
    dialog.addEventListener('click', (event) => { if (event.target === dialog) close() })
    element.append(dialog)
    dialog.showModal()
    dialog.querySelector<HTMLElement>('[aria-current]')?.focus()
  }

  function obey(command: Command): boolean {
    switch (command.do) {
      case 'next':
      case 'previous':
        move(command.do)
        return true
      case 'flag':
        toggleFlag()
        return true
      case 'review':
        app.showReview()
        return true
      case 'help':
        void showHelp(element)
        return true
      case 'clear':
        clearAnswer()
        return true
      case 'time':
        app.announce(spokenTime(session))
        return true
      case 'leave-text':
        view?.heading.focus()
        return true
      case 'choose':
        return view?.interaction.choose(command.index) ?? false
      case 'type':
        return view?.interaction.type(command.text) ?? false
    }
  }

  document.addEventListener(
    'keydown',
    (event) => {
      if (event.defaultPrevented || event.isComposing || element.querySelector('dialog[open]')) return
      const focus = document.activeElement
      const command = commandOf(
        { key: event.key, code: event.code, ctrl: event.ctrlKey, alt: event.altKey, shift: event.shiftKey, meta: event.metaKey },
        {
          inText: focus instanceof HTMLTextAreaElement || (focus instanceof HTMLInputElement && focus.type === 'text'),
          inWidget: focus?.closest('.tools__panel') !== null && focus !== null,
          singleKeys: hasSingleKeys(),
          kind: shown?.item.kind ?? null,
          options: shown?.item.kind === 'true_false_cluster' ? 2 : (shown?.choices.length ?? 0),
        },
      )
      if (command && obey(command)) event.preventDefault()
    },
    { signal },
  )

  keepFocusInSight(element, foot, signal)
  session.on('position', () => showItem(false), signal)
  session.on('responses', updateAnswer, signal)
  session.on('marks', updateFoot, signal)
  session.on('phase', updateAnswer, signal)
  showItem(false)

  return {
    element,
    warn: strip.warn,
    focus: () => view?.heading.focus({ preventScroll: true }),
    onRemoteChange: () => {
      if (shown && view) view.interaction.show(session.value(shown.slot))
    },
  }
}

/** The foot grows when a notice comes: what has the focus must not end up under it. */
function keepFocusInSight(desk: HTMLElement, foot: HTMLElement, signal: AbortSignal): void {
  const observer = new ResizeObserver(() => {
    document.documentElement.style.scrollPaddingBottom = `${foot.offsetHeight + 12}px`
    const focus = document.activeElement
    if (focus instanceof HTMLElement && desk.contains(focus) && !foot.contains(focus) && !focus.closest('.frame')) focus.scrollIntoView({ block: 'nearest' })
  })
  observer.observe(foot)
  signal.addEventListener('abort', () => {
    observer.disconnect()
    document.documentElement.style.scrollPaddingBottom = ''
  })
}
