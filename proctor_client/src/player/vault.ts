/** What this computer keeps: sealed papers before the start; then every response before it is sent, the envelope, the form.
 * IndexedDB with strict durability; pictures in the cache of the service worker. */

import type { Bytes } from '../core/base64.ts'
import type { Figure } from '../core/sealed_paper.ts'
import type { Envelope, Form, SavedResponse, SealedStart } from '../shared/api.ts'
import type { StartClaim } from './ports.ts'

/** Everything about one attempt except its responses. */
export interface KeptAttempt {
  readonly attempt_id: string
  readonly envelope: Envelope
  readonly position: number
  readonly visited: readonly number[]
  readonly flagged: readonly number[]
  readonly dismissed: readonly number[]
  /** The candidate has handed in; only the server's yes is missing. */
  readonly handing_in: boolean
  /** Began without a network, and the server does not know it yet. */
  readonly claim?: StartClaim | null
  /** Server's clock minus this computer's at the last contact: a stopwatch across a reload without network, nothing more. */
  readonly wall_offset_ms: number
}

export interface Vault {
  /** Write something and read it again; rejects where this browser keeps nothing. */
  probe(): Promise<void>
  attempt(attemptId: string): Promise<KeptAttempt | null>
  keepAttempt(attempt: KeptAttempt): Promise<void>
  responses(attemptId: string): Promise<readonly SavedResponse[]>
  keepResponses(attemptId: string, responses: readonly SavedResponse[]): Promise<void>
  /** What a page that is being left has not written yet; at once, because a database gives up what is under way then. */
  keepLastWords(attemptId: string, responses: readonly SavedResponse[]): void
  lastWords(attemptId: string): readonly SavedResponse[]
  form(hash: string): Promise<Form | null>
  keepForm(hash: string, form: Form): Promise<void>
  sealedPaper(hash: string): Promise<Bytes | null>
  keepSealedPaper(hash: string, sealed: Bytes): Promise<void>
  sealedStart(attemptId: string): Promise<SealedStart | null>
  keepSealedStart(start: SealedStart): Promise<void>
  /** Put a paper's pictures where the service worker finds them; without one they come from the server, one by one. */
  keepFigures(figures: readonly Figure[]): Promise<void>
  /** Once everything is confirmed: the next candidate at this computer finds nothing. */
  erase(attemptId: string, formHash: string): Promise<void>
}

const NAME = 'exam-vault'
const VERSION = 2
const STORES: Readonly<Record<string, string | string[]>> = {
  attempts: 'attempt_id',
  responses: ['attempt_id', 'slot'],
  forms: 'hash',
  sealed: 'hash',
  starts: 'attempt_id',
}

const wordsKey = (attemptId: string): string => `exam.last-words.${attemptId}`

interface ResponseRow extends SavedResponse {
  readonly attempt_id: string
}

export class IndexedVault implements Vault {
  #opened: Promise<IDBDatabase> | null = null

  async probe(): Promise<void> {
    const probe = { hash: 'probe', bytes: crypto.getRandomValues(new Uint8Array(16)) }
    await this.#write(['sealed'], (of) => of('sealed').put(probe))
    const found = await this.sealedPaper('probe')
    await this.#write(['sealed'], (of) => of('sealed').delete('probe'))
    if (found?.join() !== probe.bytes.join()) throw new Error('what was written is not there')
  }

  async attempt(attemptId: string): Promise<KeptAttempt | null> {
    return (await this.#read<KeptAttempt>('attempts', (store) => store.get(attemptId))) ?? null
  }

  keepAttempt(attempt: KeptAttempt): Promise<void> {
    return this.#write(['attempts'], (of) => of('attempts').put(attempt))
  }

  async responses(attemptId: string): Promise<readonly SavedResponse[]> {
    const range = IDBKeyRange.bound([attemptId], [attemptId, []])
    const rows = (await this.#read<ResponseRow[]>('responses', (store) => store.getAll(range))) ?? []
    return rows.map(({ slot, sequence, value, client_time_ms }) => ({ slot, sequence, value, client_time_ms }))
  }

  keepResponses(attemptId: string, responses: readonly SavedResponse[]): Promise<void> {
    return this.#write(['responses'], (of) => {
      for (const response of responses) of('responses').put({ ...response, attempt_id: attemptId })
    })
  }

