/** How this reader likes it: theme, text size, language, keys. Kept in this browser; the theme and the language also as
 * cookies, which the server's pages read. */

import { isLanguage, type Language, useLanguage } from './i18n.ts'

export type Theme = 'auto' | 'light' | 'dark' | 'contrast'
export const THEMES: readonly Theme[] = ['auto', 'light', 'dark', 'contrast']
export const TEXT_SIZES: readonly number[] = [1, 2, 3, 4]

const YEAR_SECONDS = 31_536_000

function readCookie(name: string): string | null {
  const found = document.cookie.split('; ').find((pair) => pair.startsWith(`${name}=`))
  return found === undefined ? null : decodeURIComponent(found.slice(name.length + 1))
}

function writeCookie(name: string, value: string | null): void {
  const life = value === null ? 'Max-Age=0' : `Max-Age=${YEAR_SECONDS}`
  document.cookie = `${name}=${encodeURIComponent(value ?? '')}; Path=/; ${life}; SameSite=Lax`
}

/** Storage may be forbidden; a preference is not worth a failure. */
function read(name: string): string | null {
  try {
    return localStorage.getItem(`exam.${name}`)
  } catch {
    return null
  }
}

function write(name: string, value: string): void {
  try {
    localStorage.setItem(`exam.${name}`, value)
  } catch {
    // as above
  }
}

export function theme(): Theme {
  const kept = readCookie('theme')
  return THEMES.find((name) => name === kept) ?? 'auto'
}

export function useTheme(next: Theme): void {
  writeCookie('theme', next === 'auto' ? null : next)
  applyTheme()
}

export function applyTheme(): void {
  const chosen = theme()
  if (chosen === 'auto') delete document.documentElement.dataset['theme']
  else document.documentElement.dataset['theme'] = chosen
}

export function textSize(): number {
  return TEXT_SIZES.find((step) => String(step) === read('text-size')) ?? 1
}

export function useTextSize(step: number): void {
  write('text-size', String(step))
  applyTextSize()
}

export function applyTextSize(): void {
  document.documentElement.dataset['textSize'] = String(textSize())
}

export function hasSingleKeys(): boolean {
  return read('single-keys') !== 'off'
}

export function useSingleKeys(on: boolean): void {
  write('single-keys', on ? 'on' : 'off')
}

export function isTimerHidden(): boolean {
  return read('timer') === 'hidden'
}

export function hideTimer(hidden: boolean): void {
  write('timer', hidden ? 'hidden' : 'shown')
}

/** The language of the address, else of the cookie, else Vietnamese. */
export function startLanguage(asked: string | null): Language {
  const wanted = asked ?? readCookie('lang')
  return isLanguage(wanted) ? wanted : 'vi'
}

export function keepLanguage(next: Language): void {
  writeCookie('lang', next)
  document.documentElement.lang = next
  useLanguage(next)
}
