/** The board's stream: server-sent events, resumed by the browser with the last event's id; silence is noticed and told. */

import type { Beat, RoomBoardView, SeatChanges } from './board_api.ts'
import type { BoardServer } from './board_server.ts'
import { type LiveState, NOTHING_YET, serverNow, withBeat, withRoom, withSeats } from './live_state.ts'

/** The server beats every four seconds. */
const SILENT_MS = 12_000
const AGAIN_MS = 4_000

export type Link = 'opening' | 'live' | 'silent' | 'signed-out' | 'shut-out'

export class LiveBoard {
  state: LiveState = NOTHING_YET
  link: Link = 'opening'
  #source: EventSource | null = null
  #heardAtMs = 0
  #again: ReturnType<typeof setTimeout> | undefined
  #watch: ReturnType<typeof setInterval> | undefined
  readonly #server: BoardServer
  readonly #onNews: () => void

  constructor(server: BoardServer, onNews: () => void) {
    this.#server = server
    this.#onNews = onNews
  }

  start(): void {
    this.#open()
    this.#watch = setInterval(() => this.#listen(), 1_000)
  }

  stop(): void {
    this.#close()
    clearInterval(this.#watch)
  }

  now(): number {
    return serverNow(this.state, performance.now())
  }

  #open(): void {
    this.#close()
    this.#heardAtMs = performance.now()
    const source = new EventSource(this.#server.stream, { withCredentials: true })
    this.#source = source
    this.#on<RoomBoardView>(source, 'room', (board, at) => withRoom(this.state, board, at))
    this.#on<SeatChanges>(source, 'seats', (changes, at) => withSeats(this.state, changes, at))
    this.#on<Beat>(source, 'beat', (beat, at) => withBeat(this.state, beat, at))
    // While the browser itself tries again, the state is CONNECTING and nothing is to be done.
    source.onerror = () => {
      if (source.readyState === EventSource.CLOSED) void this.#refused()
    }
  }

  #on<Data>(source: EventSource, kind: string, take: (data: Data, counterMs: number) => LiveState): void {
    source.addEventListener(kind, (event) => {
      this.#heardAtMs = performance.now()
      this.link = 'live'
      this.state = take(JSON.parse((event as MessageEvent<string>).data) as Data, this.#heardAtMs)
      this.#onNews()
    })
  }

  #listen(): void {
    if (this.link === 'signed-out' || this.link === 'shut-out') return
    if (performance.now() - this.#heardAtMs <= SILENT_MS) return
    this.link = 'silent'
    this.#onNews()
    this.#open() // half-open connections never report an error
  }

  async #refused(): Promise<void> {
    const mayWatch = await this.#server.mayWatch()
    if (mayWatch === 'signed-out' || mayWatch === 'shut-out') {
      this.link = mayWatch
      this.#close()
    } else {
      this.link = 'silent'
      this.#again = setTimeout(() => this.#open(), AGAIN_MS)
    }
    this.#onNews()
  }

  #close(): void {
    clearTimeout(this.#again)
    this.#source?.close()
    this.#source = null
  }
}
