"""Tests that mirror `scoring/keys`."""
