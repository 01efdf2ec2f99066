import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { en } from '../../src/shared/messages/en.ts'
import { staffEn } from '../../src/shared/messages/en_staff.ts'
import { vi } from '../../src/shared/messages/vi.ts'
import { staffVi } from '../../src/shared/messages/vi_staff.ts'
import { roomEn } from '../../src/shared/messages/en_room.ts'
import { roomVi } from '../../src/shared/messages/vi_room.ts'

const SOURCE = join(import.meta.dirname, '..', '..', 'src')
const sources = readdirSync(SOURCE, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts') && !name.includes('messages'))
  .map((name) => readFileSync(join(SOURCE, name), 'utf8'))
  .join('\n')

/** Beginnings of keys that the code puts together: t(`board.state-${…}`). */
const built = [...sources.matchAll(/`([\w-]+\.[\w-]*)\$\{|told\('([\w.-]+)'/g)].map((match) => match[1] ?? match[2] ?? '')

describe.each([
  ['candidate', vi as Record<string, string>, en as Record<string, string>],
  ['staff', staffVi as Record<string, string>, staffEn as Record<string, string>],
  ['room', roomVi as Record<string, string>, roomEn as Record<string, string>],
])('texts for the %s', (_name, first, second) => {
  const keys = Object.keys(first)

  test('say the same things in both languages', () => {
    expect(Object.keys(second).sort()).toEqual([...keys].sort())
  })

  test('name the same facts in both languages', () => {
    const facts = (text: string | undefined): string[] => [...(text ?? '').matchAll(/\{(\w+)\}/g)].map((match) => match[1] ?? '').sort()
    for (const key of keys) expect([key, facts(second[key])]).toEqual([key, facts(first[key])])
  })

  test('are composed Unicode without stray spaces', () => {
    for (const text of [...Object.values(first), ...Object.values(second)]) {
      expect(text).toBe(text.normalize('NFC').trim())
      expect(text).not.toBe('')
    }
  })

  test('are all used', () => {
    const unused = keys.filter((key) => !sources.includes(`'${key}'`) && !built.some((start) => key.startsWith(start)))
    expect(unused).toEqual([])
  })
})

test('the three words of the save state are exactly these', () => {
  expect([vi['save.saved'], vi['save.saving'], vi['save.not-saved']]).toEqual(['Đã lưu', 'Đang lưu', 'Chưa lưu'])
})
