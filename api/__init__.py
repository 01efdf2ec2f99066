"""HTTP in, HTTP out: parse, authorise, call one use case, translate. No SQL, no Redis, no exam rule."""
