/** Texts of the scripts on staff and public pages. */

import { texts } from './i18n.ts'
import { staffEn } from './messages/en_staff.ts'
import { staffVi } from './messages/vi_staff.ts'

export const t = texts({ vi: staffVi, en: staffEn })
