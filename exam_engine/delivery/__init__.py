"""Sittings and attempts: the hot path from seat to Redis to PostgreSQL."""
