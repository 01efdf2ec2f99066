"""Releases and look-up: four eyes, a set moment, a frozen set, and one answer for everything unknown."""

from datetime import datetime, timedelta
from uuid import uuid4

import pytest
from sqlalchemy import text, update
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from exam_engine.enrolment.codes import look_up_code, sit_code
from exam_engine.enrolment.errors import CodeExpired, CodeRefused, ExamUnknown, SubjectUnknown
from exam_engine.enrolment.tables import ExamRow, SubjectMarkRow
from exam_engine.results import service
from exam_engine.results.errors import (
    FourEyesNeeded,
    NothingToRelease,
    ReleaseMomentMissing,
    ReleaseStateWrong,
    ReleaseUnknown,
    ResultsNotReleased,
)
from exam_engine.results.look_up import ResultDesk, load_announcements, load_distributions
from exam_engine.results.model import MarkState, PublishedResult, Release, ReleaseState
from tests.exam_engine.results.scene import ACTOR, SECRET, Scene, answer_rightly, build, give_marks

OTHER = "person:board2"
HOUR = timedelta(hours=1)


async def ready(session: AsyncSession, now: datetime) -> Scene:
    scene = await build(session, n=2)
    await answer_rightly(session, scene, 0)
    await service.score_sitting(session, scene.sitting_id, actor=ACTOR, now=now, reason="first scoring")
    await give_marks(session, scene, 0, VAN=675, LI=700, HOA=625)
    await service.compute_graduation(session, scene.exam.id, actor=ACTOR, now=now)
    return scene


async def released(session: AsyncSession, scene: Scene, now: datetime, after: timedelta = HOUR) -> Release:
    release = await service.prepare_release(session, scene.exam.id, actor=ACTOR, now=now, release_at=now + after)
    return await service.approve_release(session, release.id, actor=OTHER, now=now)


async def ask(
    session: AsyncSession,
    scene: Scene,
    now: datetime,
    position: int = 0,
    *,
    number: str | None = None,
    code: str | None = None,
    exam: str | None = None,
) -> PublishedResult:
    own_code = look_up_code(SECRET, scene.exam.code, scene.number(position), 1)
    await session.flush()
    inside = async_sessionmaker(await session.connection(), join_transaction_mode="create_savepoint")
    return await ResultDesk(inside, SECRET, lambda: now).look_up(
        exam_code=scene.exam.code if exam is None else exam,
        candidate_number=scene.number(position) if number is None else number,
        code=own_code if code is None else code,
    )


async def test_a_result_shows_marks_and_graduation_and_no_name(session: AsyncSession, now: datetime) -> None:
    scene = await ready(session, now)
    await released(session, scene, now)
    result = await ask(session, scene, now + HOUR)
    assert [(s.code, s.score, s.state) for s in result.subjects] == [
        ("TOAN", 500, MarkState.MARKED),
        ("VAN", 675, MarkState.MARKED),
        ("LI", 700, MarkState.MARKED),
        ("HOA", 625, MarkState.MARKED),
    ]
    assert result.graduation is not None
    assert (result.graduation.score, result.graduation.passed) == (693, True)
    assert "Nguyễn" not in repr(result)


async def test_nothing_is_visible_before_the_moment(session: AsyncSession, now: datetime) -> None:
    scene = await ready(session, now)
    release = await released(session, scene, now)
    with pytest.raises(ResultsNotReleased) as refused:
        await ask(session, scene, now + HOUR - timedelta(milliseconds=1))
    assert refused.value.release_at == release.release_at
    with pytest.raises(ResultsNotReleased):
        await load_distributions(session, scene.exam.code, now=now)
    assert await ask(session, scene, now + HOUR)


async def test_a_prepared_release_shows_nothing(session: AsyncSession, now: datetime) -> None:
    scene = await ready(session, now)
    await service.prepare_release(session, scene.exam.id, actor=ACTOR, now=now, release_at=now)
    with pytest.raises(ResultsNotReleased) as refused:
        await ask(session, scene, now + HOUR)
    assert refused.value.release_at is None


async def test_who_prepared_a_release_may_not_approve_it(session: AsyncSession, now: datetime) -> None:
    scene = await ready(session, now)
    release = await service.prepare_release(session, scene.exam.id, actor=ACTOR, now=now, release_at=now)
    with pytest.raises(FourEyesNeeded):
        await service.approve_release(session, release.id, actor=ACTOR, now=now)
    approved = await service.approve_release(session, release.id, actor=OTHER, now=now)
    assert (approved.state, approved.approved_by) == (ReleaseState.APPROVED, OTHER)
    with pytest.raises(ReleaseStateWrong):
        await service.approve_release(session, release.id, actor=OTHER, now=now)


@pytest.mark.parametrize(
    ("exam", "number", "code"),
    [
        pytest.param(None, "31999999", None, id="an unknown number"),
        pytest.param("no-such-exam", None, None, id="an unknown exam"),
        pytest.param(None, None, "0000-0000-0000", id="a wrong code"),
        pytest.param(None, None, "", id="no code"),
        pytest.param(None, "\x00'; --", None, id="a number that is none"),
    ],
)
async def test_everything_unknown_gets_the_same_answer(
    session: AsyncSession, now: datetime, exam: str | None, number: str | None, code: str | None
) -> None:
    scene = await ready(session, now)
    await released(session, scene, now)
    with pytest.raises(CodeRefused) as refused:
        await ask(session, scene, now + HOUR, exam=exam, number=number, code=code)
    assert vars(refused.value) == {}


async def test_the_code_to_sit_with_does_not_open_results(session: AsyncSession, now: datetime) -> None:
    scene = await ready(session, now)
    await released(session, scene, now)
    with pytest.raises(CodeRefused):
        await ask(session, scene, now + HOUR, code=sit_code(SECRET, scene.exam.code, scene.number(0), 1))


