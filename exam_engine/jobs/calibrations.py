"""The job of a calibration run, with the connections of the worker it runs in."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from exam_engine.calibration import job
from exam_engine.calibration.model import CalibrationRunId
from exam_engine.wiring import Engine


async def calibrate(engine: Engine, arguments: Mapping[str, Any]) -> None:
    """Work on the run named."""
    await job.work(engine.sessions, engine.clock, CalibrationRunId(UUID(arguments["run_id"])))
