import { describe, expect, test } from 'vitest'
import { commandOf, type KeyContext, type KeyPress } from '../../src/core/shortcuts.ts'

const press = (key: string, more: Partial<KeyPress> = {}): KeyPress => ({ key, code: '', ctrl: false, alt: false, shift: false, meta: false, ...more })
const choice: KeyContext = { inText: false, inWidget: false, singleKeys: true, kind: 'single_choice', options: 4 }

describe('keys', () => {
  test.each([
    ['b', { do: 'choose', index: 1 }],
    ['D', { do: 'choose', index: 3 }],
    ['3', { do: 'choose', index: 2 }],
    ['n', { do: 'next' }],
    ['p', { do: 'previous' }],
    ['f', { do: 'flag' }],
    ['r', { do: 'review' }],
    ['x', { do: 'clear' }],
    ['t', { do: 'time' }],
    ['?', { do: 'help' }],
    ['h', null],
    ['5', null],
    ['Enter', null],
  ])('%s on a choice of four', (key, command) => expect(commandOf(press(key), choice)).toEqual(command))

  test('F chooses option F where there is one; Shift+F always flags', () => {
    expect(commandOf(press('f'), { ...choice, options: 6 })).toEqual({ do: 'choose', index: 5 })
    expect(commandOf(press('F', { shift: true }), { ...choice, options: 6 })).toEqual({ do: 'flag' })
  })

  test('no letter acts while text is being written, but Alt+N and Escape do', () => {
    const text = { ...choice, inText: true }
    expect(commandOf(press('n'), text)).toBeNull()
    expect(commandOf(press('n', { alt: true }), text)).toEqual({ do: 'next' })
    expect(commandOf(press('Escape'), text)).toEqual({ do: 'leave-text' })
    expect(commandOf(press('ArrowRight', { ctrl: true }), text)).toBeNull()
  })

  test('single letters can be switched off, arrows with Ctrl stay', () => {
    const off = { ...choice, singleKeys: false }
    expect(commandOf(press('n'), off)).toBeNull()
    expect(commandOf(press('ArrowRight', { ctrl: true }), off)).toEqual({ do: 'next' })
  })

  test('a Vietnamese input method hides the letter, the key still counts', () => {
    expect(commandOf(press('Process', { code: 'KeyB' }), choice)).toEqual({ do: 'choose', index: 1 })
  })

  test('digits typed on a short answer go into its field', () => {
    const numeric: KeyContext = { ...choice, kind: 'short_numeric', options: 0 }
    expect(commandOf(press('-'), numeric)).toEqual({ do: 'type', text: '-' })
    expect(commandOf(press('7'), numeric)).toEqual({ do: 'type', text: '7' })
    expect(commandOf(press('n'), numeric)).toEqual({ do: 'next' })
  })

  test('keys of the browser are left alone', () => {
    for (const key of ['r', 'f', 'p', 'n', 't']) expect(commandOf(press(key, { ctrl: true }), choice)).toBeNull()
    expect(commandOf(press('ArrowLeft', { alt: true }), choice)).toBeNull()
    expect(commandOf(press('r', { meta: true }), choice)).toBeNull()
  })
})
