/** The small script of staff and public pages. Every page works without it; it asks before dangerous acts, filters and
 * sorts short tables, shows toasts and switches themes. HTMX (major version 4) comes with it, its evaluator off. */

import '../shared/design/index.css'
import './htmx.ts'

import { isLanguage, useLanguage } from '../shared/i18n.ts'
import { markWideAccents } from '../shared/accents.ts'
import { applyTheme } from '../shared/preferences.ts'
import { confirmActs } from './confirm.ts'
import { enhanceForms } from './forms.ts'
import { enhanceTables } from './tables.ts'
import { ThemeSwitch } from './theme_switch.ts'
import { showToasts } from './toast.ts'

applyTheme()
const { lang } = document.documentElement
useLanguage(isLanguage(lang) ? lang : 'vi')
ThemeSwitch.define()
confirmActs(document)
enhanceForms(document)
enhanceTables(document)
showToasts(document)
markWideAccents(document)
document.addEventListener('htmx:after:swap', () => markWideAccents(document))
