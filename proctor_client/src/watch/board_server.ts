/** The board's door to the network: conditional reads, acts with the CSRF header of the staff session. */

import type { ExtendAct, MessageAct, RoomBoardView } from './board_api.ts'

export type Reading = { readonly kind: 'new'; readonly board: RoomBoardView } | { readonly kind: 'same' } | { readonly kind: 'signed-out' } | { readonly kind: 'failed' }

const PATIENCE_MS = 8_000

export class BoardServer {
  readonly #sitting: string
  readonly #room: string
  #tag: string | null = null

  constructor(sitting: string, room: string) {
    this.#sitting = sitting
    this.#room = room
  }

  async read(): Promise<Reading> {
    try {
      const reply = await timed(`/api/sittings/${this.#sitting}/rooms/${this.#room}/board`, {
        headers: { Accept: 'application/json', ...(this.#tag === null ? {} : { 'If-None-Match': this.#tag }) },
        cache: 'no-store',
      })
      if (reply.status === 304) return { kind: 'same' }
      if (reply.status === 401) return { kind: 'signed-out' }
      if (!reply.ok) return { kind: 'failed' }
      this.#tag = reply.headers.get('ETag')
      return { kind: 'new', board: (await reply.json()) as RoomBoardView }
    } catch {
      return { kind: 'failed' }
    }
  }

  /** Null when it is done, else what the server said. */
  extend(act: ExtendAct): Promise<string | null> {
    return this.#act('extend', act)
  }

  message(act: MessageAct): Promise<string | null> {
    return this.#act('messages', act)
  }

  async #act(verb: string, body: unknown): Promise<string | null> {
    try {
      const reply = await timed(`/api/sittings/${this.#sitting}/${verb}`, {
        method: 'POST',
        headers: { Accept: 'application/json', 'Content-Type': 'application/json', 'Accept-Language': document.documentElement.lang, 'x-csrftoken': csrfToken() },
        body: JSON.stringify(body),
      })
      if (reply.ok) return null
      const problem = (await reply.json().catch(() => ({}))) as { detail?: string; title?: string }
      return problem.detail || problem.title || String(reply.status)
    } catch (error) {
      return error instanceof Error ? error.message : String(error)
    }
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
