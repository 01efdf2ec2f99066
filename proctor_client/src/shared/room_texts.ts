/** Texts of the invigilator's board. */

import { texts } from './i18n.ts'
import { roomEn } from './messages/en_room.ts'
import { roomVi, type RoomMessageKey } from './messages/vi_room.ts'

export const t = texts({ vi: roomVi, en: roomEn })

/** Text of a key put together from what the server said; what nobody has words for yet is shown as it is. */
export function told(start: string, kind: string, facts: Readonly<Record<string, string | number>> = {}): string {
  const key = `${start}${kind}`
  return key in roomVi ? t(key as RoomMessageKey, facts) : kind
}
