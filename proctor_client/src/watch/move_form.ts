/** Where a candidate moves to: a room, one of its free seats, and why. */

import { h } from '../shared/dom.ts'
import { t } from '../shared/room_texts.ts'
import { type Send, reasonFields } from './acts.ts'
import { audienceName, capital, one } from './audience.ts'
import type { BoardSeat, FreeSeats, Moved } from './board_api.ts'
import { askForm, field } from './dialogs.ts'

const REASONS = ['machine', 'power', 'health', 'suspicion', 'other'] as const

export interface Place {
  readonly room: string
  readonly seat: number
  readonly reason: string
}

export function askMove(host: HTMLElement, seat: BoardSeat, here: string, rooms: readonly FreeSeats[], send: Send<Place, Moved>): Promise<Moved | null> {
  const who = audienceName(one(seat))
  const ordered = [...rooms].sort((a, b) => Number(b.room_id === here) - Number(a.room_id === here))
  const room = h('select', { class: 'select', id: 'move-room' }, ...ordered.map((other) => h('option', { value: other.room_id }, t(other.room_id === here ? 'board.move-here' : 'board.move-room-name', { room: other.room, count: other.seats.length }))))
  const place = h('select', { class: 'select', id: 'move-seat' })
  const why = reasonFields(REASONS)
  const effect = h('p', { class: 'alert', role: 'status' })
  const chosen = (): FreeSeats | undefined => rooms.find((other) => other.room_id === room.value)
  const say = (): void => {
    effect.textContent = t(room.value === here ? 'board.move-effect-here' : 'board.move-effect', { who: capital(who), room: chosen()?.room ?? '', seat: place.value })
  }
  const list = (): void => {
    place.replaceChildren(...(chosen()?.seats ?? []).map((number) => h('option', { value: String(number) }, String(number))))
    say()
  }
  room.addEventListener('change', list)
  place.addEventListener('change', say)
  list()
  const body = [h('div', { class: 'row row--top' }, field('move-room', t('board.move-room'), room), field('move-seat', t('board.seat'), place)), ...why.fields, effect]
  return askForm(host, { title: t('board.act-title', { act: t('board.do-move'), who }), action: t('board.do-move') }, body, () => send({ room: room.value, seat: Number(place.value), reason: why.text() }))
}