async def test_the_code_of_another_candidate_does_not_open_results(session: AsyncSession, now: datetime) -> None:
    scene = await ready(session, now)
    await released(session, scene, now)
    with pytest.raises(CodeRefused):
        await ask(session, scene, now + HOUR, code=look_up_code(SECRET, scene.exam.code, scene.number(1), 1))


async def test_an_expired_code_says_so(session: AsyncSession, now: datetime) -> None:
    scene = await ready(session, now)
    await released(session, scene, now)
    await session.execute(update(ExamRow).where(ExamRow.id == scene.exam.id).values(codes_valid_until=now + HOUR))
    with pytest.raises(CodeExpired):
        await ask(session, scene, now + HOUR)


async def test_what_changes_after_a_release_does_not_show_in_it(session: AsyncSession, now: datetime) -> None:
    scene = await ready(session, now)
    release = await released(session, scene, now)
    await session.execute(
        update(SubjectMarkRow)
        .where(SubjectMarkRow.candidate_id == scene.candidates[0].id, SubjectMarkRow.exam_subject_code == "LI")
        .values(hundredths=100)
    )
    result = await ask(session, scene, now + HOUR)
    assert [s.score for s in result.subjects if s.code == "LI"] == [700]
    assert await service.release_holds(session, release.id)


async def test_a_later_release_replaces_an_earlier_one_and_withdrawing_it_brings_that_back(
    session: AsyncSession, now: datetime
) -> None:
    scene = await ready(session, now)
    await released(session, scene, now)
    await session.execute(
        update(SubjectMarkRow)
        .where(SubjectMarkRow.candidate_id == scene.candidates[0].id, SubjectMarkRow.exam_subject_code == "LI")
        .values(hundredths=725)
    )
    second = await released(session, scene, now, after=2 * HOUR)
    assert (await ask(session, scene, now + HOUR)).release_number == 1
    later = await ask(session, scene, now + 2 * HOUR)
    assert (later.release_number, [s.score for s in later.subjects if s.code == "LI"]) == (2, [725])
    await service.withdraw_release(session, second.id, actor=ACTOR, reason="a mistake", now=now)
    assert (await ask(session, scene, now + 2 * HOUR)).release_number == 1


async def test_altering_what_is_published_shows_in_the_hash(session: AsyncSession, now: datetime) -> None:
    scene = await ready(session, now)
    release = await released(session, scene, now)
    await session.execute(
        text(
            "update published_result set content = jsonb_set(content, '{subjects,0,score}', '1000') "
            "where release_id = :id and candidate_number = :number"
        ),
        {"id": release.id, "number": scene.number(0)},
    )
    assert not await service.release_holds(session, release.id)


async def test_an_absent_candidate_looks_up_that_he_was_absent(session: AsyncSession, now: datetime) -> None:
    scene = await ready(session, now)
    await released(session, scene, now)
    result = await ask(session, scene, now + HOUR, position=1)
    assert [(s.code, s.state, s.score) for s in result.subjects] == [("TOAN", MarkState.MARKED, 0)]
    assert result.graduation is not None
    assert result.graduation.is_complete is False


async def test_distributions_and_announcements_follow_the_release(session: AsyncSession, now: datetime) -> None:
    scene = await ready(session, now)
    await released(session, scene, now)
    before = [a for a in await load_announcements(session, now=now) if a.exam_code == scene.exam.code]
    assert [(a.is_public, a.release_at) for a in before] == [(False, now + HOUR)]
    after = [a for a in await load_announcements(session, now=now + HOUR) if a.exam_code == scene.exam.code]
    assert [a.is_public for a in after] == [True]
    found = await load_distributions(session, scene.exam.code, now=now + HOUR)
    assert [(entry.subject_code, entry.distribution.n) for entry in found] == [
        ("TOAN", 2),
        ("VAN", 1),
        ("LI", 1),
        ("HOA", 1),
    ]
    with pytest.raises(SubjectUnknown):
        await load_distributions(session, scene.exam.code, now=now + HOUR, subject_code="SU")
    with pytest.raises(ExamUnknown):
        await load_distributions(session, "no-such-exam", now=now)


async def test_a_release_needs_a_moment_and_something_to_show(session: AsyncSession, now: datetime) -> None:
    scene = await build(session, n=1)
    with pytest.raises(ReleaseMomentMissing):
        await service.prepare_release(session, scene.exam.id, actor=ACTOR, now=now)
    with pytest.raises(NothingToRelease):
        await service.prepare_release(session, scene.exam.id, actor=ACTOR, now=now, release_at=now)
    with pytest.raises(ReleaseUnknown):
        await service.approve_release(session, uuid4(), actor=ACTOR, now=now)


async def test_the_exams_own_moment_is_taken_where_none_is_given(session: AsyncSession, now: datetime) -> None:
    scene = await ready(session, now)
    await session.execute(update(ExamRow).where(ExamRow.id == scene.exam.id).values(results_release_at=now + HOUR))
    release = await service.prepare_release(session, scene.exam.id, actor=ACTOR, now=now)
    assert release.release_at == now + HOUR


async def test_a_character_the_database_refuses_is_no_failure_of_ours(session: AsyncSession, now: datetime) -> None:
    scene = await ready(session, now)
    await released(session, scene, now)
    assert (await ask(session, scene, now + HOUR, number=f"\x00{scene.number(0)} ")).candidate_number == scene.number(0)
    with pytest.raises(ExamUnknown):
        await load_distributions(session, "thi\x00", now=now)
    run = await service.score_sitting(session, scene.sitting_id, actor=ACTOR, now=now, reason="a\x00b")
    assert run.reason == "ab"
