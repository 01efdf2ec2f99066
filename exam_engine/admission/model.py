"""What admission knows: programmes and wishes as stored, allocation runs, and the decision a look-up shows."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import NewType
from uuid import UUID

import msgspec

from exam_engine.admission.allocation import Reason, Rules
from exam_engine.admission.errors import FourEyesNeeded, RunStateWrong
from exam_engine.admission.intake_rules import IntakeRules
from exam_engine.admission.scores import ScoreLine
from exam_engine.enrolment.model import CandidateId, ExamId

ProgrammeId = NewType("ProgrammeId", UUID)
AllocationRunId = NewType("AllocationRunId", UUID)


class StoredProgramme(msgspec.Struct, frozen=True, kw_only=True):
    """A programme of an exam; the floor in hundredths."""

    id: ProgrammeId
    exam_id: ExamId
    code: str
    name: str
    school_unit_id: UUID | None
    quota: int
    floor: int | None = None
    stage: int = 1


class StoredAspirations(msgspec.Struct, frozen=True):
    """The wishes of one candidate, programme codes in rank order."""

    candidate_id: CandidateId
    number: str
    programmes: tuple[str, ...]


class RunState(StrEnum):
    """Where a run stands."""

    COMPUTED = "computed"
    RELEASED = "released"
    WITHDRAWN = "withdrawn"


class RunRules(msgspec.Struct, frozen=True):
    """Everything a run was computed by."""

    intake: IntakeRules
    allocation: Rules


class AllocationRun(msgspec.Struct, frozen=True, kw_only=True):
    """One allocation of an exam; nothing of it is ever overwritten."""

    id: AllocationRunId
    exam_id: ExamId
    number: int
    rules: RunRules
    input_hash: str
    state: RunState
    n_applicants: int
    n_admitted: int
    created_by: str
    created_at: datetime
    release_at: datetime | None = None
    released_by: str | None = None

    def is_public(self, now: datetime) -> bool:
        """Whether decisions show at a moment."""
        return self.state is RunState.RELEASED and self.release_at is not None and self.release_at <= now


class ProgrammeResult(msgspec.Struct, frozen=True, kw_only=True):
    """One programme in one run; scores in hundredths."""

    code: str
    name: str
    quota: int
    admitted: int
    cut_off: int | None


class RunOutcome(msgspec.Struct, frozen=True, kw_only=True):
    """One applicant in one run, with everything that explains it."""

    candidate_id: CandidateId
    number: str
    full_name: str
    programme: str | None
    programme_name: str | None
    rank: int | None
    score: int | None
    score_lines: tuple[ScoreLine, ...]
    reasons: tuple[Reason, ...]


class OutcomePage(msgspec.Struct, frozen=True):
    """One page of the outcomes of a run, and how many there are in all."""

    total: int
    outcomes: Sequence[RunOutcome]


class OutcomeOrder(StrEnum):
    """In what order outcomes stand."""

    NUMBER = "number"
    NAME = "name"
    SCORE = "score"


class OutcomeQuery(msgspec.Struct, frozen=True, kw_only=True):
    """What a reader of the outcomes looks for."""

    text: str = ""  # number, or words of the name
    programme: str | None = None  # code
    is_admitted: bool | None = None
    order: OutcomeOrder = OutcomeOrder.NUMBER
    is_descending: bool = False
    offset: int = 0
    limit: int = 50


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """What a look-up shows: number, score and decision with its reasons; no name, no birth date."""

    exam_code: str
    exam_name: str
    candidate_number: str
    programme: str | None
    programme_name: str | None
    rank: int | None
    score: int | None
    score_lines: tuple[ScoreLine, ...]
    reasons: tuple[Reason, ...]
    programmes: dict[str, str]  # code → name of every programme the reasons mention
    run_number: int
    released_at: datetime


class RunVerification(msgspec.Struct, frozen=True):
    """What computing a run again from its stored inputs gave."""

    number: int
    is_same: bool
    differing: tuple[str, ...]  # applicants and programmes that came out otherwise


def release(run: AllocationRun, actor: str, release_at: datetime) -> AllocationRun:
    """Let a run become public at a moment.

    Raises
    ------
    RunStateWrong
        It is released or withdrawn already.
    FourEyesNeeded
        The actor computed it.
    """
    if run.state is not RunState.COMPUTED:
        raise RunStateWrong(run.number, run.state)
    if run.created_by == actor:
        raise FourEyesNeeded(actor)
    return msgspec.structs.replace(run, state=RunState.RELEASED, release_at=release_at, released_by=actor)


def withdraw(run: AllocationRun) -> AllocationRun:
    """Take a run back; what it decided is kept, an earlier released one shows again.

    Raises
    ------
    RunStateWrong
        It is withdrawn already.
    """
    if run.state is RunState.WITHDRAWN:
        raise RunStateWrong(run.number, run.state)
    return msgspec.structs.replace(run, state=RunState.WITHDRAWN)
