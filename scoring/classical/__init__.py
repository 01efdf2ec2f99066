"""Classical item analysis."""
