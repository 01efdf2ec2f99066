/** How much of an item a response answers. Pure. */

import type { Item, ResponseValue } from '../shared/api.ts'

export type Completeness = 'none' | 'part' | 'whole'

export function completeness(item: Item, value: ResponseValue): Completeness {
  if (value === null) return 'none'
  switch (item.kind) {
    case 'single_choice':
    case 'short_numeric':
    case 'essay':
      return typeof value === 'string' && value.trim() !== '' ? 'whole' : 'none'
    case 'multiple_choice':
      return Array.isArray(value) && value.length > 0 ? 'whole' : 'none'
    case 'true_false_cluster': {
      const judged = judgedStatements(value)
      if (judged === 0) return 'none'
      return judged < item.statements.length ? 'part' : 'whole'
    }
  }
}

export function judgedStatements(value: ResponseValue): number {
  return value !== null && typeof value === 'object' && !Array.isArray(value) ? Object.keys(value).length : 0
}

/** Nothing chosen, nothing written: sent as null, so that "cleared" and "never answered" look alike to the scorer. */
export function normalise(value: ResponseValue): ResponseValue {
  if (value === null) return null
  if (typeof value === 'string') return value === '' ? null : value
  return Object.keys(value).length === 0 ? null : value
}

export function sameValue(a: ResponseValue, b: ResponseValue): boolean {
  return a === b || JSON.stringify(a) === JSON.stringify(b)
}
