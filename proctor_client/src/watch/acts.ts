/** The questions before an act. Each says, before anything is sent, what will happen and to whom. */

import { askBefore } from '../console/confirm.ts'
import { h } from '../shared/dom.ts'
import { t } from '../shared/room_texts.ts'
import { type Audience, audienceName, capital } from './audience.ts'
import type { SeatVerb } from './board_api.ts'
import { askForm, field } from './dialogs.ts'
import type { Outcome } from './outcome.ts'

/** Sends what a form says; the same request however often it is called. */
export type Send<Said, Answer> = (said: Said) => Promise<Outcome<Answer>>

const TIME_REASONS = ['machine', 'network', 'power', 'health', 'late', 'accommodation', 'other'] as const
const REASONS = {
  pause: ['alarm', 'power', 'network', 'other'],
  resume: ['over', 'other'],
  lock: ['away', 'suspicion', 'machine', 'other'],
  unlock: ['over', 'other'],
  end: ['wish', 'health', 'machine', 'other'],
  absent: ['not-come', 'other'],
  malpractice: ['copying', 'object', 'impersonation', 'other'],
  reopen: ['mistake', 'other'],
} as const satisfies Record<SeatVerb, readonly string[]>
const DANGEROUS: readonly SeatVerb[] = ['end', 'absent', 'malpractice']
const QUICK_MINUTES = [2, 5, 10, 15]
const LONGEST_MINUTES = 240
const LONGEST_MESSAGE = 1000
const LONGEST_REASON = 400

export function askTime<Answer>(host: HTMLElement, audience: Audience, send: Send<{ minutes: number; reason: string }, Answer>): Promise<Answer | null> {
  const who = audienceName(audience)
  const minutes = h('input', { class: 'input input--short', id: 'act-minutes', type: 'number', min: 1, max: LONGEST_MINUTES, step: 1, value: 5, required: true, inputmode: 'numeric' })
  const why = reasonFields(TIME_REASONS)
  const effect = h('p', { class: 'alert', role: 'status' })
  const update = (): void => {
    effect.textContent = minutes.checkValidity() ? t('board.time-effect', { who: capital(who), minutes: minutes.valueAsNumber }) : t('board.time-range', { max: LONGEST_MINUTES })
  }
  minutes.addEventListener('input', update)
  update()
  const quick = QUICK_MINUTES.map((count) =>
    h('button', { class: 'button button--small', type: 'button', on: { click: () => { minutes.value = String(count); update() } } }, t('board.age-minutes', { count })),
  )
  const body = [
    field('act-minutes', t('board.minutes-label'), h('div', { class: 'row' }, minutes, h('div', { class: 'button-group' }, ...quick))),
    ...why.fields,
    effect,
  ]
  return askForm(host, { title: t('board.add-time-title', { who }), action: t('board.give') }, body, () => send({ minutes: minutes.valueAsNumber, reason: why.text() }))
}

export function askMessage<Answer>(host: HTMLElement, audience: Audience, send: Send<string, Answer>): Promise<Answer | null> {
  const who = audienceName(audience)
  const text = h('textarea', { class: 'textarea', id: 'act-text', rows: 3, maxlength: LONGEST_MESSAGE, required: true })
  const body = [field('act-text', t('board.message-label'), text, true), h('p', { class: 'alert' }, t('board.message-effect', { who: capital(who) }))]
  return askForm(host, { title: t('board.message-title', { who }), action: t('board.send') }, body, async () => (text.value.trim() === '' ? null : send(text.value.trim())))
}

/** Why, and what it does; what ends a paper is asked twice. */
export function askReason<Answer>(host: HTMLElement, verb: SeatVerb, audience: Audience, send: Send<string, Answer>): Promise<Answer | null> {
  const who = audienceName(audience)
  const isDangerous = DANGEROUS.includes(verb)
  const why = reasonFields(REASONS[verb])
  const effect = t(`board.effect-${verb}`, { who: capital(who) })
  const sure = (): Promise<boolean> =>
    askBefore({ title: t('board.sure-title', { act: t(`board.do-${verb}`), who }), text: `${effect}\n${t('board.sure-reason', { reason: why.text() })}`, action: t(`board.do-${verb}`), isDangerous: true })
  const form = { title: t('board.act-title', { act: t(`board.do-${verb}`), who }), action: isDangerous ? t('board.next') : t(`board.do-${verb}`), isDangerous }
  const body = [...why.fields, h('p', { class: `alert${isDangerous ? ' alert--warn' : ''}` }, effect)]
  return askForm(host, form, body, async () => (isDangerous && !(await sure()) ? null : send(why.text())))
}

export function reasonFields(names: readonly string[]): { fields: HTMLElement[]; text: () => string } {
  const choice = h('select', { class: 'select', id: 'act-reason' }, ...names.map((name) => h('option', { value: name }, t(`board.reason-${name}` as 'board.reason-other'))))
  const more = h('input', { class: 'input', id: 'act-more', type: 'text', maxlength: LONGEST_REASON })
  choice.addEventListener('change', () => {
    more.required = choice.value === 'other'
  })
  return {
    fields: [field('act-reason', t('board.reason-label'), choice), field('act-more', t('board.more-label'), more, true)],
    text: () => {
      const chosen = choice.selectedOptions[0]?.textContent ?? choice.value
      const said = more.value.trim()
      return said === '' ? chosen : choice.value === 'other' ? said : `${chosen}: ${said}`
    },
  }
}
