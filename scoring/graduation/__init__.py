"""Graduation score by data rule sets, with a trace."""
