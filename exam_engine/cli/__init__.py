"""The `exam-engine` command: one noun a file."""
