/** The short-answer grid: digits, one comma, a leading minus; written from the left. Pure.
 *
 * On the printed sheet the minus stands in column 1 only and the comma in columns 2 and 3 only (of four).
 */

export type NumericHint = 'empty' | 'ok' | 'minus-alone' | 'comma-first' | 'comma-last' | 'comma-twice' | 'minus-inside' | 'too-long'

/** What of the typed text may stand in the grid: a point becomes a comma, every dash a minus, other signs go. */
export function clean(typed: string, maxCharacters: number): string {
  const signs = typed.normalize('NFKC').replace(/[.٫]/g, ',').replace(/[−–—‐‑]/g, '-').replace(/[^\d,-]/g, '')
  let kept = ''
  for (const sign of signs) {
    if (sign === '-' && kept !== '') continue
    if (sign === ',' && kept.includes(',')) continue
    kept += sign
  }
  return kept.slice(0, maxCharacters)
}

/** What is still wrong with a text that is being typed; signs that `clean` would drop are named too, so that they can be explained. */
export function hintOf(typed: string, maxCharacters: number): NumericHint {
  const text = typed.normalize('NFKC').replace(/[.]/g, ',').replace(/[−–—]/g, '-')
  if (text === '') return 'empty'
  if (text.lastIndexOf('-') > 0) return 'minus-inside'
  if (text.indexOf(',') !== text.lastIndexOf(',')) return 'comma-twice'
  if (text.length > maxCharacters) return 'too-long'
  if (text === '-') return 'minus-alone'
  if (/^-?,/.test(text)) return 'comma-first'
  if (text.endsWith(',')) return 'comma-last'
  return 'ok'
}
