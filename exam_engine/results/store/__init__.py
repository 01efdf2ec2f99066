"""SQL of the results room, by what it keeps: score runs, adjustments, graduation runs, releases."""

from exam_engine.results.store import graduation_runs, marks, releases, score_runs

__all__ = ["graduation_runs", "marks", "releases", "score_runs"]
