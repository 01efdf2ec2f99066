"""Checks of an item before it is submitted."""
