/** Forms: filters that send themselves, a warning before typed text is lost, no second press of a submit button. */

const TYPING_PAUSE_MS = 450

export function enhanceForms(page: Document): void {
  page.addEventListener('change', (event) => {
    const form = formOf(event, 'data-submit-on-change')
    if (form && !(event.target instanceof HTMLInputElement && event.target.type === 'search')) form.requestSubmit()
  })
  page.addEventListener('input', onSearch)
  page.addEventListener('input', (event) => {
    const form = formOf(event, 'data-guard')
    if (form) form.dataset['dirty'] = 'yes'
  })
  page.addEventListener('submit', (event) => {
    const form = event.target
    if (!(form instanceof HTMLFormElement) || event.defaultPrevented) return
    delete form.dataset['dirty']
    if (form.method === 'post') for (const button of form.querySelectorAll<HTMLButtonElement>('button:not([type]), button[type="submit"]')) lockSoon(button)
  })
  window.addEventListener('beforeunload', (event) => {
    if (page.querySelector('form[data-dirty]')) event.preventDefault()
  })
  // A page that comes back from the browser's memory must not keep its buttons locked.
  window.addEventListener('pageshow', () => {
    for (const button of page.querySelectorAll<HTMLButtonElement>('button[aria-busy="true"]')) unlock(button)
  })
  page.addEventListener('htmx:finally:request', () => {
    for (const button of page.querySelectorAll<HTMLButtonElement>('button[aria-busy="true"]')) unlock(button)
  })
}

let pause: ReturnType<typeof setTimeout> | undefined

/** A search field waits for a pause in the typing; text being composed (Vietnamese input) is not yet typed. */
function onSearch(event: Event): void {
  const form = formOf(event, 'data-submit-on-change')
  const input = event.target
  if (!form || !(input instanceof HTMLInputElement) || input.type !== 'search' || (event as InputEvent).isComposing) return
  clearTimeout(pause)
  pause = setTimeout(() => form.requestSubmit(), TYPING_PAUSE_MS)
}

function formOf(event: Event, attribute: string): HTMLFormElement | null {
  return event.target instanceof Element ? event.target.closest<HTMLFormElement>(`form[${attribute}]`) : null
}

/** After the form data was collected: a disabled button would not send its own name and value. */
function lockSoon(button: HTMLButtonElement): void {
  setTimeout(() => {
    button.setAttribute('aria-busy', 'true')
    button.disabled = true
  })
}

function unlock(button: HTMLButtonElement): void {
  button.removeAttribute('aria-busy')
  button.disabled = false
}
