"""Structs that go out over HTTP, built from domain values by `XView.of`."""
