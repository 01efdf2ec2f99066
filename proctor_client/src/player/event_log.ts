/** What the seat noticed (focus lost, off line, …) until there is time to report it. Best effort, newest first to stay. */

import type { ClientEvent, EventKind } from '../shared/api.ts'

export type EventDetail = ClientEvent['detail']

const KEPT = 100 // as many as one request may carry

export class EventLog {
  #events: ClientEvent[] = []

  note(kind: EventKind, clientTimeMs: number, detail: EventDetail): void {
    this.#events.push({ kind, client_time_ms: clientTimeMs, detail })
    this.#events.splice(0, this.#events.length - KEPT)
  }

  /** Report what was noticed; a lost event is no reason to trouble a candidate. */
  async send(report: (events: readonly ClientEvent[]) => Promise<unknown>): Promise<void> {
    if (this.#events.length === 0) return
    const events = this.#events
    this.#events = []
    await report(events).catch(() => this.#events.unshift(...events))
  }
}
