/** Service worker of the player: the page, its hashed files and the pictures of a paper are there without a network.
 * Responses and forms are not its business; they lie in IndexedDB, which also works where service workers do not. */

declare const self: ServiceWorkerGlobalScope

/** Filled in by the build: addresses of the shell's files, each with a hash in its name. */
const SHELL_FILES: readonly string[] = '__SHELL_FILES__' as unknown as readonly string[]
const PAGE = '/exam/'
const SHELL = `shell-${hashOf([...SHELL_FILES].join())}`
const MEDIA = 'media'
const PAGE_PATIENCE_MS = 4_000

self.addEventListener('install', (event) => {
  event.waitUntil(
    caches
      .open(SHELL)
      .then((cache) => cache.addAll([...SHELL_FILES, new Request(PAGE, { cache: 'reload' })]))
      .then(() => self.skipWaiting()),
  )
})

self.addEventListener('activate', (event) => {
  event.waitUntil(
    caches
      .keys()
      .then((names) => Promise.all(names.filter((name) => name !== SHELL && name !== MEDIA).map((name) => caches.delete(name))))
      .then(() => self.clients.claim()),
  )
})

self.addEventListener('fetch', (event) => {
  const { request } = event
  const address = new URL(request.url)
  if (request.method !== 'GET' || address.origin !== self.location.origin) return
  if (request.mode === 'navigate') event.respondWith(page(request))
  else if (SHELL_FILES.includes(address.pathname)) event.respondWith(kept(request, SHELL))
  else if (address.pathname.startsWith('/media/')) event.respondWith(kept(request, MEDIA))
})

/** The player tells us when a candidate has finished: nothing of the paper stays. */
self.addEventListener('message', (event) => {
  if (event.data === 'forget-media') event.waitUntil(caches.delete(MEDIA))
})

/** The newest page if the network gives it soon, else the kept one. */
async function page(request: Request): Promise<Response> {
  const stop = new AbortController()
  const timer = setTimeout(() => stop.abort(), PAGE_PATIENCE_MS)
  try {
    const fresh = await fetch(request.url, { signal: stop.signal, cache: 'no-store', credentials: 'same-origin' })
    if (fresh.ok) return fresh
    return (await caches.match(PAGE)) ?? fresh
  } catch {
    return (await caches.match(PAGE)) ?? Response.error()
  } finally {
    clearTimeout(timer)
  }
}

/** Files named by their content never change: first the cache, then the network. */
async function kept(request: Request, name: string): Promise<Response> {
  const cache = await caches.open(name)
  const found = await cache.match(request.url)
  if (found) return found
  const fresh = await fetch(request)
  if (fresh.ok) await cache.put(request.url, fresh.clone())
  return fresh
}

function hashOf(text: string): string {
  let hash = 5381
  for (let i = 0; i < text.length; i += 1) hash = ((hash * 33) ^ text.charCodeAt(i)) >>> 0
  return hash.toString(36)
}

export type {}
