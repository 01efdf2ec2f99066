/** Texts of the candidate's pages and of every interaction. Vietnamese is there at once; English comes when it is chosen,
 * so that an old computer does not load what hardly anybody reads. */

import { type Language, texts } from './i18n.ts'
import { type MessageKey, vi } from './messages/vi.ts'

const catalogues: Record<Language, Readonly<Record<MessageKey, string>>> = { vi, en: vi }

export const t = texts(catalogues)

/** Have a language's texts ready. Rejects when they cannot be fetched; then those of before remain. */
export async function loadTexts(language: Language): Promise<void> {
  if (language === 'en' && catalogues.en === vi) catalogues.en = (await import('./messages/en.ts')).en
}
