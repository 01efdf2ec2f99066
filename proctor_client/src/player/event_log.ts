/** What the seat noticed (focus lost, off line, …) until there is time to report it. Best effort, newest first to stay. */

import type { ClientEvent, EventKind } from '../shared/api.ts'
import { type ExamServer, Refused } from './server.ts'

export type EventDetail = ClientEvent['detail']

const KEPT = 100 // as many as one request may carry: a larger one would be refused whole

export class EventLog {
  #events: ClientEvent[] = []

  note(kind: EventKind, clientTimeMs: number, detail: EventDetail): void {
    this.#keep([...this.#events, { kind, client_time_ms: clientTimeMs, detail }])
  }

  /** Report what was noticed; a lost event is no reason to trouble a candidate. */
  async send(server: ExamServer, attemptId: string): Promise<void> {
    if (this.#events.length === 0) return
    const events = this.#events
    this.#events = []
    await server.report(attemptId, events).catch((error: unknown) => {
      if (!(error instanceof Refused)) this.#keep([...events, ...this.#events]) // what is refused once is refused always
    })
  }

  #keep(events: ClientEvent[]): void {
    this.#events = events.slice(-KEPT)
  }
}
