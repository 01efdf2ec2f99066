"""Tests of human marks."""
