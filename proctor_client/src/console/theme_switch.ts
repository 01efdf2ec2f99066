/** <theme-switch>: the reader's colours, kept as a cookie, so that the server's next page comes in them. */

import { h } from '../shared/dom.ts'
import * as preferences from '../shared/preferences.ts'
import { t } from '../shared/staff_texts.ts'

export class ThemeSwitch extends HTMLElement {
  static define(): void {
    customElements.define('theme-switch', ThemeSwitch)
  }

  connectedCallback(): void {
    const chosen = preferences.theme()
    const select = h(
      'select',
      { class: 'select select--small', 'aria-label': t('theme.label'), on: { change: () => press() } },
      ...preferences.THEMES.map((name) => h('option', { value: name, selected: name === chosen }, t(`theme.${name}`))),
    )
    const press = (): void => {
      const next = preferences.THEMES.find((name) => name === select.value)
      if (next) preferences.useTheme(next)
    }
    this.replaceChildren(select)
  }
}
