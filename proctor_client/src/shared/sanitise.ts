/** The only way item markup enters a page: parsed as an inert document, rebuilt from an allow-list.
 * The server has sanitised it already; this is the second lock. Elements that are not allowed give way to their text. */

import { markWideAccents } from './accents.ts'

const HTML = 'http://www.w3.org/1999/xhtml'
const MATHML = 'http://www.w3.org/1998/Math/MathML'

const HTML_ELEMENTS = new Set(
  ('p br hr b strong i em u s sub sup small span div blockquote pre code q cite abbr h3 h4 h5 h6 ul ol li dl dt dd ' +
    'table caption colgroup col thead tbody tfoot tr th td figure figcaption img mark ruby rt rp').split(' '),
)
const MATH_ELEMENTS = new Set(
  ('math mrow mi mn mo mtext mspace ms mfrac msqrt mroot mstyle merror mpadded mphantom msub msup msubsup munder mover munderover ' +
    'mmultiscripts mprescripts none mtable mtr mtd semantics').split(' '),
)
/** Dropped with everything inside. */
const SILENT = new Set('script style template iframe object embed noscript title annotation annotation-xml svg form input button select textarea link meta base'.split(' '))

const HTML_ATTRIBUTES: Readonly<Record<string, readonly string[]>> = {
  '*': ['lang', 'dir', 'title'],
  img: ['alt', 'width', 'height'],
  td: ['colspan', 'rowspan'],
  th: ['colspan', 'rowspan', 'scope'],
  ol: ['start', 'type'],
  col: ['span'],
}
const MATH_ATTRIBUTES = new Set(
  ('display displaystyle scriptlevel mathvariant stretchy fence separator form accent accentunder lspace rspace minsize maxsize largeop ' +
    'movablelimits symmetric linethickness columnalign rowalign columnspan rowspan width height depth voffset dir intent arg').split(' '),
)
const MEDIA = /^\/media\/[0-9a-f]{64}(?:\.[a-z0-9]{1,5})?$/

export function sanitise(markup: string): DocumentFragment {
  const clean = document.createDocumentFragment()
  const parsed = new DOMParser().parseFromString(markup, 'text/html')
  copyChildren(parsed.body, clean)
  markWideAccents(clean)
  return clean
}

function copyChildren(from: Node, to: Node): void {
  for (const child of from.childNodes) {
    if (child.nodeType === Node.TEXT_NODE) copyText(child.nodeValue ?? '', to)
    else if (child instanceof Element) copyElement(child, to)
  }
}

/** A full stop after a formula must not begin the next line: formula and signs go into a span that does not break. */
function copyText(value: string, to: Node): void {
  const formula = to.lastChild
  const signs = /^[.,;:!?)\]%]+/.exec(value)?.[0] ?? ''
  if (signs === '' || !(formula instanceof Element) || formula.localName !== 'math' || formula.getAttribute('display') === 'block') {
    to.appendChild(document.createTextNode(value))
    return
  }
  const together = document.createElement('span')
  together.className = 'nowrap'
  to.appendChild(together)
  together.append(formula, signs)
  to.appendChild(document.createTextNode(value.slice(signs.length)))
}

function copyElement(element: Element, to: Node): void {
  const name = element.localName
  if (SILENT.has(name)) return
  const isMath = element.namespaceURI === MATHML
  const isAllowed = isMath ? MATH_ELEMENTS.has(name) : element.namespaceURI === HTML && HTML_ELEMENTS.has(name)
  if (!isAllowed) {
    copyChildren(element, to)
    return
  }
  const copy = document.createElementNS(isMath ? MATHML : HTML, name)
  for (const { name: attribute, value } of element.attributes) {
    if (isMath ? MATH_ATTRIBUTES.has(attribute) : isHtmlAttribute(name, attribute, value)) copy.setAttribute(attribute, value)
  }
  if (!isMath && name === 'img') {
    const source = element.getAttribute('src') ?? ''
    if (!MEDIA.test(source)) {
      to.appendChild(document.createTextNode(element.getAttribute('alt') ?? ''))
      return
    }
    copy.setAttribute('src', source)
    copy.setAttribute('decoding', 'async')
    if (!element.hasAttribute('alt')) copy.setAttribute('alt', '')
  }
  copyChildren(element, copy)
  to.appendChild(copy)
}

function isHtmlAttribute(element: string, attribute: string, value: string): boolean {
  if (HTML_ATTRIBUTES['*']?.includes(attribute)) return true
  if (!HTML_ATTRIBUTES[element]?.includes(attribute)) return false
  return attribute === 'alt' || /^[\w-]{1,12}$/.test(value)
}
