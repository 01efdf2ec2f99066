"""Use cases of results: score runs, marks that count, graduation runs, releases. The public look-up is `look_up`."""

from exam_engine.results.service.graduation_runs import (
    compute_graduation,
    load_graduation_outcomes,
    load_graduation_runs,
)
from exam_engine.results.service.irt_runs import load_irt_run, load_irt_runs, load_irt_scores, score_by_irt
from exam_engine.results.service.marks import load_marks, record_violation
from exam_engine.results.service.releases import (
    approve_release,
    load_release,
    load_releases,
    prepare_release,
    release_holds,
    withdraw_release,
)
from exam_engine.results.service.score_runs import compare_runs, load_run, load_runs, load_scores, score_sitting

__all__ = [
    "approve_release",
    "compare_runs",
    "compute_graduation",
    "load_graduation_outcomes",
    "load_graduation_runs",
    "load_irt_run",
    "load_irt_runs",
    "load_irt_scores",
    "load_marks",
    "load_release",
    "load_releases",
    "load_run",
    "load_runs",
    "load_scores",
    "prepare_release",
    "record_violation",
    "release_holds",
    "score_by_irt",
    "score_sitting",
    "withdraw_release",
]
