/** Small keyless forms for the tests. */

import type { ClusterItem, EssayItem, Form, SingleChoiceItem } from '../src/shared/api.ts'

export const single: SingleChoiceItem = {
  slot: 1,
  part: 1,
  stimulus: null,
  kind: 'single_choice',
  stem: '<p>?</p>',
  options: ['A', 'B', 'C', 'D'].map((id) => ({ id, content: id })),
}

export const cluster: ClusterItem = {
  slot: 3,
  part: 2,
  stimulus: null,
  kind: 'true_false_cluster',
  stem: '<p>?</p>',
  statements: ['a', 'b', 'c', 'd'].map((id) => ({ id, content: id })),
}

export const essay: EssayItem = { slot: 4, part: 2, stimulus: null, kind: 'essay', stem: '<p>?</p>', max_words: 200 }

export const form: Form = {
  title: 'Toán',
  language: 'vi',
  minutes: 90,
  parts: [
    { part: 1, title: 'I', instructions: '', points_note: '0,25' },
    { part: 2, title: 'II', instructions: '', points_note: '1,0' },
  ],
  stimuli: [],
  items: [single, { ...single, slot: 2 }, cluster, essay],
}

export const ordering = form.items.map((item) => ({ slot: item.slot, options: '' }))
