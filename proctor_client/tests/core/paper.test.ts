import { describe, expect, test } from 'vitest'
import { arrange, choicesOf, mediaOf, PaperMismatch } from '../../src/core/paper.ts'
import { cellsOf, cellState, reviewGroups, tally } from '../../src/core/palette.ts'
import { EMPTY_BOOK, record } from '../../src/core/responses.ts'
import { clampPosition, moved } from '../../src/core/navigation.ts'
import { completeness, normalise } from '../../src/core/completeness.ts'
import { cluster, form, single } from '../forms.ts'

const ordering = [
  { slot: 2, options: 'DCBA' },
  { slot: 1, options: 'ABCD' },
  { slot: 3, options: 'badc' },
]

describe('a paper', () => {
  const paper = arrange(form, ordering)

  test('numbers its items in its own order and keeps the slots', () => {
    expect(paper.entries.map(({ position, slot }) => [position, slot])).toEqual([[1, 2], [2, 1], [3, 3]])
  })

  test('shows options under its own letters and answers in master letters', () => {
    expect(paper.entries[0]?.choices.map(({ letter, value }) => letter + value)).toEqual(['AD', 'BC', 'CB', 'DA'])
    expect(paper.entries[2]?.choices.map(({ letter, value }) => letter + value)).toEqual(['ab', 'ba', 'cd', 'dc'])
  })

  test('has a section for each part', () => {
    expect(paper.sections.map((section) => [section.part.title, section.entries.length])).toEqual([['I', 2], ['II', 1]])
  })

  test('an ordering of another form is refused with the slot', () => {
    expect(() => arrange(form, [{ slot: 9, options: '' }])).toThrow(PaperMismatch)
  })

  test('an order of options that does not fit falls back to the form’s', () => {
    for (const order of ['', 'AB', 'AABB', 'ABCX', 'ABCDE']) expect(choicesOf(single, order).map((choice) => choice.value)).toEqual(['A', 'B', 'C', 'D'])
  })

  test('names its pictures once each', () => {
    const picture = `/media/${'a'.repeat(64)}.svg`
    const item = { ...single, stem: `<img src="${picture}"><img src="${picture}">` }
    expect(mediaOf({ ...form, items: [item] })).toEqual([picture])
  })
})

describe('the palette', () => {
  const paper = arrange(form, ordering)
  const marks = { visited: new Set([1, 2, 3]), flagged: new Set([1, 2]) }

  test.each([
    [false, false, false, 'new'],
    [false, true, false, 'seen'],
    [true, true, false, 'answered'],
    [false, true, true, 'flagged'],
    [true, true, true, 'answered-flagged'],
    [true, false, false, 'answered'],
  ] as const)('answered %s, visited %s, flagged %s: %s', (answered, visited, flagged, state) => expect(cellState(answered, visited, flagged)).toBe(state))

  test('the review list puts first what needs a second look', () => {
    const book = record(record(EMPTY_BOOK, 2, 'A', 0), 3, { a: true }, 0)
    const groups = reviewGroups(cellsOf(paper, book, marks))
    expect([groups.unanswered, groups.partly, groups.flagged, groups.answered].map((cells) => cells.map((cell) => cell.entry.slot))).toEqual([[1], [3], [2], []])
    expect(tally(cellsOf(paper, book, marks))).toEqual({ total: 3, answered: 2, partly: 1, unanswered: 1, flagged: 2 })
  })
})

describe('how much is answered', () => {
  test.each([
    [single, null, 'none'],
    [single, 'B', 'whole'],
    [cluster, { a: false }, 'part'],
    [cluster, { a: true, b: true, c: false, d: false }, 'whole'],
    [{ ...single, kind: 'essay', max_words: 10 } as const, '  \n ', 'none'],
    [{ ...single, kind: 'multiple_choice', maximum: 0 } as const, [], 'none'],
  ] as const)('%#', (item, value, whole) => expect(completeness(item, value)).toBe(whole))

  test('emptied answers are sent as cleared', () => {
    expect([normalise(''), normalise([]), normalise({}), normalise('A')]).toEqual([null, null, null, 'A'])
  })
})

describe('moving about', () => {
  test('stays inside the paper', () => {
    expect([moved(1, 'previous', 5), moved(5, 'next', 5), moved(2, 'next', 5), moved(3, 'first', 5), moved(3, 'last', 5)]).toEqual([1, 5, 3, 1, 5])
    expect([clampPosition(0, 5), clampPosition(9, 5), clampPosition(Number.NaN, 5)]).toEqual([1, 5, 1])
  })
})
