"""Public look-up: one candidate's result by number and the code on the card, and the distributions of an exam.

An unknown number, an unknown exam and a wrong code take the same way and get the same answer. Nothing is visible before
its moment by the server's clock. How often a source may ask is limited at the door.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from exam_engine.enrolment import cards
from exam_engine.enrolment import service as enrolment
from exam_engine.enrolment.codes import CodePurpose
from exam_engine.enrolment.errors import SubjectUnknown
from exam_engine.enrolment.model import CodeClaim, Exam
from exam_engine.infra.clock import Clock
from exam_engine.infra.database import SessionMaker
from exam_engine.infra.joint_queries import JointQuery
from exam_engine.results.distribution import Distribution
from exam_engine.results.errors import ResultsNotReleased
from exam_engine.results.model import PublishedResult, Release
from exam_engine.results.store import releases as store


class Announcement(msgspec.Struct, frozen=True, kw_only=True):
    """An exam on the public page: whether its results are out, or when they will be."""

    exam_code: str
    exam_name: str
    is_public: bool
    release_at: datetime | None


class SubjectDistribution(msgspec.Struct, frozen=True, kw_only=True):
    """The distribution of one subject with its name."""

    subject_code: str
    subject_name: str
    distribution: Distribution


class ResultDesk:
    """Answers families, those who ask together by one statement."""

    def __init__(self, sessions: SessionMaker, secret: bytes, clock: Clock) -> None:
        self._sessions, self._secret, self._clock = sessions, secret, clock
        self._shown = JointQuery(sessions, self._load)

    async def look_up(self, *, exam_code: str, candidate_number: str, code: str) -> PublishedResult:
        """Return the public result of the candidate to whom number and look-up code belong.

        Raises
        ------
        CodeRefused, CodeExpired
            From enrolment: exam, number and code do not belong together; which of them, nobody learns.
        ResultsNotReleased
            The code is right, and nothing is public yet.
        ServiceUnavailable
        """
        claim = CodeClaim(exam_code=exam_code, number=candidate_number, code=code, purpose=CodePurpose.LOOK_UP)
        shown = await self._shown.ask(cards.card_key(claim))
        now = self._clock()
        card = cards.require_card(shown.card if shown else None, claim, secret=self._secret, now=now)
        if shown is None or shown.result is None:
            # Nothing is public, or somebody was registered after the results were frozen.
            async with self._sessions() as session:
                raise ResultsNotReleased(card.exam_code, await store.find_next_moment(session, card.exam_id, now))
        return shown.result

    async def _load(self, session: AsyncSession, keys: Sequence[cards.CardKey]) -> Mapping[cards.CardKey, store.Shown]:
        return await store.load_shown(session, keys, self._clock())


async def load_distributions(
    session: AsyncSession, exam_code: str, *, now: datetime, subject_code: str | None = None
) -> list[SubjectDistribution]:
    """Return the public distributions of an exam, in the order of its subjects.

    Raises
    ------
    ExamUnknown, SubjectUnknown, ResultsNotReleased
    """
    exam = await enrolment.require_exam(session, exam_code)
    release = await _require_public(session, exam, now)
    found = await store.load_distributions(session, release.id)
    subjects = await enrolment.load_subjects(session, exam.id)
    if subject_code is not None and subject_code not in found:
        raise SubjectUnknown(subject_code)
    return [
        SubjectDistribution(subject_code=subject.code, subject_name=subject.name, distribution=found[subject.code])
        for subject in subjects
        if subject.code in found and subject_code in {None, subject.code}
    ]


async def load_announcements(session: AsyncSession, *, now: datetime) -> list[Announcement]:
    """Return the exams with approved results, public or announced, by name."""
    return [
        Announcement(exam_code=code, exam_name=name, is_public=is_public, release_at=moment)
        for code, name, is_public, moment in await store.load_announced(session, now)
    ]


async def _require_public(session: AsyncSession, exam: Exam, now: datetime) -> Release:
    release = await store.find_public(session, exam.id, now)
    if release is None:
        raise ResultsNotReleased(exam.code, await store.find_next_moment(session, exam.id, now))
    return release
