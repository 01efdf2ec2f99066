"""Tests that mirror `scoring.dif`."""
