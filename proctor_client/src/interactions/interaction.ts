/** The view of an item's interaction, by kind. A new kind is added here and in its own file. */

import { choiceView } from './choice.ts'
import { clusterView } from './cluster.ts'
import { essayView } from './essay.ts'
import { shortNumericView } from './short_numeric.ts'
import type { InteractionContext, InteractionView } from './view.ts'

export function interactionView(context: InteractionContext): InteractionView {
  const { item } = context.entry
  switch (item.kind) {
    case 'single_choice':
    case 'multiple_choice':
      return choiceView(item, context)
    case 'true_false_cluster':
      return clusterView(item, context)
    case 'short_numeric':
      return shortNumericView(item, context)
    case 'essay':
      return essayView(item, context)
  }
}
