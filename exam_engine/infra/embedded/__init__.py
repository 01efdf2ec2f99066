"""The embedded PostgreSQL and Valkey: finding the binaries, data folders, locks, supervision."""
