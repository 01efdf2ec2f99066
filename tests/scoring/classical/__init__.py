"""Tests that mirror `scoring.classical`."""
