"""Results as pure values: score runs, marks that count, graduation runs, releases and what a look-up shows."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import NewType
from uuid import UUID

import msgspec

from exam_engine.enrolment.model import CandidateId, ExamId
from exam_engine.results.errors import FourEyesNeeded, ReleaseStateWrong
from scoring.graduation import Line, Reason
from scoring.rescoring import ScoredAttempt
from scoring.totals import FormKey
from scoring.values import ResponseValue

ScoreRunId = NewType("ScoreRunId", UUID)
GraduationRunId = NewType("GraduationRunId", UUID)
ReleaseId = NewType("ReleaseId", UUID)


class ScorableAttempt(msgspec.Struct, frozen=True):
    """An attempt that was started, with its newest stored responses."""

    attempt_id: UUID
    candidate_id: CandidateId
    responses: dict[int, ResponseValue]


class Score(msgspec.Struct, frozen=True, kw_only=True):
    """One candidate's score in a run; parts and slots are exact."""

    candidate_id: CandidateId
    attempt_id: UUID
    total: int  # hundredths
    parts: dict[int, Decimal]
    slots: dict[int, Decimal]

    def as_scored(self) -> ScoredAttempt:
        """The form in which two runs are compared."""
        return ScoredAttempt(self.total, dict(self.slots))


class ScoreRun(msgspec.Struct, frozen=True, kw_only=True):
    """One scoring of a sitting."""

    id: ScoreRunId
    exam_subject_id: UUID
    sitting_id: UUID
    number: int
    previous_run_id: ScoreRunId | None
    key_version: int
    rule_version: str
    form_key: FormKey
    input_hash: str
    n_scored: int
    n_changed: int
    reason: str
    created_by: str
    created_at: datetime


class RunSummary(msgspec.Struct, frozen=True, kw_only=True):
    """A line of the list of score runs."""

    id: ScoreRunId
    subject_code: str
    subject_name: str
    sitting_code: str
    number: int
    key_version: int
    n_scored: int
    n_changed: int
    reason: str
    created_by: str
    created_at: datetime
    mean: Decimal | None  # points, two decimals


class MarkState(StrEnum):
    """What stands for a subject of a candidate."""

    MARKED = "marked"
    ABSENT = "absent"
    SUSPENDED = "suspended"
    EXEMPT = "exempt"
    CANCELLED = "cancelled"


class OfficialMark(msgspec.Struct, frozen=True, kw_only=True):
    """The mark that counts in a subject, after decided violations; `raw` is what it was before them."""

    state: MarkState
    hundredths: int | None
    raw: int | None
    source: str  # "run 2 of toan-01" or the name of the marks file
    parts: dict[int, Decimal] = {}  # of a paper sat on line, exact


class CandidateMarks(msgspec.Struct, frozen=True, kw_only=True):
    """All marks of one candidate, by subject code."""

    marks: dict[str, OfficialMark]
    is_cancelled: bool = False


class GraduationRun(msgspec.Struct, frozen=True, kw_only=True):
    """One computation of the graduation scores of an exam."""

    id: GraduationRunId
    exam_id: ExamId
    number: int
    rule_set: str
    score_run_ids: tuple[ScoreRunId, ...]
    n_complete: int
    n_passed: int
    created_by: str
    created_at: datetime


class ReleaseState(StrEnum):
    """Where a release stands; an approved one is public from its moment on."""

    PREPARED = "prepared"
    APPROVED = "approved"
    WITHDRAWN = "withdrawn"


class Release(msgspec.Struct, frozen=True, kw_only=True):
    """A frozen set of results with the moment it becomes public."""

    id: ReleaseId
    exam_id: ExamId
    number: int
    release_at: datetime
    score_run_ids: tuple[ScoreRunId, ...]
    graduation_run_id: GraduationRunId | None
    state: ReleaseState
    n_published: int
    content_hash: str
    created_by: str
    created_at: datetime
    approved_by: str | None = None
    approved_at: datetime | None = None

    def is_public(self, now: datetime) -> bool:
        """Whether anybody may see it by the server's clock."""
        return self.state is ReleaseState.APPROVED and now >= self.release_at


class PublishedSubject(msgspec.Struct, frozen=True, kw_only=True):
    """One subject on a result."""

    code: str
    name: str
    state: MarkState
    score: int | None  # hundredths
    maximum: int  # hundredths
    parts: dict[int, Decimal] = {}  # of a paper sat on line, before any deduction
    is_adjusted: bool = False  # a decided violation took something off


class PublishedGraduation(msgspec.Struct, frozen=True, kw_only=True):
    """The graduation score with the lines that explain it."""

    rule_set: str
    is_complete: bool
    score: int | None  # hundredths
    passed: bool | None
    reasons: tuple[Reason, ...]
    lines: tuple[Line, ...]


class PublishedResult(msgspec.Struct, frozen=True, kw_only=True):
    """What a look-up shows: number and marks, no name, no birth date."""

    exam_code: str
    exam_name: str
    candidate_number: str
    subjects: tuple[PublishedSubject, ...]
    graduation: PublishedGraduation | None
    release_number: int
    released_at: datetime


def approve(release: Release, actor: str, now: datetime) -> Release:
    """Let a prepared release become public at its moment.

    Raises
    ------
    ReleaseStateWrong
        It is approved or withdrawn already.
    FourEyesNeeded
        The actor prepared it.
    """
    if release.state is not ReleaseState.PREPARED:
        raise ReleaseStateWrong(release.id, release.state, ReleaseState.PREPARED)
    if release.created_by == actor:
        raise FourEyesNeeded(actor)
    return msgspec.structs.replace(release, state=ReleaseState.APPROVED, approved_by=actor, approved_at=now)


def withdraw(release: Release) -> Release:
    """Take a release back; an earlier approved one shows again.

    Raises
    ------
    ReleaseStateWrong
        It is withdrawn already.
    """
    if release.state is ReleaseState.WITHDRAWN:
        raise ReleaseStateWrong(release.id, release.state, ReleaseState.APPROVED)
    return msgspec.structs.replace(release, state=ReleaseState.WITHDRAWN)


def input_hash(form_key: FormKey, attempts: Sequence[ScorableAttempt], marks: Mapping[tuple[UUID, int], int]) -> str:
    """Hash everything a run depends on: equal hashes mean equal scores, run twice or on two machines."""
    encode = msgspec.json.Encoder(order="sorted").encode
    digest = hashlib.sha256(encode(form_key))
    for attempt in sorted(attempts, key=lambda attempt: attempt.attempt_id):
        own = [[slot, total] for (owner, slot), total in sorted(marks.items()) if owner == attempt.attempt_id]
        responses = [[slot, attempt.responses[slot]] for slot in sorted(attempt.responses)]
        digest.update(encode([str(attempt.attempt_id), responses, own]))
    return digest.hexdigest()


def content_hash(results: Iterable[PublishedResult]) -> str:
    """Hash a published set; the audit record holds it, so that a later change would show."""
    encode = msgspec.json.Encoder(order="sorted").encode
    digest = hashlib.sha256()
    for result in sorted(results, key=lambda result: result.candidate_number):
        digest.update(encode(msgspec.to_builtins(result, str_keys=True)))
    return digest.hexdigest()
