import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'

const tokens = readFileSync(join(import.meta.dirname, '..', '..', 'src', 'shared', 'design', 'tokens.css'), 'utf8')

function block(selector: string): Map<string, string> {
  const start = tokens.indexOf(selector)
  const body = tokens.slice(tokens.indexOf('{', start) + 1, tokens.indexOf('}', start))
  return new Map([...body.matchAll(/(--[\w-]+):\s*([^;]+);/g)].map((match) => [match[1] ?? '', match[2] ?? '']))
}

const light = block(':root {')
const dark = block(':root[data-theme="dark"]')
const THEMES = new Map([
  ['light', light],
  ['dark', dark],
  ['contrast', block(':root[data-theme="contrast"]')],
])

function luminance(colour: string): number {
  const channels = [1, 3, 5].map((at) => Number.parseInt(colour.slice(at, at + 2), 16) / 255)
  const [red = 0, green = 0, blue = 0] = channels.map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4))
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue
}

function contrast(a: string, b: string): number {
  const [high = 0, low = 0] = [luminance(a), luminance(b)].sort((x, y) => y - x)
  return (high + 0.05) / (low + 0.05)
}

const GROUNDS = ['--canvas', '--surface', '--sunken']
const TEXT_PAIRS: readonly (readonly [string, string])[] = [
  ...['--ink', '--ink-soft', '--ink-faint'].flatMap((text) => [...GROUNDS, '--accent-soft', '--warn-soft', '--bad-soft', '--good-soft'].map((ground) => [text, ground] as const)),
  ...['--accent', '--accent-hover', '--accent-ink'].flatMap((text) => [...GROUNDS, '--accent-soft'].map((ground) => [text, ground] as const)),
  ...['good', 'warn', 'bad'].flatMap((tone) => [...GROUNDS, `--${tone}-soft`].map((ground) => [`--${tone}`, ground] as const)),
  ['--on-accent', '--accent'],
  ['--on-accent', '--accent-hover'],
  ['--on-bad', '--bad'],
  ['--on-bad', '--bad-hover'],
]
/** Edges of controls, the focus ring and the flag must be told apart from what they stand on (WCAG 1.4.11). */
const SHAPE_PAIRS: readonly (readonly [string, string])[] = [
  ...['--line-strong', '--focus', '--flag', '--accent'].flatMap((shape) => [...GROUNDS].map((ground) => [shape, ground] as const)),
]

describe.each([...THEMES])('the %s theme', (_name, theme) => {
  const colour = (name: string): string => theme.get(name) ?? light.get(name) ?? ''

  test.each(TEXT_PAIRS)('text %s on %s reaches 4.5 : 1', (text, ground) => {
    expect(contrast(colour(text), colour(ground))).toBeGreaterThanOrEqual(4.5)
  })

  test.each(SHAPE_PAIRS)('shape %s on %s reaches 3 : 1', (shape, ground) => {
    expect(contrast(colour(shape), colour(ground))).toBeGreaterThanOrEqual(3)
  })
})

test('dark is the same whether chosen or wished for by the system', () => {
  expect(block(':root:not([data-theme])')).toEqual(dark)
})

test('every theme decides every colour', () => {
  const colours = [...light.keys()].filter((name) => /^(#|rgb)/.test(light.get(name) ?? ''))
  for (const theme of THEMES.values()) expect(colours.filter((name) => !theme.has(name) && !['--shadow'].includes(name))).toEqual([])
})
