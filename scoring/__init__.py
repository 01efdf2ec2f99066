"""How responses become numbers: keys, totals, item response theory, marking and graduation rules. Pure."""
