/** Texts of the candidate's pages and of every interaction. */

import { texts } from './i18n.ts'
import { en } from './messages/en.ts'
import { vi } from './messages/vi.ts'

export const t = texts({ vi, en })
