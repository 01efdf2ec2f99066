/** How long ago, and at what time, in words. */

import { formatClock } from '../shared/i18n.ts'
import { t } from '../shared/room_texts.ts'
import { ageOf } from './seats.ts'

export function ageText(ms: number): string {
  const { unit, count } = ageOf(ms)
  return t(`board.age-${unit}`, { count })
}

export function clockOf(iso: string): string {
  return formatClock(Date.parse(iso), true)
}

/** Minutes and seconds of a credit, exactly: 02:07. */
export function exactly(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000))
  return `${String(Math.floor(seconds / 60)).padStart(2, '0')}:${String(seconds % 60).padStart(2, '0')}`
}
