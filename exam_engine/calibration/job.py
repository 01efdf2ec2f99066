"""The background job of a run: read, estimate in a thread while telling how far it is, write everything at once.

A killed worker leaves nothing but the state "running": the queue gives the job to the next one, which begins anew. A
worker that was only thought dead finds another try in the row and drops its result.
"""

import asyncio
import threading
from collections.abc import Callable
from datetime import datetime

import msgspec

from exam_engine.authoring.parameters import ItemParameters
from exam_engine.calibration.choices import RunSettings
from exam_engine.calibration.errors import CalibrationError
from exam_engine.calibration.estimating import estimate
from exam_engine.calibration.findings import ItemReport, Outcome
from exam_engine.calibration.gathering import Gathered
from exam_engine.calibration.judging import judge_items, judge_test
from exam_engine.calibration.model import CalibrationRun, CalibrationRunId, Progress, Refusal, Stage
from exam_engine.calibration.service import collecting, runs
from exam_engine.calibration.store import runs as store
from exam_engine.infra.database import SessionMaker, transaction
from exam_engine.infra.telemetry import logger
from item_bank.messages import Message
from scoring.errors import Misplaced, ScoringError

TELL_SECONDS = 0.5
"""How often progress is written, and how soon a worker learns that somebody cancelled."""

_SHARE_BEFORE, _SHARE_OF_FITTING, _SHARE_OF_JUDGING = 0.1, 0.6, 0.75
_USUAL_CYCLES = 12


class _Stopped(Exception):
    """Somebody asked to stop; only ever raised and caught in this module."""


class _Work(msgspec.Struct):
    """What the estimating thread and the telling loop share; plain attributes, each written by one side."""

    progress: Progress
    stop: threading.Event

    def tell(self, cycle: int, log_likelihood: float) -> None:
        """Take note of a cycle; ends the estimation if somebody asked to stop."""
        if self.stop.is_set():
            raise _Stopped
        share = _SHARE_BEFORE + _SHARE_OF_FITTING * cycle / (cycle + _USUAL_CYCLES)
        self.progress = Progress(stage=Stage.FITTING, cycle=cycle, log_likelihood=log_likelihood, share=share)

    def enter(self, stage: Stage, share: float) -> None:
        """Take note of a stage."""
        if self.stop.is_set():
            raise _Stopped
        self.progress = msgspec.structs.replace(self.progress, stage=stage, share=share)


async def work(
    sessions: SessionMaker,
    clock: Callable[[], datetime],
    run_id: CalibrationRunId,
    *,
    tell_seconds: float = TELL_SECONDS,
) -> None:
    """Work on a run until it is complete, refused or cancelled; a run that is over is left alone."""
    async with transaction(sessions) as session:
        run = await runs.begin(session, run_id, now=clock())
    if run is None:
        return
    logger.info("calibration_begun", run=str(run.id), tries=run.tries)
    try:
        async with transaction(sessions) as session:
            gathered = await collecting.collect(session, run.settings)
            accepted = dict(await collecting.load_accepted(session, gathered))
        outcome, items = await _computed(sessions, run, gathered, accepted, tell_seconds)
    except _Stopped:
        async with transaction(sessions) as session:
            await runs.end_cancelled(session, run, now=clock())
        logger.info("calibration_stopped", run=str(run.id))
        return
    except (CalibrationError, ScoringError) as error:
        async with transaction(sessions) as session:
            await runs.refuse(session, run, _refusal(error), now=clock())
        logger.info("calibration_refused", run=str(run.id), reason=type(error).__name__)
        return
    async with transaction(sessions) as session:
        is_kept = await runs.complete(session, run, outcome, items, now=clock())
        if not is_kept:
            await runs.end_cancelled(session, run, now=clock())
    logger.info("calibration_ended", run=str(run.id), is_kept=is_kept)


async def _computed(
    sessions: SessionMaker,
    run: CalibrationRun,
    gathered: Gathered,
    accepted: dict[str, ItemParameters],
    tell_seconds: float,
) -> tuple[Outcome, tuple[ItemReport, ...]]:
    """Estimate in a thread; between its cycles tell how far it is and ask whether it should go on."""
    shared = _Work(Progress(stage=Stage.FITTING, share=_SHARE_BEFORE), threading.Event())
    thread = asyncio.ensure_future(asyncio.to_thread(_compute, gathered, run.settings, accepted, shared))
    try:
        while not thread.done():
            await asyncio.wait({thread}, timeout=tell_seconds)
            async with transaction(sessions) as session:
                if not await store.save_progress(session, run.id, run.tries, shared.progress):
                    shared.stop.set()
        return await thread
    except BaseException:
        # The worker is told to end: the thread must not go on alone.
        shared.stop.set()
        raise


def _compute(
    gathered: Gathered, settings: RunSettings, accepted: dict[str, ItemParameters], shared: _Work
) -> tuple[Outcome, tuple[ItemReport, ...]]:
    estimated = estimate(gathered, settings, accepted, shared.tell)
    shared.enter(Stage.JUDGING, _SHARE_OF_JUDGING)
    items = judge_items(gathered, estimated)
    shared.enter(Stage.JUDGING, 0.9)
    outcome = judge_test(gathered, estimated, settings)
    shared.enter(Stage.WRITING, 0.98)
    return outcome, items


def _refusal(error: CalibrationError | ScoringError) -> Refusal:
    facts: dict[str, str | int | Message] = {}
    if isinstance(error, Misplaced):
        place, reason = error.sentences
        facts = {"place": Message(place, error.facts), "reason": Message(reason, error.facts)}
        return Refusal(kind=type(error).__name__, facts=facts, said=str(error))
    for name, value in vars(error).items():
        if isinstance(value, tuple):
            facts[name] = ", ".join(str(part) for part in value)
        elif isinstance(value, str | int | Message):
            facts[name] = value
    return Refusal(kind=type(error).__name__, facts=facts, said=str(error))
