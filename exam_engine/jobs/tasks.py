"""Every background job by its name. A room defers a name; only this table knows the function behind it."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from exam_engine.calibration.service.runs import JOB as CALIBRATE
from exam_engine.delivery.service import MAKE_STATEMENTS
from exam_engine.jobs.calibrations import calibrate
from exam_engine.jobs.statements import make_statements
from exam_engine.wiring import Engine

Task = Callable[[Engine, Mapping[str, Any]], Awaitable[None]]

TASKS: Mapping[str, Task] = {
    CALIBRATE: calibrate,
    MAKE_STATEMENTS: make_statements,
}
