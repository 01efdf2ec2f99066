"""Ground floor: settings, clock, database, Redis, queue, files, catalogues, embedded servers, PDF primitives."""
