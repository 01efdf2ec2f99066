"""What happens when: use cases, PostgreSQL, Redis, jobs, PDF and the command line, divided into rooms."""
