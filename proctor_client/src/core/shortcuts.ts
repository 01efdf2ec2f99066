/** Which key means what. Pure: a table, so that help and behaviour cannot part.
 *
 * Single letters act only outside text fields and can be switched off (WCAG 2.1.4). Alt+N and Alt+P work everywhere.
 * An item that has an option F takes the plain F; Shift+F always flags.
 */

import type { ItemKind } from '../shared/api.ts'

export interface KeyPress {
  readonly key: string
  readonly code: string
  readonly ctrl: boolean
  readonly alt: boolean
  readonly shift: boolean
  readonly meta: boolean
}

export interface KeyContext {
  readonly inText: boolean
  /** Focus is on a control that has its own use for arrows and letters (a select, a dialog). */
  readonly inWidget: boolean
  readonly singleKeys: boolean
  readonly kind: ItemKind | null
  readonly options: number
}

export type Command =
  | { readonly do: 'next' | 'previous' | 'flag' | 'review' | 'help' | 'clear' | 'leave-text' | 'time' }
  | { readonly do: 'choose'; readonly index: number }
  | { readonly do: 'type'; readonly text: string }

const LETTERS = 'abcdefgh'

export function commandOf(press: KeyPress, context: KeyContext): Command | null {
  if (press.meta) return null
  const letter = letterOf(press)
  if (press.alt && !press.ctrl) {
    if (letter === 'n') return { do: 'next' }
    if (letter === 'p') return { do: 'previous' }
    return null
  }
  if (context.inText) return press.key === 'Escape' ? { do: 'leave-text' } : null
  if (press.ctrl && !press.shift) {
    if (press.key === 'ArrowRight') return { do: 'next' }
    if (press.key === 'ArrowLeft') return { do: 'previous' }
  }
  if (press.ctrl || context.inWidget || !context.singleKeys) return null
  if (press.key === '?') return { do: 'help' }
  if (press.shift) return letter === 'f' ? { do: 'flag' } : null
  const typed = context.kind === 'short_numeric' && /^[\d,.-]$/.test(press.key)
  if (typed) return { do: 'type', text: press.key }
  const index = choiceIndex(press, letter, context)
  if (index !== null) return { do: 'choose', index }
  switch (letter) {
    case 'n':
      return { do: 'next' }
    case 'p':
      return { do: 'previous' }
    case 'f':
      return { do: 'flag' }
    case 'r':
      return { do: 'review' }
    case 't':
      return { do: 'time' }
    case 'x':
      return { do: 'clear' }
    default:
      return null
  }
}

function choiceIndex(press: KeyPress, letter: string, context: KeyContext): number | null {
  if (context.kind === null || context.options === 0) return null
  const digit = /^(?:Digit|Numpad)([1-8])$/.exec(press.code)?.[1] ?? (/^[1-8]$/.test(press.key) ? press.key : undefined)
  const index = digit === undefined ? LETTERS.indexOf(letter || '-') : Number(digit) - 1
  return index >= 0 && index < context.options ? index : null
}

/** Vietnamese input methods report "Process" for letters; the physical key then tells which one it was. */
function letterOf(press: KeyPress): string {
  if (/^[a-z]$/i.test(press.key)) return press.key.toLowerCase()
  return press.key === 'Process' || press.key === 'Unidentified' ? (/^Key([A-Z])$/.exec(press.code)?.[1]?.toLowerCase() ?? '') : ''
}
