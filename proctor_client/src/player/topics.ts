/** Who wants to hear of what: a tiny, typed list of listeners, each gone with its signal. */

export class Topics<Topic extends string> {
  readonly #listeners = new Map<Topic, Set<() => void>>()

  on(topic: Topic, listener: () => void, signal: AbortSignal): void {
    let listeners = this.#listeners.get(topic)
    if (!listeners) this.#listeners.set(topic, (listeners = new Set()))
    listeners.add(listener)
    signal.addEventListener('abort', () => listeners.delete(listener))
  }

  tell(...topics: readonly Topic[]): void {
    for (const topic of topics) for (const listener of [...(this.#listeners.get(topic) ?? [])]) listener()
  }
}
