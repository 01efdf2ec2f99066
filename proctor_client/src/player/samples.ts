/** One made-up item of each kind, to try in the waiting room. Never sent, never scored. */

import type { Item } from '../shared/api.ts'
import { language } from '../shared/i18n.ts'

const half = '<math><mfrac><mn>1</mn><mn>2</mn></mfrac></math>'

const VIETNAMESE: readonly Item[] = [
  {
    slot: 1, part: 1, stimulus: null, kind: 'single_choice',
    stem: '<p>Thủ đô của Việt Nam là thành phố nào?</p>',
    options: [
      { id: 'A', content: 'Huế' },
      { id: 'B', content: 'Hà Nội' },
      { id: 'C', content: 'Đà Nẵng' },
      { id: 'D', content: 'Cần Thơ' },
    ],
  },
  {
    slot: 2, part: 1, stimulus: null, kind: 'multiple_choice', maximum: 2,
    stem: '<p>Chọn hai số chẵn.</p>',
    options: [
      { id: 'A', content: '4' },
      { id: 'B', content: '7' },
      { id: 'C', content: '9' },
      { id: 'D', content: '10' },
    ],
  },
  {
    slot: 3, part: 1, stimulus: null, kind: 'true_false_cluster',
    stem: '<p>Một tuần có bảy ngày. Chọn Đúng hoặc Sai cho từng ý.</p>',
    statements: [
      { id: 'a', content: 'Sau thứ Hai là thứ Ba.' },
      { id: 'b', content: 'Trước thứ Hai là thứ Bảy.' },
      { id: 'c', content: 'Hai tuần có 14 ngày.' },
      { id: 'd', content: 'Chủ nhật đứng ngay sau thứ Năm.' },
    ],
  },
  { slot: 4, part: 1, stimulus: null, kind: 'short_numeric', max_characters: 4, stem: `<p>Viết ${half} dưới dạng số thập phân.</p>` },
  { slot: 5, part: 1, stimulus: null, kind: 'essay', max_words: 50, stem: '<p>Viết một câu giới thiệu quê em.</p>' },
]

const ENGLISH: readonly Item[] = [
  {
    slot: 1, part: 1, stimulus: null, kind: 'single_choice',
    stem: '<p>Which city is the capital of Viet Nam?</p>',
    options: [
      { id: 'A', content: 'Hue' },
      { id: 'B', content: 'Ha Noi' },
      { id: 'C', content: 'Da Nang' },
      { id: 'D', content: 'Can Tho' },
    ],
  },
  {
    slot: 2, part: 1, stimulus: null, kind: 'multiple_choice', maximum: 2,
    stem: '<p>Choose the two even numbers.</p>',
    options: [
      { id: 'A', content: '4' },
      { id: 'B', content: '7' },
      { id: 'C', content: '9' },
      { id: 'D', content: '10' },
    ],
  },
  {
    slot: 3, part: 1, stimulus: null, kind: 'true_false_cluster',
    stem: '<p>A week has seven days. Choose True or False for each statement.</p>',
    statements: [
      { id: 'a', content: 'Tuesday follows Monday.' },
      { id: 'b', content: 'Saturday is the day before Monday.' },
      { id: 'c', content: 'Two weeks have 14 days.' },
      { id: 'd', content: 'Sunday follows Thursday.' },
    ],
  },
  { slot: 4, part: 1, stimulus: null, kind: 'short_numeric', max_characters: 4, stem: `<p>Write ${half} as a decimal number.</p>` },
  { slot: 5, part: 1, stimulus: null, kind: 'essay', max_words: 50, stem: '<p>Write one sentence about your home town.</p>' },
]

export function samples(): readonly Item[] {
  return language() === 'vi' ? VIETNAMESE : ENGLISH
}
