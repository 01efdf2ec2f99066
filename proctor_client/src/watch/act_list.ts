/** What was done in the room, by anybody, with the way back where there is one. */

import { h } from '../shared/dom.ts'
import { t, told } from '../shared/room_texts.ts'
import { clockOf } from './ages.ts'
import type { RoomAct } from './board_api.ts'
import { detailText, whoActed } from './detail_text.ts'

export function actLine(act: RoomAct, onUndo: (() => void) | null): HTMLElement {
  const detail = Object.entries(act.detail ?? {})
    .filter(([name, value]) => value !== '' && !(name === 'credited_ms' && value === 0))
    .map(([name, value]) => detailText(name, value))
  return h(
    'li',
    { class: `act-line${act.is_undone ? ' act-line--undone' : ''}` },
    h('time', { class: 'number', datetime: act.at }, clockOf(act.at).slice(0, 5)),
    h('div', {}, h('strong', {}, told('board.acted-', act.action)), act.who ? ` · ${act.who}` : '', h('p', { class: 'small soft' }, [...detail, whoActed(act.by, act.by_name)].filter(Boolean).join(' · '))),
    onUndo === null ? null : h('button', { class: 'button button--small', type: 'button', on: { click: onUndo } }, t('board.undo')),
  )
}
