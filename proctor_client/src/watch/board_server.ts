/** The board's door to the network: reads, and acts with the CSRF header of the staff session. */

import type { Acted, Incident, Moment, RoomAct, SeatVerb } from './board_api.ts'

const PATIENCE_MS = 10_000

/** What the server answered, or why it refused in words for a person. */
export type Outcome<Answer> = { readonly answer: Answer } | { readonly refusal: string }

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

  extend(seats: readonly string[] | null, room: string, seconds: number, reason: string): Promise<Outcome<unknown>> {
    return this.#eachOrRoom(seats, (attempt) => this.#post('/extend', { request: freshRequest(), room_id: room, attempt_id: attempt, seconds, reason }))
  }

  message(seats: readonly string[] | null, room: string, text: string): Promise<Outcome<unknown>> {
    return this.#eachOrRoom(seats, (attempt) => this.#post('/messages', { request: freshRequest(), room_id: room, attempt_id: attempt, text }))
  }

  /** One act on named seats or, for a pause and its end, on the whole room. */
  act(verb: SeatVerb, seats: readonly string[] | null, room: string, reason: string): Promise<Outcome<Acted>> {
    return this.#post(`/${verb}`, { request_id: freshRequest(), reason, ...(seats === null ? { room } : { attempts: seats }) })
  }

  admit(attempt: string, credit: boolean): Promise<Outcome<Acted>> {
    return this.#post(`/attempts/${attempt}/admit`, { request_id: freshRequest(), credit })
  }

  refuse(attempt: string, reason: string): Promise<Outcome<Acted>> {
    return this.#post(`/attempts/${attempt}/refuse`, { request_id: freshRequest(), reason })
  }

  undo(request: string, reason: string): Promise<Outcome<Acted>> {
    return this.#post(`/acts/${encodeURIComponent(request)}/undo`, { request_id: freshRequest(), reason })
  }

  checkIdentity(attempt: string, identity: 'matches' | 'doubtful' | 'cleared', note = ''): Promise<Outcome<unknown>> {
    return send(`${this.#room}/attempts/${attempt}/identity`, { identity, note })
  }

  review(attempt: string): Promise<Outcome<unknown>> {
    return send(`${this.#room}/attempts/${attempt}/review`, {})
  }

  reportIncident(report: Readonly<Record<string, unknown>>): Promise<Outcome<Incident>> {
    return send(`${this.#room}/incidents`, { request: freshRequest(), ...report })
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

  /** Time and messages go to a room at once or to one seat after another; the first refusal is told. */
  async #eachOrRoom(seats: readonly string[] | null, post: (attempt: string | null) => Promise<Outcome<unknown>>): Promise<Outcome<unknown>> {
    if (seats === null) return post(null)
    let refusal: Outcome<unknown> | null = null
    for (const attempt of seats) {
      const outcome = await post(attempt)
      if ('refusal' in outcome) refusal ??= outcome
    }
    return refusal ?? { answer: null }
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
    return { refusal: error instanceof Error ? error.message : String(error) }
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

function freshRequest(): string {
  return [...crypto.getRandomValues(new Uint8Array(12))].map((byte) => byte.toString(16).padStart(2, '0')).join('')
}
