"""Calibration runs and decisions on their items, as pure values and transitions.

A run is asked for, worked on, and complete with all its items or not at all.
"""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import NewType
from uuid import UUID

import msgspec

from exam_engine.calibration.choices import RunSettings
from exam_engine.calibration.errors import (
    DecisionWrong,
    HoldReasonMissing,
    ItemNotAcceptable,
    RunNotConverged,
    RunStateWrong,
    WorkerFailed,
)
from exam_engine.calibration.findings import ItemReport, Outcome
from item_bank.messages import Message, message

CalibrationRunId = NewType("CalibrationRunId", UUID)

MOST_TRIES = 3
"""A run whose worker died so often is refused: the next one would die of it too."""


class RunState(StrEnum):
    """Where a run stands; the last three are final."""

    WAITING = "waiting"
    RUNNING = "running"
    COMPLETE = "complete"
    REFUSED = "refused"
    CANCELLED = "cancelled"


class Stage(StrEnum):
    """What a run is at."""

    WAITING = "waiting"
    GATHERING = "gathering"
    FITTING = "fitting"
    JUDGING = "judging"
    WRITING = "writing"
    DONE = "done"


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """How far a run is; `share` is a guess while fitting, whose number of cycles nobody knows beforehand."""

    stage: Stage = Stage.WAITING
    cycle: int = 0
    log_likelihood: float | None = None
    share: float = 0.0


class Refusal(msgspec.Struct, frozen=True, kw_only=True):
    """Why a run came to nothing: which refusal, with its facts, so that it is said in the reader's language."""

    kind: str  # name of the error's class
    facts: dict[str, str | int | Message]
    said: str  # in English


class Decision(StrEnum):
    """What a psychometrician said of an item in a run."""

    OPEN = "open"
    ACCEPTED = "accepted"
    HELD = "held"


class CalibrationItem(msgspec.Struct, frozen=True, kw_only=True):
    """One item of a run with the decision on it."""

    report: ItemReport
    decision: Decision = Decision.OPEN
    decided_by: str | None = None
    decided_at: datetime | None = None
    comment: str = ""


class CalibrationRun(msgspec.Struct, frozen=True, kw_only=True):
    """One run with where it belongs."""

    id: CalibrationRunId
    exam_subject_id: UUID
    exam_code: str
    exam_name: str
    exam_unit_id: UUID
    subject_code: str
    subject_name: str
    number: int
    settings: RunSettings
    state: RunState
    tries: int
    is_cancel_asked: bool
    progress: Progress
    refusal: Refusal | None
    outcome: Outcome | None
    created_by: str
    created_at: datetime
    started_at: datetime | None = None
    finished_at: datetime | None = None

    @property
    def is_over(self) -> bool:
        """Whether nothing will happen to it any more."""
        return self.state in (RunState.COMPLETE, RunState.REFUSED, RunState.CANCELLED)

    def is_at_try(self, tries: int) -> bool:
        """Whether it is still worked on by the worker that began with this try."""
        return self.state is RunState.RUNNING and self.tries == tries

    def require(self, needed: RunState) -> None:
        """Check the state.

        Raises
        ------
        RunStateWrong
        """
        if self.state is not needed:
            raise RunStateWrong(self.number, self.state, needed)


def begin(run: CalibrationRun, now: datetime) -> CalibrationRun:
    """Take a run to work on, again if its worker died; a run that killed several workers is refused."""
    if run.is_cancel_asked:
        return msgspec.structs.replace(run, state=RunState.CANCELLED, finished_at=now)
    if run.tries >= MOST_TRIES:
        facts: dict[str, str | int | Message] = {"tries": run.tries}
        return refuse(run, Refusal(kind="WorkerFailed", facts=facts, said=str(WorkerFailed(run.tries))), now)
    return msgspec.structs.replace(
        run,
        state=RunState.RUNNING,
        tries=run.tries + 1,
        started_at=now,
        progress=Progress(stage=Stage.GATHERING),
    )


def refuse(run: CalibrationRun, refusal: Refusal, now: datetime) -> CalibrationRun:
    """End a run that cannot be done."""
    return msgspec.structs.replace(run, state=RunState.REFUSED, refusal=refusal, finished_at=now)


def cancel(run: CalibrationRun, now: datetime) -> CalibrationRun:
    """Ask a run to stop; one that no worker has begun stops at once.

    Raises
    ------
    RunStateWrong
        It is over.
    """
    if run.is_over:
        raise RunStateWrong(run.number, run.state, RunState.RUNNING)
    if run.state is RunState.WAITING:
        return msgspec.structs.replace(run, state=RunState.CANCELLED, is_cancel_asked=True, finished_at=now)
    return msgspec.structs.replace(run, is_cancel_asked=True)


def accept(run: CalibrationRun, item: CalibrationItem, actor: str, now: datetime) -> CalibrationItem:
    """Let an item's parameters become the newest version.

    Raises
    ------
    RunStateWrong, RunNotConverged, DecisionWrong, ItemNotAcceptable
    """
    run.require(RunState.COMPLETE)
    if run.outcome is None or not run.outcome.converged:
        raise RunNotConverged(run.number)
    if item.decision is Decision.ACCEPTED:
        raise DecisionWrong(item.report.code, item.decision, Decision.OPEN)
    if item.report.is_anchor:
        raise ItemNotAcceptable(item.report.code, message("it was a fixed anchor; its parameters did not change"))
    if item.report.parameters.a <= 0:
        raise ItemNotAcceptable(item.report.code, message("its slope is not above 0; check the key"))
    return msgspec.structs.replace(item, decision=Decision.ACCEPTED, decided_by=actor, decided_at=now, comment="")


def hold(run: CalibrationRun, item: CalibrationItem, reason: str, actor: str, now: datetime) -> CalibrationItem:
    """Keep an item's parameters from use, with the reason.

    Raises
    ------
    RunStateWrong, DecisionWrong, HoldReasonMissing
    """
    run.require(RunState.COMPLETE)
    if item.decision is Decision.ACCEPTED:
        raise DecisionWrong(item.report.code, item.decision, Decision.OPEN)
    return msgspec.structs.replace(
        item, decision=Decision.HELD, decided_by=actor, decided_at=now, comment=_required(reason)
    )


def reopen(run: CalibrationRun, item: CalibrationItem, reason: str) -> CalibrationItem:
    """Take a decision back.

    Raises
    ------
    RunStateWrong, DecisionWrong, HoldReasonMissing
    """
    run.require(RunState.COMPLETE)
    if item.decision is Decision.OPEN:
        raise DecisionWrong(item.report.code, item.decision, Decision.ACCEPTED)
    return msgspec.structs.replace(
        item, decision=Decision.OPEN, decided_by=None, decided_at=None, comment=_required(reason)
    )


def acceptable(run: CalibrationRun, items: Sequence[CalibrationItem]) -> list[CalibrationItem]:
    """Return the open items that may be accepted unseen."""
    if run.outcome is None or not run.outcome.converged:
        return []
    return [
        item for item in items if item.decision is Decision.OPEN and item.report.is_good and not item.report.is_anchor
    ]


def _required(reason: str) -> str:
    text = reason.replace("\x00", "").strip()
    if not text:
        raise HoldReasonMissing
    return text
