/** One build for everything that runs in a browser: player, room board, staff and public pages, item preview. */

import { defineConfig } from 'vitest/config'
import { mathFont } from './build/math_font.ts'
import { budget } from './build/budget.ts'
import { precache } from './build/precache.ts'

export default defineConfig({
  base: '/static/',
  publicDir: false,
  plugins: [mathFont(), precache(), budget()],
  build: {
    target: ['chrome109', 'firefox115'],
    manifest: true,
    assetsInlineLimit: 0, // the content policy allows no data: fonts or scripts
    modulePreload: { polyfill: false },
    rolldownOptions: {
      input: {
        player: 'exam.html',
        site: 'src/console/site.ts',
        board: 'src/watch/board.ts',
        preview: 'src/authoring/preview.ts',
        worker: 'src/player/worker/worker.ts',
      },
      output: {
        entryFileNames: (chunk) => (chunk.name === 'worker' ? 'exam/worker.js' : 'assets/[name]-[hash].js'),
      },
    },
  },
  test: { include: ['tests/**/*.test.ts'], environment: 'node' },
})
