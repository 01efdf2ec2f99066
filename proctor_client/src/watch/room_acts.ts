/** What the board's buttons do: ask, send, tell what came of it, and offer the way back. */

import { toast } from '../console/toast.ts'
import { t, told } from '../shared/room_texts.ts'
import { askMessage, askReason, askTime } from './acts.ts'
import { exactly } from './ages.ts'
import { type Audience, audienceName } from './audience.ts'
import type { Acted, BoardSeat, LeftOut, SeatVerb } from './board_api.ts'
import type { BoardServer } from './board_server.ts'
import { askIncident } from './incident_form.ts'
import { askMove } from './move_form.ts'
import { freshRequest, type Outcome } from './outcome.ts'

const MOST_NAMED = 5

export interface Desk {
  readonly host: HTMLElement
  readonly server: BoardServer
  readonly room: string
  readonly onDone: () => void
}

export async function giveTime(desk: Desk, audience: Audience): Promise<void> {
  const request = freshRequest()
  const given = await askTime(desk.host, audience, ({ minutes, reason }) => desk.server.extend(request, named(audience), desk.room, minutes * 60, reason))
  if (given) done(desk, given, timeText(given, audience))
}

export async function sendMessage(desk: Desk, audience: Audience): Promise<void> {
  const request = freshRequest()
  const sent = await askMessage(desk.host, audience, (text) => desk.server.message(request, named(audience), desk.room, text))
  if (sent !== null) done(desk, null, t('board.sent', { who: audienceName(audience) }))
}

export async function actOnSeats(desk: Desk, verb: SeatVerb, audience: Audience): Promise<void> {
  // Only a pause and its end are for a room as a whole; everything else names whom it is for.
  const mayBeRoom = verb === 'pause' || verb === 'resume'
  const seats = audience.isRoom && mayBeRoom ? null : audience.seats.map((seat) => seat.attempt_id)
  const request = freshRequest()
  const acted = await askReason(desk.host, verb, audience, (reason) => desk.server.act(request, verb, seats, desk.room, reason))
  if (acted) done(desk, acted, t('board.acted', { act: t(`board.do-${verb}`), who: audienceName(audience), count: acted.changed }))
}

export async function moveSeat(desk: Desk, seat: BoardSeat): Promise<void> {
  const free = await desk.server.freeSeats()
  if ('refusal' in free) return toast(free.refusal, 'bad')
  if (free.answer.length === 0) return toast(t('board.move-nowhere'), 'bad')
  const request = freshRequest()
  const moved = await askMove(desk.host, seat, desk.room, free.answer, (place) => desk.server.move(request, seat.attempt_id, place.room, place.seat, place.reason))
  if (moved) done(desk, moved, t('board.moved', { name: seat.name, room: moved.room, seat: moved.seat ?? '–' }))
}

/** What came of extra time, from the answer alone: who pressed twice reads what was given, not what was typed last. */
export function timeText({ seconds = 0, changed, left = [] }: Acted, audience: Audience): string {
  const who = audience.isRoom || left.length === 0 ? audienceName(audience) : t('board.who-many', { count: changed })
  return [t('board.given', { minutes: Math.round(seconds / 60), who }), leftText(left)].filter(Boolean).join(' ')
}

/** Who was left out, and why. */
export function leftText(left: readonly LeftOut[]): string {
  if (left.length === 0) return ''
  const named = left.slice(0, MOST_NAMED).map(({ name, number, why, seconds }) => `${name} (${number}): ${told('board.why-', why, { time: exactly(seconds * 1000) })}`)
  const more = left.length - named.length
  return t('board.left-out', { who: [...named, ...(more > 0 ? [t('board.left-more', { count: more })] : [])].join('; ') })
}

/** One request for one machine at the door: pressed again after no answer it is the same act. */
function doorRequest(act: string, seat: BoardSeat): string {
  return `${act}.${seat.attempt_id}.${seat.claimed_ms ?? 0}`
}

export async function admitSeat(desk: Desk, seat: BoardSeat, credit: boolean): Promise<void> {
  const outcome = await desk.server.admit(doorRequest('admit', seat), seat.attempt_id, credit)
  tell(desk, outcome, (acted) => t('board.admitted', { name: seat.name, credit: exactly(acted.credited_ms ?? 0) }))
}

export async function refuseSeat(desk: Desk, seat: BoardSeat): Promise<void> {
  tell(desk, await desk.server.refuse(doorRequest('refuse', seat), seat.attempt_id, t('board.refuse')), () => t('board.refused', { name: seat.name }))
}

export async function checkIdentity(desk: Desk, seat: BoardSeat, verdict: 'matches' | 'doubtful' | 'cleared'): Promise<void> {
  const outcome = await desk.server.checkIdentity(seat.attempt_id, verdict)
  if ('refusal' in outcome) toast(outcome.refusal, 'bad')
  else {
    const back = seat.identity ?? 'cleared'
    toast(t(`board.checked-${verdict}`, { name: seat.name }), 'good', { text: t('board.undo'), go: () => void desk.server.checkIdentity(seat.attempt_id, back).then(desk.onDone) })
  }
  desk.onDone()
}

export async function markReviewed(desk: Desk, seat: BoardSeat): Promise<void> {
  tell(desk, await desk.server.review(seat.attempt_id), () => t('board.reviewed-done', { name: seat.name }))
}

export async function reportIncident(desk: Desk, seats: readonly BoardSeat[], chosen: ReadonlySet<string>, nowMs: number): Promise<void> {
  const request = freshRequest()
  const stored = await askIncident(desk.host, seats, chosen, nowMs, (report) => desk.server.reportIncident(request, { ...report }))
  if (stored === null) return
  const { id, number } = stored
  toast(t('board.incident-stored', { number }), 'good', { text: t('board.undo'), go: () => void withdraw(desk, id, number) })
  desk.onDone()
}

export async function withdraw(desk: Desk, incident: string, number: number): Promise<void> {
  tell(desk, await desk.server.withdrawIncident(incident, t('board.undo-reason')), () => t('board.incident-gone', { number }))
}

export async function undo(desk: Desk, request: string): Promise<void> {
  const outcome = await desk.server.undo(request, t('board.undo-reason'))
  if ('refusal' in outcome) toast(outcome.refusal, 'bad')
  else {
    const { changed, left = [] } = outcome.answer
    toast([t('board.undone', { count: changed }), leftText(left)].filter(Boolean).join(' '), left.length > 0 ? 'warn' : 'good')
  }
  desk.onDone()
}

function named({ seats, isRoom }: Audience): readonly string[] | null {
  return isRoom ? null : seats.map((seat) => seat.attempt_id)
}

function tell(desk: Desk, outcome: Outcome<Acted> | Outcome<unknown>, words: (answer: Acted) => string): void {
  if ('refusal' in outcome) {
    toast(outcome.refusal, 'bad')
    desk.onDone()
  } else done(desk, outcome.answer as Acted, words(outcome.answer as Acted))
}

/** Tell what was done, with the way back where there is one; who was left out makes it news that stays. */
function done(desk: Desk, answer: Partial<Acted> | null, text: string): void {
  const request = answer?.is_undoable ? answer.request : undefined
  toast(text, (answer?.left?.length ?? 0) > 0 ? 'warn' : 'good', request === undefined ? undefined : { text: t('board.undo'), go: () => void undo(desk, request) })
  desk.onDone()
}
