"""Rules that settle several human marks."""
