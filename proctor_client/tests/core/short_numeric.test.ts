import { describe, expect, test } from 'vitest'
import { clean, hintOf } from '../../src/core/short_numeric.ts'

describe('cleaning what was typed for the grid of four', () => {
  test.each([
    ['0.5', '0,5'],
    ['−1,5', '-1,5'],
    ['1 440', '1440'],
    ['0803', '0803'],
    ['92,31', '92,3'],
    ['1,2,3', '1,23'],
    ['5-', '5'],
    ['12a', '12'],
    ['１２', '12'],
    ['', ''],
  ])('%s becomes %s', (typed, text) => expect(clean(typed, 4)).toBe(text))

  test('cleaning twice changes nothing more', () => {
    for (const typed of ['0.5', '-1.25', '--3', ',,', '12345', 'x-1.']) expect(clean(clean(typed, 4), 4)).toBe(clean(typed, 4))
  })
})

describe('the hint', () => {
  test.each([
    ['', 'empty'],
    ['-1,5', 'ok'],
    ['12', 'ok'],
    ['-', 'minus-alone'],
    [',5', 'comma-first'],
    ['-,5', 'comma-first'],
    ['3,', 'comma-last'],
    ['1,2,3', 'comma-twice'],
    ['3-1', 'minus-inside'],
    ['12345', 'too-long'],
  ])('for %s is %s', (typed, hint) => expect(hintOf(typed, 4)).toBe(hint))
})
