"""Score runs, releases, look-up, graduation scores."""
