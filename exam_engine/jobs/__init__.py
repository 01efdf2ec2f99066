"""Background jobs by name, and the worker that runs them."""

from exam_engine.jobs.worker import run

__all__ = ["run"]
