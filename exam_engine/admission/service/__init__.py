"""Use cases of admission: programmes and wishes from files, allocation runs, their release, the public look-up."""

from exam_engine.admission.service.imports import import_aspirations, import_programmes, load_programmes
from exam_engine.admission.service.look_up import look_up
from exam_engine.admission.service.releases import release_run, withdraw_run
from exam_engine.admission.service.runs import (
    load_outcomes,
    load_programme_results,
    load_run,
    load_runs,
    require_outcome,
    run_allocation,
    verify_run,
)

__all__ = [
    "import_aspirations",
    "import_programmes",
    "load_outcomes",
    "load_programme_results",
    "load_programmes",
    "load_run",
    "load_runs",
    "look_up",
    "release_run",
    "require_outcome",
    "run_allocation",
    "verify_run",
    "withdraw_run",
]
