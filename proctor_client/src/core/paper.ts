/** A candidate's paper: the form laid out in this candidate's order, with display letters. Pure. */

import type { Form, Item, Option, Part, Place, Stimulus } from '../shared/api.ts'

/** One option or statement as it is shown: `letter` on the screen, `value` in the response. */
export interface Choice {
  readonly letter: string
  readonly value: string
  readonly content: string
}

export interface Entry {
  /** 1-based place in the paper: the number the candidate sees. */
  readonly position: number
  readonly slot: number
  readonly section: number
  readonly item: Item
  readonly stimulus: Stimulus | null
  readonly choices: readonly Choice[]
}

export interface Section {
  readonly index: number
  readonly part: Part
  readonly entries: readonly Entry[]
}

export interface Paper {
  readonly title: string
  readonly language: string
  readonly minutes: number
  readonly sections: readonly Section[]
  readonly entries: readonly Entry[]
}

/** A form and an ordering that do not belong together. */
export class PaperMismatch extends Error {
  readonly slot: number

  constructor(slot: number) {
    super(`the ordering names slot ${slot}, which the form does not have`)
    this.slot = slot
  }
}

const CAPITALS = 'ABCDEFGH'
const SMALL = 'abcdefgh'

export function arrange(form: Form, ordering: readonly Place[]): Paper {
  const items = new Map(form.items.map((item) => [item.slot, item]))
  const stimuli = new Map(form.stimuli.map((stimulus) => [stimulus.id, stimulus]))
  const parts = new Map(form.parts.map((part) => [part.part, part]))
  const entries: Entry[] = []
  const sections: { index: number; part: Part; entries: Entry[] }[] = []
  for (const place of ordering) {
    const item = items.get(place.slot)
    if (!item) throw new PaperMismatch(place.slot)
    let section = sections.at(-1)
    if (section?.part.part !== item.part) {
      const part = parts.get(item.part) ?? { part: item.part, title: '', instructions: '', points_note: '' }
      section = { index: sections.length, part, entries: [] }
      sections.push(section)
    }
    const entry: Entry = {
      position: entries.length + 1,
      slot: item.slot,
      section: section.index,
      item,
      stimulus: item.stimulus === null ? null : (stimuli.get(item.stimulus) ?? null),
      choices: choicesOf(item, place.options),
    }
    section.entries.push(entry)
    entries.push(entry)
  }
  return { title: form.title, language: form.language, minutes: form.minutes, sections, entries }
}

/** Options or statements in display order; an order that fits badly falls back to the form's own. */
export function choicesOf(item: Item, order: string): readonly Choice[] {
  const contents = contentsOf(item)
  if (contents.length === 0) return []
  const byId = new Map(contents.map((option) => [option.id, option]))
  const asked = [...order].map((id) => byId.get(id))
  const fits = asked.length === contents.length && new Set(asked).size === contents.length && asked.every((option) => option !== undefined)
  const shown = fits ? asked : contents
  const letters = item.kind === 'true_false_cluster' ? SMALL : CAPITALS
  return shown.map((option, index) => ({ letter: letters[index] ?? String(index + 1), value: option.id, content: option.content }))
}

function contentsOf(item: Item): readonly Option[] {
  switch (item.kind) {
    case 'single_choice':
    case 'multiple_choice':
      return item.options
    case 'true_false_cluster':
      return item.statements
    case 'short_numeric':
    case 'essay':
      return []
  }
}

/** Addresses of the pictures in a form, so that they can be fetched before the network goes. */
export function mediaOf(form: Form): readonly string[] {
  const contents = [
    ...form.stimuli.map((stimulus) => stimulus.content),
    ...form.items.flatMap((item) => [item.stem, ...contentsOf(item).map((option) => option.content)]),
  ]
  const found = contents.flatMap((content) => [...content.matchAll(/\/media\/[0-9a-f]{64}(?:\.[a-z0-9]{1,5})?/g)].map((match) => match[0]))
  return [...new Set(found)]
}
