"""Tests that mirror `scoring/irt`."""
