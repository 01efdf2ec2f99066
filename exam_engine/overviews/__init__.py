"""Read-only queries for pages that look across rooms."""
