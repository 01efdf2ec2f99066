"""Use cases of calibration: ask for a run, work on it, read it, decide on its items."""

from exam_engine.calibration.service.decisions import accept_items, hold_items, reopen_items
from exam_engine.calibration.service.reading import (
    ItemHistory,
    group_names,
    load_item_history,
    load_items,
    load_run,
    load_run_numbered,
    load_runs,
    load_sittings,
)
from exam_engine.calibration.service.runs import cancel_run, check_run, request_run

__all__ = [
    "ItemHistory",
    "accept_items",
    "cancel_run",
    "check_run",
    "group_names",
    "hold_items",
    "load_item_history",
    "load_items",
    "load_run",
    "load_run_numbered",
    "load_runs",
    "load_sittings",
    "reopen_items",
    "request_run",
]
