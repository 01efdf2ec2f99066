/** True/false cluster: a table with row headers; each radio is named by its statement and its column. */

import type { ClusterItem, ResponseValue } from '../shared/api.ts'
import { h } from '../shared/dom.ts'
import { content } from './content.ts'
import type { InteractionContext, InteractionView } from './view.ts'
import { t } from '../shared/texts.ts'

interface Row {
  readonly value: string
  readonly yes: HTMLInputElement
  readonly no: HTMLInputElement
}

export function clusterView(_item: ClusterItem, context: InteractionContext): InteractionView {
  const { entry, prefix } = context
  const name = `${prefix}-${entry.slot}`
  const yesHead = `${name}-true`
  const noHead = `${name}-false`

  const radio = (row: string, column: string, group: string, value: string): HTMLInputElement =>
    h('input', { class: 'cluster__input', type: 'radio', name: group, value, 'aria-labelledby': `${row} ${column}`, on: { change: tell } })

  const rows: Row[] = entry.choices.map((choice) => {
    const head = `${name}-${choice.letter}`
    return { value: choice.value, yes: radio(head, yesHead, head, 'true'), no: radio(head, noHead, head, 'false') }
  })

  function tell(): void {
    const judged = rows.filter((row) => row.yes.checked || row.no.checked).map((row) => [row.value, row.yes.checked] as const)
    context.onChange(Object.fromEntries(judged))
  }

  const mark = (input: HTMLInputElement, label: string): HTMLElement =>
    h('label', { class: 'cluster__mark' }, input, h('span', { class: 'cluster__bubble', 'aria-hidden': 'true' }, label.charAt(0)))

  const table = h(
    'table',
    { class: 'cluster' },
    h('caption', { class: 'visually-hidden' }, t('cluster.legend', { position: entry.position })),
    h(
      'thead',
      {},
      h(
        'tr',
        {},
        h('th', { scope: 'col', class: 'cluster__statement-head' }, t('cluster.statement')),
        h('th', { scope: 'col', id: yesHead }, t('cluster.true')),
        h('th', { scope: 'col', id: noHead }, t('cluster.false')),
      ),
    ),
    h(
      'tbody',
      {},
      ...entry.choices.map((choice, index) => {
        const row = rows[index]
        const statement = content(choice.content, context.contentLanguage, 'content cluster__content')
        return h(
          'tr',
          {},
          h('th', { scope: 'row', id: `${name}-${choice.letter}`, class: 'cluster__statement' }, h('span', { class: 'cluster__letter' }, `${choice.letter})`), statement),
          h('td', {}, row && mark(row.yes, t('cluster.true'))),
          h('td', {}, row && mark(row.no, t('cluster.false'))),
        )
      }),
    ),
  )
  const element = h('fieldset', { class: 'cluster-frame' }, h('legend', { class: 'visually-hidden' }, t('cluster.legend', { position: entry.position })), table)

  /** The row with the focus, else the first one that is not judged yet, else the first. */
  const rowAtHand = (): Row | undefined =>
    rows.find((row) => row.yes === document.activeElement || row.no === document.activeElement) ??
    rows.find((row) => !row.yes.checked && !row.no.checked) ??
    rows[0]

  return {
    element,
    show(value: ResponseValue) {
      const held = value !== null && typeof value === 'object' && !Array.isArray(value) ? (value as Readonly<Record<string, boolean>>) : {}
      for (const row of rows) {
        row.yes.checked = held[row.value] === true
        row.no.checked = held[row.value] === false
      }
    },
    setReadOnly(on) {
      element.disabled = on
    },
    choose(index) {
      const row = rowAtHand()
      if (!row || element.disabled || index > 1) return false
      const input = index === 0 ? row.yes : row.no
      input.click()
      const next = rows[rows.indexOf(row) + 1]
      // On to the next statement, so that four keys judge four statements.
      ;(next?.yes ?? input).focus()
      return true
    },
    type: () => false,
  }
}
