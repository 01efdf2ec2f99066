"""Background jobs by name, and the worker that runs them."""
