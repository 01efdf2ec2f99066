/** Whom an act of the board is for, and how that is said. */

import { t } from '../shared/room_texts.ts'
import type { BoardSeat } from './board_api.ts'

export interface Audience {
  readonly seats: readonly BoardSeat[]
  /** Everybody in the room, also who is not on the board yet. */
  readonly isRoom: boolean
}

export function one(seat: BoardSeat): Audience {
  return { seats: [seat], isRoom: false }
}

export function audienceName({ seats, isRoom }: Audience): string {
  const [first] = seats
  if (isRoom) return t('board.who-all', { count: seats.length })
  return seats.length === 1 && first ? t('board.who-one', { name: first.name, number: first.candidate_number }) : t('board.who-many', { count: seats.length })
}

export function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}
