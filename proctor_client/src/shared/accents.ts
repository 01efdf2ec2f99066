/** Angles and vectors over several letters: hats and arrows drawn by the style sheet.
 * Browsers leave "^" and "→" small, and Chromium cuts the combining signs, which would stretch, at the edges of its
 * drawing tiles; a hat that is missing changes the question. Screen readers still find the sign itself.
 */

const HATS = new Set(['^', '\u02c6', '\u0302'])
const ARROWS = new Set(['\u2192', '\u20d7'])

export function markWideAccents(root: ParentNode): void {
  for (const over of root.querySelectorAll('mover')) {
    const [base, accent] = over.children
    const sign = accent?.textContent?.trim() ?? ''
    if (accent?.localName !== 'mo' || [...(base?.textContent ?? '').trim()].length < 2) continue
    if (HATS.has(sign)) mark(over, accent, 'wide-hat', '^')
    else if (ARROWS.has(sign)) mark(over, accent, 'wide-arrow', '\u2192')
  }
}

function mark(over: Element, accent: Element, look: string, sign: string): void {
  over.setAttribute('class', look)
  accent.textContent = sign
  accent.setAttribute('stretchy', 'false')
}
