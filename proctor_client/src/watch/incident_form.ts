/** The incident form, and the list of incidents with their withdrawal and print. */

import { h } from '../shared/dom.ts'
import { t, told } from '../shared/room_texts.ts'
import { clockOf } from './ages.ts'
import type { BoardSeat, Incident } from './board_api.ts'
import { type Send } from './acts.ts'
import { askForm, field } from './dialogs.ts'

const KINDS = ['machine', 'network', 'power', 'health', 'paper', 'disturbance', 'forbidden_object', 'copying', 'impersonation', 'other'] as const
const LONGEST_TEXT = 4000

export interface Report {
  readonly kind: string
  readonly text: string
  readonly began_at: string
  readonly ended_at: string | null
  readonly attempts: readonly string[]
}

export function askIncident<Answer>(host: HTMLElement, seats: readonly BoardSeat[], chosen: ReadonlySet<string>, nowMs: number, send: Send<Report, Answer>): Promise<Answer | null> {
  const kind = h('select', { class: 'select', id: 'incident-kind' }, ...KINDS.map((name) => h('option', { value: name }, t(`board.incident-${name}`))))
  const began = h('input', { class: 'input input--short', id: 'incident-began', type: 'time', required: true, value: wallTime(nowMs) })
  const ended = h('input', { class: 'input input--short', id: 'incident-ended', type: 'time' })
  const text = h('textarea', { class: 'textarea', id: 'incident-text', rows: 4, required: true, maxlength: LONGEST_TEXT })
  const boxes = seats.map((seat) => ({ seat, box: h('input', { type: 'checkbox', checked: chosen.has(seat.attempt_id) }) }))
  const body = [
    h('div', { class: 'row row--top' }, field('incident-kind', t('board.incident-kind'), kind), field('incident-began', t('board.incident-began'), began), field('incident-ended', t('board.incident-ended'), ended)),
    h('fieldset', { class: 'incident-seats' }, h('legend', { class: 'field__label' }, t('board.incident-seats')), ...boxes.map(({ seat, box }) => h('label', { class: 'incident-seat' }, box, ` ${seat.seat ?? '–'} · ${seat.name}`))),
    field('incident-text', t('board.incident-text'), text, true),
    h('p', { class: 'alert' }, t('board.incident-effect')),
  ]
  const report = (): Report => ({
    kind: kind.value,
    text: text.value.trim(),
    began_at: momentOf(began.value, nowMs),
    ended_at: ended.value === '' ? null : momentOf(ended.value, nowMs),
    attempts: boxes.filter(({ box }) => box.checked).map(({ seat }) => seat.attempt_id),
  })
  return askForm(host, { title: t('board.incident-title'), action: t('board.incident-store'), isWide: true }, body, async () => (text.value.trim() === '' ? null : send(report())))
}

export function incidentLine(incident: Incident, mayAct: boolean, onWithdraw: () => void): HTMLElement {
  const who = incident.seats.map((seat) => `${seat.seat ?? '–'} ${seat.name}`).join(', ')
  return h(
    'li',
    { class: `act-line${incident.withdrawn_at ? ' act-line--undone' : ''}` },
    h('time', { class: 'number', datetime: incident.began_at }, clockOf(incident.began_at).slice(0, 5)),
    h('div', {}, h('strong', {}, `${incident.number}. ${told('board.incident-', incident.kind)}`), who === '' ? '' : ` · ${who}`, h('p', { class: 'small soft' }, incident.withdrawn_at ? t('board.incident-withdrawn', { reason: incident.withdrawn_reason }) : incident.text)),
    mayAct && !incident.withdrawn_at ? h('button', { class: 'button button--small', type: 'button', on: { click: onWithdraw } }, t('board.withdraw')) : null,
  )
}

const ZONE_MINUTES = 7 * 60 // the wall clock of the exam room, whatever this computer believes

function wallTime(ms: number): string {
  return new Date(ms + ZONE_MINUTES * 60_000).toISOString().slice(11, 16)
}

/** A time on the room's wall, today or (just after midnight) yesterday. */
function momentOf(time: string, nowMs: number): string {
  const day = new Date(nowMs + ZONE_MINUTES * 60_000).toISOString().slice(0, 10)
  const moment = Date.parse(`${day}T${time}:00+07:00`)
  return new Date(moment > nowMs + 5 * 60_000 ? moment - 86_400_000 : moment).toISOString()
}
