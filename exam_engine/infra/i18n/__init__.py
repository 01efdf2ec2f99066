"""Message catalogues: English message ids, Vietnamese first. One .po file an area, merged at start."""
