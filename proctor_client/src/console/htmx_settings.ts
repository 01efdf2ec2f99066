/** Settings HTMX reads when it is loaded, so this module must be imported before it. */

const settings = document.createElement('meta')
settings.name = 'htmx-config'
settings.content = JSON.stringify({
  includeIndicatorCSS: false, // our style sheet has it
  extensions: 'no-evaluation',
  history: 'reload',
})
document.head.append(settings)
