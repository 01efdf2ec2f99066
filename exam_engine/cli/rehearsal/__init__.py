"""A whole exam day over HTTP with simulated candidates, ending in a statement that every answer was kept."""
