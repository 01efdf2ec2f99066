/** Facts of an act or an event as people say them: spans as minutes and seconds, kinds in words, counts with their noun. */

import { t, told } from '../shared/room_texts.ts'
import { exactly } from './ages.ts'

type Fact = string | number | boolean | null

const MILLISECONDS: Readonly<Record<string, number>> = { seconds: 1000, extra_seconds: 1000, ms: 1, credited_ms: 1 }
const KINDS: Readonly<Record<string, 'board.identity-' | 'board.incident-'>> = { identity: 'board.identity-', kind: 'board.incident-', incident: 'board.incident-' }

export function detailText(name: string, value: Fact): string {
  const perUnit = MILLISECONDS[name]
  if (perUnit !== undefined && typeof value === 'number') return told('board.detail-', name, { time: exactly(value * perUnit) })
  if (name === 'reason') return String(value)
  if (name === 'changed') return t('board.detail-changed', { count: Number(value) })
  const kinds = KINDS[name]
  return kinds ? told(kinds, String(value)) : `${told('board.detail-', name)} ${String(value ?? '')}`.trim()
}

/** Who did it: a person by name, a part of the system not at all. */
export function whoActed(by: string | undefined, name: string | undefined): string {
  return by?.startsWith('person:') ? (name ?? '') || by.slice('person:'.length) : ''
}
