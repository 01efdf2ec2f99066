/** What came of something sent to the server, and the ids that let it be sent again without being done twice. */

/** What the server answered, or why it refused in words for a person. */
export type Outcome<Answer> = { readonly answer: Answer } | { readonly refusal: string }

/** Names one thing somebody wants done: kept while they try again, so that the server does it once. */
export function freshRequest(): string {
  return [...crypto.getRandomValues(new Uint8Array(12))].map((byte) => byte.toString(16).padStart(2, '0')).join('')
}
