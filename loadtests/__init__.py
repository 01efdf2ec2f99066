"""Candidate bots, arrival curves and scenarios."""
