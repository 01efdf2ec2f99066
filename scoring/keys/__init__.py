"""Rules that give credit to a response, one rule a file."""
