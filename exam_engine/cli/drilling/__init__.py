"""Drills: faults made on purpose in an engine of its own, and measured as seats and invigilators meet them."""
