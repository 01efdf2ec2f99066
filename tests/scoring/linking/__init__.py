"""Tests that mirror `scoring.linking`."""
