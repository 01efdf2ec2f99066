"""Tests that mirror `scoring/graduation`."""
