/** One item as the candidate sees it: number, stem, interaction. Used by the player, the samples and the authors' preview. */

import type { Part } from '../shared/api.ts'
import { h } from '../shared/dom.ts'
import { content } from './content.ts'
import { interactionView } from './interaction.ts'
import type { InteractionContext, InteractionView } from './view.ts'
import { t } from '../shared/texts.ts'

export interface ItemView {
  readonly element: HTMLElement
  readonly heading: HTMLElement
  readonly interaction: InteractionView
}

export function itemView(context: InteractionContext, part: Part | null): ItemView {
  const { entry } = context
  const heading = h('h2', { class: 'item__number', tabindex: -1, id: `${context.prefix}-${entry.slot}-heading` }, t('item.heading', { position: entry.position }))
  const interaction = interactionView(context)
  const points = part !== null && part.points_note !== '' ? h('span', { class: 'item__points' }, t('item.points', { points: part.points_note })) : null
  const element = h(
    'article',
    { class: 'item', 'aria-labelledby': heading.id },
    h('div', { class: 'item__head' }, heading, points),
    content(entry.item.stem, context.contentLanguage, 'content item__stem'),
    interaction.element,
  )
  return { element, heading, interaction }
}
