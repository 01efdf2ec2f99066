/** The board's door to the network: reads, and acts with the CSRF header of the staff session. */

import { t } from '../shared/room_texts.ts'
import type { Acted, FreeSeats, Incident, Moment, Moved, RoomAct, SeatVerb } from './board_api.ts'
import type { Outcome } from './outcome.ts'

const PATIENCE_MS = 10_000

export class BoardServer {
  readonly #sitting: string
  readonly #room: string

  constructor(sitting: string, room: string) {
    this.#sitting = `/api/sittings/${sitting}`
    this.#room = `/api/sittings/${sitting}/rooms/${room}`
  }

  get stream(): string {
    return `${this.#room}/events`
  }

  photo(attempt: string, version: string): string {
    return `${this.#room}/attempts/${attempt}/photo?v=${version}`
  }

  /** Whether somebody is still signed in, and may watch: the stream itself cannot say why it was refused. */
  async mayWatch(): Promise<'yes' | 'signed-out' | 'shut-out' | null> {
    try {
      const reply = await timed(`${this.#room}/board`, { headers: { Accept: 'application/json' }, cache: 'no-store' })
      if (reply.status === 401) return 'signed-out'
      if (reply.status === 403) return 'shut-out'
      return reply.ok ? 'yes' : null
    } catch {
      return null
    }
  }

  /** Time for seats that were chosen, in one act, or for the room; the answer names who got none. */
  extend(request: string, seats: readonly string[] | null, room: string, seconds: number, reason: string): Promise<Outcome<Acted>> {
    return this.#post('/extend', { request, seconds, reason, ...(seats === null ? { room_id: room } : { attempts: seats }) })
  }

  message(request: string, seats: readonly string[] | null, room: string, text: string): Promise<Outcome<unknown>> {
    return this.#post('/messages', { request, text, ...(seats === null ? { room_id: room } : { attempts: seats }) })
  }

  /** One act on named seats or, for a pause and its end, on the whole room. */
  act(request: string, verb: SeatVerb, seats: readonly string[] | null, room: string, reason: string): Promise<Outcome<Acted>> {
    return this.#post(`/${verb}`, { request_id: request, reason, ...(seats === null ? { room } : { attempts: seats }) })
  }

  admit(request: string, attempt: string, credit: boolean): Promise<Outcome<Acted>> {
    return this.#post(`/attempts/${attempt}/admit`, { request_id: request, credit })
  }

  refuse(request: string, attempt: string, reason: string): Promise<Outcome<Acted>> {
    return this.#post(`/attempts/${attempt}/refuse`, { request_id: request, reason })
  }

  move(request: string, attempt: string, room: string, seat: number, reason: string): Promise<Outcome<Moved>> {
    return this.#post(`/attempts/${attempt}/move`, { request_id: request, room, seat, reason })
  }

  freeSeats(): Promise<Outcome<readonly FreeSeats[]>> {
    return read(`${this.#sitting}/free-seats`)
  }

  /** An act has one undoing: however often it is asked for, it is the same request. */
  undo(request: string, reason: string): Promise<Outcome<Acted>> {
    return this.#post(`/acts/${encodeURIComponent(request)}/undo`, { request_id: `undo.${request}`.slice(0, 64), reason })
  }

  checkIdentity(attempt: string, identity: 'matches' | 'doubtful' | 'cleared', note = ''): Promise<Outcome<unknown>> {
    return send(`${this.#room}/attempts/${attempt}/identity`, { identity, note })
  }

  review(attempt: string): Promise<Outcome<unknown>> {
    return send(`${this.#room}/attempts/${attempt}/review`, {})
  }

  reportIncident(request: string, report: Readonly<Record<string, unknown>>): Promise<Outcome<Incident>> {
    return send(`${this.#room}/incidents`, { request, ...report })
  }

  withdrawIncident(incident: string, reason: string): Promise<Outcome<Incident>> {
    return send(`${this.#room}/incidents/${incident}/withdraw`, { reason })
  }

  incidents(): Promise<Outcome<readonly Incident[]>> {
    return read(`${this.#room}/incidents`)
  }

  acts(): Promise<Outcome<readonly RoomAct[]>> {
    return read(`${this.#room}/acts`)
  }

  timeline(attempt: string): Promise<Outcome<readonly Moment[]>> {
    return read(`${this.#room}/attempts/${attempt}/timeline`)
  }

  #post<Answer>(path: string, body: unknown): Promise<Outcome<Answer>> {
    return send(this.#sitting + path, body)
  }
}

function send<Answer>(address: string, body: unknown): Promise<Outcome<Answer>> {
  return ask(address, {
    method: 'POST',
    headers: { Accept: 'application/json', 'Content-Type': 'application/json', 'Accept-Language': document.documentElement.lang, 'x-csrftoken': csrfToken() },
    body: JSON.stringify(body),
  })
}

function read<Answer>(address: string): Promise<Outcome<Answer>> {
  return ask(address, { headers: { Accept: 'application/json', 'Accept-Language': document.documentElement.lang }, cache: 'no-store' })
}

async function ask<Answer>(address: string, options: RequestInit): Promise<Outcome<Answer>> {
  try {
    const reply = await timed(address, options)
    const said: unknown = await reply.json().catch(() => ({}))
    if (reply.ok) return { answer: said as Answer }
    const problem = said as { detail?: string; title?: string }
    return { refusal: [problem.title, problem.detail].filter(Boolean).join(' ') || String(reply.status) }
  } catch (error) {
    if (!(error instanceof Error)) throw error
    return { refusal: t('board.no-answer') }
  }
}

function csrfToken(): string {
  return document.cookie.match(/(?:^|; )csrftoken=([^;]*)/)?.[1] ?? ''
}

async function timed(address: string, options: RequestInit): Promise<Response> {
  const stop = new AbortController()
  const timer = setTimeout(() => stop.abort(), PATIENCE_MS)
  try {
    return await fetch(address, { ...options, credentials: 'same-origin', signal: stop.signal })
  } finally {
    clearTimeout(timer)
  }
}
