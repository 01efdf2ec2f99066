"""Tests of score runs, releases, look-up and distributions."""
