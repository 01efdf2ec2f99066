"""Estimation of item parameters."""
