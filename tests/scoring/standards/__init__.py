"""Tests that mirror `scoring/standards`."""
