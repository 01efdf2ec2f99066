"""Browser tests of the front end, against the built files."""
