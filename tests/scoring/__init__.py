"""Tests that mirror `scoring`."""
