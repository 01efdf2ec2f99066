"""Aspirations, quotas, allocation runs and their explained outcomes."""
