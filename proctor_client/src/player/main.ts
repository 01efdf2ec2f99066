/** Starts the player: preferences, ports, service worker. */

import './player.css'

import { applyTextSize, applyTheme } from '../shared/preferences.ts'
import { ExamApp } from './app.ts'
import { HttpExamServer } from './http_server.ts'
import { IndexedVault } from './vault.ts'

applyTheme()
applyTextSize()
// The service worker rules below /exam/ only.
if (location.pathname === '/exam') history.replaceState(null, '', `/exam/${location.search}`)
// Plain HTTP on a school network has no service workers; everything but a reload off line works without.
navigator.serviceWorker?.register('/exam/worker.js', { scope: '/exam/' }).catch(() => undefined)

ExamApp.define()
const app = document.querySelector<ExamApp>('exam-app')
void app?.open({
  server: new HttpExamServer(),
  vault: new IndexedVault(),
  counter: () => performance.now(),
  wall: () => Date.now(),
  chance: () => Math.random(),
})
