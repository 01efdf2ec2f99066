"""Deferred acceptance by score limits: a pure function of applicants, programmes and rules."""
