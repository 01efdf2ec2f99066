/** What the board's buttons do: ask, send, tell what came of it, and offer the way back. */

import { toast } from '../console/toast.ts'
import { t } from '../shared/room_texts.ts'
import { askMessage, askReason, askTime } from './acts.ts'
import { exactly } from './ages.ts'
import { type Audience, audienceName } from './audience.ts'
import type { Acted, BoardSeat, SeatVerb } from './board_api.ts'
import type { BoardServer, Outcome } from './board_server.ts'
import { askIncident } from './incident_form.ts'

export interface Desk {
  readonly host: HTMLElement
  readonly server: BoardServer
  readonly room: string
  readonly onDone: () => void
}

export async function giveTime(desk: Desk, audience: Audience): Promise<void> {
  const answer = await askTime(desk.host, audience)
  if (!answer) return
  const outcome = await desk.server.extend(named(audience), desk.room, answer.minutes * 60, answer.reason)
  tell(desk, outcome, () => t('board.given', { minutes: answer.minutes, who: audienceName(audience) }))
}

export async function sendMessage(desk: Desk, audience: Audience): Promise<void> {
  const text = await askMessage(desk.host, audience)
  if (text === null) return
  tell(desk, await desk.server.message(named(audience), desk.room, text), () => t('board.sent', { who: audienceName(audience) }))
}

export async function actOnSeats(desk: Desk, verb: SeatVerb, audience: Audience): Promise<void> {
  const reason = await askReason(desk.host, verb, audience)
  if (reason === null) return
  // Only a pause and its end are for a room as a whole; everything else names whom it is for.
  const mayBeRoom = verb === 'pause' || verb === 'resume'
  const seats = audience.isRoom && mayBeRoom ? null : audience.seats.map((seat) => seat.attempt_id)
  const outcome = await desk.server.act(verb, seats, desk.room, reason)
  tell(desk, outcome, (acted) => t('board.acted', { act: t(`board.do-${verb}`), who: audienceName(audience), count: acted.changed }))
}

export async function admitSeat(desk: Desk, seat: BoardSeat, credit: boolean): Promise<void> {
  const outcome = await desk.server.admit(seat.attempt_id, credit)
  tell(desk, outcome, (acted) => t('board.admitted', { name: seat.name, credit: exactly(acted.credited_ms ?? 0) }))
}

export async function refuseSeat(desk: Desk, seat: BoardSeat): Promise<void> {
  tell(desk, await desk.server.refuse(seat.attempt_id, t('board.refuse')), () => t('board.refused', { name: seat.name }))
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
  const report = await askIncident(desk.host, seats, chosen, nowMs)
  if (report === null) return
  const outcome = await desk.server.reportIncident({ ...report })
  if ('refusal' in outcome) toast(outcome.refusal, 'bad')
  else {
    const { id, number } = outcome.answer
    toast(t('board.incident-stored', { number }), 'good', { text: t('board.undo'), go: () => void withdraw(desk, id, number) })
  }
  desk.onDone()
}

export async function withdraw(desk: Desk, incident: string, number: number): Promise<void> {
  tell(desk, await desk.server.withdrawIncident(incident, t('board.undo-reason')), () => t('board.incident-gone', { number }))
}

export async function undo(desk: Desk, request: string): Promise<void> {
  const outcome = await desk.server.undo(request, t('board.undo-reason'))
  if ('refusal' in outcome) toast(outcome.refusal, 'bad')
  else toast(t('board.undone', { count: outcome.answer.changed }), 'good')
  desk.onDone()
}

function named({ seats, isRoom }: Audience): readonly string[] | null {
  return isRoom ? null : seats.map((seat) => seat.attempt_id)
}

function tell<Answer>(desk: Desk, outcome: Outcome<Answer>, words: (answer: Answer) => string): void {
  if ('refusal' in outcome) toast(outcome.refusal, 'bad')
  else {
    const acted = outcome.answer as Partial<Acted> | null
    const request = acted?.is_undoable ? acted.request : undefined
    toast(words(outcome.answer), 'good', request === undefined ? undefined : { text: t('board.undo'), go: () => void undo(desk, request) })
  }
  desk.onDone()
}
