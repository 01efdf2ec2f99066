/** After handing in: this computer keeps the paper until the second store of the server has it, for the first may lose its disk. */

import type { AttemptState } from '../shared/api.ts'
import { storedDelayMs } from '../core/retry.ts'
import type { AnswerSheet } from './answer_sheet.ts'
import type { ExamServer } from './server.ts'

export class Custody {
  #asked = 0
  #isOver = false

  /** Both stores have the paper: nothing depends on this computer any more. */
  get isOver(): boolean {
    return this.#isOver
  }

  /** Ask once; returns how the attempt stands. */
  async ask(server: ExamServer, attemptId: string, sheet: AnswerSheet): Promise<AttemptState> {
    const reply = await server.receipt(attemptId)
    this.#asked += 1
    sheet.compareStored(reply.saved)
    this.#isOver = reply.is_stored && reply.state === 'submitted'
    return reply.state
  }

  /** The server has lost the paper: it is handed in again, and asked for anew. */
  restart(): void {
    this.#asked = 0
  }

  pauseMs(chance: number): number {
    return storedDelayMs(this.#asked, chance)
  }
}
