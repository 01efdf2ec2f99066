"""A candidate that behaves as the browser client does, without a browser."""
