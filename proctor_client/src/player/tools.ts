/** The small panel behind "Display": text size, colours, language, keys; and the list of shortcuts. */

import { type Child, h, sign } from '../shared/dom.ts'
import { LANGUAGES, language, type Language } from '../shared/i18n.ts'
import type { MessageKey } from '../shared/messages/vi.ts'
import * as preferences from '../shared/preferences.ts'
import { t } from '../shared/texts.ts'

export interface ToolsContext {
  readonly signal: AbortSignal
  switchLanguage(next: Language): void
  /** Single-letter shortcuts matter only while a paper is open. */
  readonly hasKeys: boolean
}

export function toolsView(context: ToolsContext): HTMLElement {
  const panel = h('div', { class: 'tools__panel', id: 'tools-panel', role: 'group', 'aria-label': t('tools.title') })
  panel.hidden = true
  const button = h(
    'button',
    { class: 'button button--quiet tools__button', type: 'button', id: 'tools-button', 'aria-expanded': 'false', 'aria-controls': panel.id, on: { click: () => open(panel.hidden !== false) } },
    sign('text'),
    h('span', { class: 'tools__label' }, t('frame.tools')),
  )
  const root = h('div', { class: 'tools' }, button, panel)

  function open(isOpen: boolean): void {
    if (isOpen) fill()
    panel.hidden = !isOpen
    button.setAttribute('aria-expanded', String(isOpen))
  }

  function fill(): void {
    panel.replaceChildren(
      segment('tools.size', preferences.TEXT_SIZES, preferences.textSize(), (step) => h('span', { class: `tools__size-${step}`, 'aria-hidden': 'true' }, 'A'), preferences.useTextSize, (step) => t('tools.size-step', { step })),
      segment('tools.theme', preferences.THEMES, preferences.theme(), (name) => t(`tools.theme-${name}`), preferences.useTheme),
      ...(document.fullscreenEnabled
        ? [segment('tools.screen', [true, false], document.fullscreenElement !== null, (on) => t(on ? 'tools.keys-on' : 'tools.keys-off'), (on) => void (on ? document.documentElement.requestFullscreen() : document.exitFullscreen()).catch(() => undefined))]
        : []),
      segment('tools.language', LANGUAGES, language(), (code) => (code === 'vi' ? 'Tiếng Việt' : 'English'), context.switchLanguage),
      ...(context.hasKeys
        ? [
            segment('tools.keys', [true, false], preferences.hasSingleKeys(), (on) => t(on ? 'tools.keys-on' : 'tools.keys-off'), preferences.useSingleKeys),
            h('button', { class: 'button button--quiet button--small', type: 'button', on: { click: () => void showHelp(root) } }, sign('help'), t('help.title')),
          ]
        : []),
    )
  }

  /** A labelled row of buttons of which one is pressed. */
  function segment<Value>(label: MessageKey, values: readonly Value[], chosen: Value, show: (value: Value) => Child, use: (value: Value) => void, name?: (value: Value) => string): HTMLElement {
    const buttons = values.map((value) =>
      h('button', { class: 'button button--small', type: 'button', 'aria-pressed': String(value === chosen), 'aria-label': name?.(value), on: { click: () => press(value) } }, show(value)),
    )
    function press(value: Value): void {
      buttons.forEach((each, index) => each.setAttribute('aria-pressed', String(values[index] === value)))
      use(value)
    }
    return h('div', { class: 'tools__row', role: 'group', 'aria-label': t(label) }, h('span', { class: 'tools__name' }, t(label)), h('div', { class: 'button-group' }, ...buttons))
  }

  const { signal } = context
  document.addEventListener('pointerdown', (event) => { if (!root.contains(event.target as Node)) open(false) }, { signal })
  root.addEventListener('keydown', (event) => {
    if (event.key !== 'Escape' || panel.hidden) return
    event.stopPropagation()
    open(false)
    button.focus()
  })
  root.addEventListener('focusout', (event) => {
    if (event.relatedTarget instanceof Node && !root.contains(event.relatedTarget)) open(false)
  })
  return root
}

const SHORTCUTS = ['choose', 'cluster', 'type', 'next', 'previous', 'flag', 'clear', 'review', 'time', 'leave', 'help'] as const

/** The table of shortcuts, also shown in the waiting room. */
export function shortcutTable(): HTMLElement {
  const keys = (text: string): Node[] =>
    text.split(/(, | hoặc | or | \/ |–| \()/).map((part, index) => (index % 2 === 0 && !part.endsWith(')') ? h('kbd', { class: 'key' }, part) : document.createTextNode(part)))
  return h(
    'table',
    { class: 'table table--tight' },
    h('tbody', {}, ...SHORTCUTS.map((name) => h('tr', {}, h('th', { scope: 'row' }, t(`help.${name}`)), h('td', { class: 'keys' }, ...keys(t(`help.${name}-keys`)))))),
  )
}

/** Opens the shortcuts as a dialog inside `host`; settles when it is closed. */
export function showHelp(host: HTMLElement): Promise<void> {
  return showDialog(host, 'help.title', [h('p', { class: 'soft' }, t('help.lead')), shortcutTable()], [{ label: t('app.close'), value: 'close', look: 'button--primary' }]).then(() => undefined)
}

interface DialogAction {
  readonly label: string
  readonly value: string
  readonly look: string
}

/** A native modal dialog; resolves with the value of the button pressed, or with '' on Escape. */
export function showDialog(host: HTMLElement, title: MessageKey, body: readonly Child[], actions: readonly DialogAction[]): Promise<string> {
  const buttons = actions.map((action) => h('button', { class: `button ${action.look}`, type: 'button', on: { click: () => dialog.close(action.value) } }, action.label))
  const dialog = h(
    'dialog',
    { class: 'dialog', 'aria-labelledby': 'dialog-title' },
    h('h2', { class: 'dialog__title', id: 'dialog-title' }, t(title)),
    h('div', { class: 'stack' }, ...body),
    h('div', { class: 'dialog__actions' }, ...buttons),
  )
  host.append(dialog)
  return new Promise((resolve) => {
    dialog.addEventListener('close', () => {
      dialog.remove()
      resolve(dialog.returnValue)
    })
    dialog.showModal()
    buttons.at(-1)?.focus()
  })
}
