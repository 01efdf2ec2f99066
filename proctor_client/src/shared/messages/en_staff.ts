/** English texts of the staff and public pages' scripts. */

import type { StaffMessageKey } from './vi_staff.ts'

export const staffEn: Readonly<Record<StaffMessageKey, string>> = {
  'theme.auto': 'Auto',
  'theme.light': 'Light',
  'theme.dark': 'Dark',
  'theme.contrast': 'Contrast',
  'theme.label': 'Colours',
  'confirm-act.title': 'Please confirm',
  'confirm-act.go': 'Continue',
  'confirm-act.back': 'Cancel',
  'filter.none': 'No row matches.',
  'toast.close': 'Close',
  'request.failed': 'The request failed. Try again in a moment.',
  'request.offline': 'The server cannot be reached. Try again when the network is back.',
}
