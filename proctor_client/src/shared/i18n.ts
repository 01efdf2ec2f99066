/** Texts in the reader's language, switchable while the page runs. */

export type Language = 'vi' | 'en'
export type Facts = Readonly<Record<string, string | number>>

export const LANGUAGES: readonly Language[] = ['vi', 'en']

let current: Language = 'vi'

export function language(): Language {
  return current
}

export function useLanguage(next: Language): void {
  current = next
}

export function isLanguage(text: string | null | undefined): text is Language {
  return text === 'vi' || text === 'en'
}

/** The texts of one area: `t(key, facts)` gives the text in the current language, with `{name}` replaced by facts. */
export function texts<Key extends string>(catalogues: Readonly<Record<Language, Readonly<Record<Key, string>>>>): (key: Key, facts?: Facts) => string {
  return (key, facts = {}) => catalogues[current][key].replace(/\{(\w+)\}/g, (place, name: string) => String(facts[name] ?? place))
}

const ZONE = 'Asia/Ho_Chi_Minh'

/** 07:30, by the clock on the wall of the exam room. */
export function formatClock(ms: number, withSeconds = false): string {
  const seconds = withSeconds ? ({ second: '2-digit' } as const) : {}
  return new Intl.DateTimeFormat('en-GB', { timeZone: ZONE, hour: '2-digit', minute: '2-digit', ...seconds }).format(ms)
}

/** 27/06/2027. */
export function formatDay(ms: number): string {
  return new Intl.DateTimeFormat('en-GB', { timeZone: ZONE, day: '2-digit', month: '2-digit', year: 'numeric' }).format(ms)
}

/** Letters without marks, for searching as people type. */
export function fold(text: string): string {
  return text.normalize('NFD').replace(/\p{M}/gu, '').replace(/đ/g, 'd').replace(/Đ/g, 'D').toLowerCase()
}