  keepLastWords(attemptId: string, responses: readonly SavedResponse[]): void {
    try {
      if (responses.length === 0) localStorage.removeItem(wordsKey(attemptId))
      else localStorage.setItem(wordsKey(attemptId), JSON.stringify(responses))
    } catch {
      // Storage full or forbidden: the database and the server have everything but the last moment.
    }
  }

  lastWords(attemptId: string): readonly SavedResponse[] {
    try {
      return JSON.parse(localStorage.getItem(wordsKey(attemptId)) ?? '[]') as SavedResponse[]
    } catch {
      return []
    }
  }

  async form(hash: string): Promise<Form | null> {
    return (await this.#read<{ body: Form }>('forms', (store) => store.get(hash)))?.body ?? null
  }

  keepForm(hash: string, form: Form): Promise<void> {
    return this.#write(['forms'], (of) => of('forms').put({ hash, body: form }))
  }

  async sealedPaper(hash: string): Promise<Bytes | null> {
    return (await this.#read<{ bytes: Bytes }>('sealed', (store) => store.get(hash)))?.bytes ?? null
  }

  keepSealedPaper(hash: string, sealed: Bytes): Promise<void> {
    return this.#write(['sealed'], (of) => of('sealed').put({ hash, bytes: sealed }))
  }

  async sealedStart(attemptId: string): Promise<SealedStart | null> {
    return (await this.#read<SealedStart>('starts', (store) => store.get(attemptId))) ?? null
  }

  keepSealedStart(start: SealedStart): Promise<void> {
    return this.#write(['starts'], (of) => of('starts').put(start))
  }

  async keepFigures(figures: readonly Figure[]): Promise<void> {
    if (figures.length === 0 || !('caches' in window)) return
    const cache = await caches.open('media')
    await Promise.all(
      figures.map(({ path, mediaType, content }) => cache.put(path, new Response(new Blob([content], { type: mediaType })))),
    )
  }

  async erase(attemptId: string, formHash: string): Promise<void> {
    this.keepLastWords(attemptId, [])
    const sealed = (await this.sealedStart(attemptId))?.sealed_hash
    await this.#write(Object.keys(STORES), (of) => {
      of('attempts').delete(attemptId)
      of('responses').delete(IDBKeyRange.bound([attemptId], [attemptId, []]))
      of('forms').delete(formHash)
      of('starts').delete(attemptId)
      if (sealed !== undefined) of('sealed').delete(sealed)
    })
  }

  #database(): Promise<IDBDatabase> {
    this.#opened ??= new Promise<IDBDatabase>((resolve, reject) => {
      const request = indexedDB.open(NAME, VERSION)
      request.onupgradeneeded = () => {
        const database = request.result
        for (const [name, keyPath] of Object.entries(STORES)) {
          if (!database.objectStoreNames.contains(name)) database.createObjectStore(name, { keyPath })
        }
      }
      request.onsuccess = () => {
        request.result.onversionchange = () => request.result.close()
        resolve(request.result)
      }
      request.onerror = () => reject(request.error ?? new Error('the database did not open'))
      request.onblocked = () => reject(new Error('an older page holds the database'))
    }).catch((error: unknown) => {
      this.#opened = null // the next call tries again
      throw error
    })
    return this.#opened
  }

  async #read<Value>(name: string, ask: (store: IDBObjectStore) => IDBRequest): Promise<Value | undefined> {
    const database = await this.#database()
    return new Promise<Value | undefined>((resolve, reject) => {
      const request = ask(database.transaction(name, 'readonly').objectStore(name))
      request.onsuccess = () => resolve(request.result as Value | undefined)
      request.onerror = () => reject(request.error ?? new Error('reading failed'))
    })
  }

  async #write(names: string[], put: (of: (name: string) => IDBObjectStore) => void): Promise<void> {
    const database = await this.#database()
    await new Promise<void>((resolve, reject) => {
      // "strict": complete means on the disk, not in a cache that a pulled plug empties.
      const transaction = database.transaction(names, 'readwrite', { durability: 'strict' })
      transaction.oncomplete = () => resolve()
      transaction.onerror = () => reject(transaction.error ?? new Error('writing failed'))
      transaction.onabort = () => reject(transaction.error ?? new Error('writing was given up'))
      put((name) => transaction.objectStore(name))
    })
  }
}
