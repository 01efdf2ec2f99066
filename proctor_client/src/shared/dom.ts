/** Building elements without a framework: one function for elements, one for drawn signs. */

export type Child = Node | string | number | null | undefined | false
type Handler<Kind extends keyof HTMLElementEventMap> = (event: HTMLElementEventMap[Kind]) => void

export interface Attributes {
  readonly [name: string]: string | number | boolean | null | undefined | { readonly [Kind in keyof HTMLElementEventMap]?: Handler<Kind> }
}

/** `h('button', { class: 'button', disabled: true, on: { click } }, 'Text')`; false and null leave an attribute out. */
export function h<Tag extends keyof HTMLElementTagNameMap>(tag: Tag, attributes: Attributes = {}, ...children: Child[]): HTMLElementTagNameMap[Tag] {
  const element = document.createElement(tag)
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue
    if (typeof value === 'object') {
      for (const [kind, handler] of Object.entries(value)) element.addEventListener(kind, handler as EventListener)
    } else element.setAttribute(name, value === true ? '' : String(value))
  }
  element.append(...children.filter((child) => child !== null && child !== undefined && child !== false).map((child) => (child instanceof Node ? child : String(child))))
  return element
}

const SVG = 'http://www.w3.org/2000/svg'

/** Paths on a 24 × 24 field, drawn with a 2 px round pen. */
const SIGNS = {
  check: 'M5 12.5l4.5 4.5L19 7.5',
  dots: 'M6 12h.01M12 12h.01M18 12h.01',
  warn: 'M12 8v5M12 16.5h.01M12 3.5l9.5 17h-19z',
  flag: 'M6 21V4M6 5h11l-2.5 4L17 13H6',
  left: 'M15 5l-7 7 7 7',
  right: 'M9 5l7 7-7 7',
  clock: 'M12 7v5l3 2M12 3a9 9 0 100 18 9 9 0 000-18z',
  eye: 'M2.5 12S6 5.5 12 5.5 21.5 12 21.5 12 18 18.5 12 18.5 2.5 12 2.5 12zM12 9.5a2.5 2.5 0 100 5 2.5 2.5 0 000-5z',
  grid: 'M4 4h6v6H4zM14 4h6v6h-6zM4 14h6v6H4zM14 14h6v6h-6z',
  text: 'M4 18L9 6l5 12M5.7 14h6.6M15.5 18l3-7.5 3 7.5M16.6 15.5h3.8',
  help: 'M9.2 9.2a2.8 2.8 0 115 1.7c-.8.9-2.2 1.3-2.2 2.9M12 17.2h.01M12 3a9 9 0 100 18 9 9 0 000-18z',
  close: 'M6 6l12 12M18 6L6 18',
  clear: 'M4 7h16M9 7V4.5h6V7M6.5 7l1 13h9l1-13',
  message: 'M4 5h16v11H10l-4 3.5V16H4z',
  lock: 'M7 11V8a5 5 0 0110 0v3M5.5 11h13v9h-13z',
  pause: 'M8.5 5v14M15.5 5v14',
  pen: 'M4 20l1-5L16 4l4 4L9 19zM13.5 6.5l4 4',
  seat: 'M7 4v9h9M7 13v7M16 13v7M7 9h7',
} as const

export type Sign = keyof typeof SIGNS

export function sign(name: Sign): SVGSVGElement {
  const svg = document.createElementNS(SVG, 'svg')
  for (const [attribute, value] of [
    ['viewBox', '0 0 24 24'],
    ['class', 'sign'],
    ['aria-hidden', 'true'],
    ['focusable', 'false'],
  ] as const) svg.setAttribute(attribute, value)
  const path = document.createElementNS(SVG, 'path')
  path.setAttribute('d', SIGNS[name])
  svg.append(path)
  return svg
}

let lastId = 0

/** A fresh id, for labels and descriptions. */
export function freshId(name: string): string {
  lastId += 1
  return `${name}-${lastId}`
}
