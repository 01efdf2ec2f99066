"""Tests that mirror `scoring.fit`."""
