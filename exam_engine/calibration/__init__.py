"""Calibration runs on stored responses."""
