"""Pages in HTML (Jinja and HTMX) for staff and public."""
