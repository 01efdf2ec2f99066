"""JSON for members of staff: session cookie, CSRF header, one controller per area."""
