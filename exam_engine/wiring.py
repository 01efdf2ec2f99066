"""Builds everything, in order: settings, database, Redis, rooms. The only place that knows all of them."""
