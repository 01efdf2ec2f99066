/** Cuts STIX Two Math down to the signs school formulas use, and copies the fonts' licences.
 * The MATH table with its size variants stays, so roots, integrals and braces still grow.
 * Bold and script letters go into a file of their own, which a browser fetches only where one of them stands. */

import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import type { Plugin } from 'vite'
import subsetFont from 'subset-font'

const require = createRequire(import.meta.url)
const FOLDER = join(import.meta.dirname, '..', 'fonts')

/** Ranges and single signs kept, as [first, last] code points. */
const KEPT: readonly (readonly [number, number])[] = [
  [0x20, 0x7e], // ASCII
  [0xa0, 0xbf], // currency, degree, plus-minus, fractions
  [0xd7, 0xd7], [0xf7, 0xf7], // times, divided by
  [0x131, 0x131], [0x237, 0x237], // dotless i, j under accents
  [0x2c6, 0x2c7], [0x2d8, 0x2da], [0x2dc, 0x2dc], [0x300, 0x304], [0x307, 0x308], [0x332, 0x332], [0x203e, 0x203e], [0x20d7, 0x20d7], // accents
  [0x391, 0x3a9], [0x3b1, 0x3c9], [0x3d1, 0x3d1], [0x3d5, 0x3d6], [0x3f1, 0x3f1], [0x3f5, 0x3f5], // Greek
  [0x2013, 0x2016], [0x2018, 0x201d], [0x2020, 0x2022], [0x2026, 0x2026], [0x2030, 0x2030], [0x2032, 0x2034], [0x2044, 0x2044],
  [0x2061, 0x2063], // invisible operators
  [0x2102, 0x2102], [0x210e, 0x210f], [0x2113, 0x2113], [0x2115, 0x2115], [0x211a, 0x211a], [0x211d, 0x211d], [0x2124, 0x2124],
  [0x2190, 0x2195], [0x21a6, 0x21a6], [0x21c0, 0x21c1], [0x21cc, 0x21cc], [0x21d0, 0x21d5], [0x27f5, 0x27fa], // arrows
  [0x2200, 0x2209], [0x220b, 0x220b], [0x220f, 0x2213], [0x2215, 0x221e], [0x2220, 0x2222], [0x2223, 0x222e], [0x2234, 0x2237],
  [0x223c, 0x223d], [0x2243, 0x2248], [0x224c, 0x224d], [0x2250, 0x2250], [0x2260, 0x2265], [0x226a, 0x226b],
  [0x2282, 0x2287], [0x228a, 0x228b], [0x2295, 0x2299], [0x22a4, 0x22a5], [0x22c0, 0x22c6], [0x22ee, 0x22f1],
  [0x2308, 0x230b], [0x2322, 0x2323], [0x23b4, 0x23b5], [0x23dc, 0x23df], [0x25a1, 0x25a1], [0x25fb, 0x25fb], [0x25b3, 0x25b3], [0x25bd, 0x25bd], [0x25cb, 0x25cb],
  [0x27e8, 0x27e9], [0x2a7d, 0x2a7e],
  [0x1d434, 0x1d467], [0x1d6a4, 0x1d6a5], [0x1d6e2, 0x1d71b], // italic Latin and Greek: every variable
]

/** Bold Latin (some write vectors so) and script capitals; the same list as `unicode-range` in fonts.css. */
const LETTERS: readonly (readonly [number, number])[] = [
  [0x1d400, 0x1d433],
  [0x1d49c, 0x1d4b5], [0x212c, 0x212c], [0x2130, 0x2131], [0x210b, 0x210b], [0x2110, 0x2110], [0x2112, 0x2112], [0x2133, 0x2133], [0x211b, 0x211b],
]

const FILES: readonly (readonly [string, readonly (readonly [number, number])[]])[] = [
  ['stix-two-math.woff2', KEPT],
  ['stix-two-letters.woff2', LETTERS],
]

const FEATURES = ['ssty', 'dtls', 'ccmp']
const RECIPE = join(FOLDER, 'recipe.json')

/** Write the subsets and the licences into `fonts/` unless they were made by this very recipe. */
export async function makeMathFonts(): Promise<void> {
  const recipe = JSON.stringify([FILES, FEATURES])
  if ((await readFile(RECIPE, 'utf8').catch(() => '')) === recipe) return
  const stix = dirname(require.resolve('@fontsource/stix-two-math/package.json'))
  const text = dirname(require.resolve('@fontsource/be-vietnam-pro/package.json'))
  const whole = await readFile(join(stix, 'files', 'stix-two-math-latin-400-normal.woff2'))
  await mkdir(FOLDER, { recursive: true })
  await copyFile(join(stix, 'LICENSE'), join(FOLDER, 'OFL-stix-two-math.txt'))
  await copyFile(join(text, 'LICENSE'), join(FOLDER, 'OFL-be-vietnam-pro.txt'))
  for (const [name, ranges] of FILES) {
    const kept = ranges.flatMap(([first, last]) => Array.from({ length: last - first + 1 }, (_, i) => String.fromCodePoint(first + i)))
    await writeFile(join(FOLDER, name), await subsetFont(whole, kept.join(''), { targetFormat: 'woff2', keepFeatures: FEATURES }))
  }
  await writeFile(RECIPE, recipe) // last: a build that was broken off begins anew
}

/** Vite plugin: the font exists before the first style sheet asks for it; the licences travel with it. */
export function mathFont(): Plugin {
  return {
    name: 'math-font',
    async buildStart() {
      await makeMathFonts()
    },
    async generateBundle() {
      for (const name of ['OFL-stix-two-math.txt', 'OFL-be-vietnam-pro.txt']) {
        this.emitFile({ type: 'asset', fileName: `licences/${name}`, source: await readFile(join(FOLDER, name)) })
      }
    },
  }
}
