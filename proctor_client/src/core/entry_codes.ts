/** Reading what a candidate types at the door: tolerant of spaces, dashes, case and letters that look alike. Pure. */

export const CODE_LENGTH = 12

/** A card code as the server knows it: Crockford's 32 signs, where O is 0 and I, L are 1. */
export function readCode(typed: string): string {
  const signs = typed.normalize('NFKC').toUpperCase().replace(/[^0-9A-Z]/g, '')
  return signs.replace(/O/g, '0').replace(/[IL]/g, '1').slice(0, CODE_LENGTH)
}

/** The same in groups of four, as it is printed. */
export function formatCode(typed: string): string {
  return (readCode(typed).match(/.{1,4}/g) ?? []).join('-')
}

export function readNumber(typed: string): string {
  return typed.normalize('NFKC').replace(/[\s.-]/g, '').toUpperCase()
}
