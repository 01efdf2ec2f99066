"""Tests that mirror `scoring/calibration`."""
