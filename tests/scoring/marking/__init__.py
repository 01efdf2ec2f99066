"""Tests that mirror `scoring/marking`."""
