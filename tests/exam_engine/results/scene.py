"""An exam after its sitting: a sealed form, candidates, stored responses; everything in the transaction of the test."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import msgspec
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from exam_engine.assembly.model import Form
from exam_engine.assembly.tables import FormKeyRow
from exam_engine.delivery.tables import AttemptRow, ResponseRow, SittingRow
from exam_engine.enrolment import service as enrolment
from exam_engine.enrolment.model import Candidate, CandidateId, Exam, ExamKind, ExamPlan, SubjectMode, SubjectPlan
from exam_engine.enrolment.tables import CandidateRow, CandidateSubjectRow, SubjectMarkRow
from exam_engine.identity import service as identity
from scoring.keys import ClusterKey, Key, OneOptionKey, ShortAnswerKey
from scoring.values import ResponseValue
from tests.exam_engine.assembly import banks

START = datetime(2027, 6, 10, 0, 30, tzinfo=UTC)
ACTOR = "person:board"
SECRET = b"a secret of these tests, long enough"


class Scene(msgspec.Struct, kw_only=True):
    """What a test needs to know."""

    hall: banks.Hall
    exam: Exam
    form: Form
    sitting_id: UUID
    candidates: list[Candidate]
    attempts: list[UUID]
    key: dict[int, Key]

    def number(self, position: int) -> str:
        return self.candidates[position].number or ""


def right(key: Key) -> ResponseValue:
    """The response that earns full credit, where a machine judges."""
    match key:
        case OneOptionKey(accepted=accepted) | ShortAnswerKey(accepted=accepted):
            return accepted[0]
        case ClusterKey(statements=statements):
            return dict(statements)
        case _:
            return None


def wrong(key: Key) -> ResponseValue:
    """A response of the right shape that earns nothing."""
    match key:
        case OneOptionKey(accepted=accepted):
            return next(letter for letter in "ABCD" if letter not in accepted)
        case ClusterKey(statements=statements):
            return {statement: not truth for statement, truth in statements.items()}
        case ShortAnswerKey():
            return "9999"
        case _:
            return None


async def build(
    session: AsyncSession, *, n: int = 3, kind: ExamKind = ExamKind.GRADUATION, rules: str | None = "grad_2025"
) -> Scene:
    """A closed sitting of TOAN with `n` started attempts that answered nothing; VAN, LI, HOA come from a file."""
    hall = await banks.hall(session)
    form = await banks.sealed(session, hall)
    unit = await identity.load_unit(session, form.unit_id)
    plan = ExamPlan(
        code=f"thi-{uuid4().hex[:8]}",
        name="Thi thử tốt nghiệp",
        unit=unit.code,
        year=2027,
        kind=kind,
        rule_set=rules,
        subjects=(
            SubjectPlan(code="TOAN", name="Toán", mode=SubjectMode.ONLINE, minutes=90),
            SubjectPlan(code="VAN", name="Ngữ văn", mode=SubjectMode.MARKS_FILE, minutes=120),
            SubjectPlan(code="LI", name="Vật lí", mode=SubjectMode.MARKS_FILE, minutes=50),
            SubjectPlan(code="HOA", name="Hóa học", mode=SubjectMode.MARKS_FILE, minutes=50),
        ),
    )
    exam = await enrolment.create_exam(session, plan, actor=ACTOR, now=START)
    subjects = await enrolment.load_subjects(session, exam.id)
    for position in range(1, n + 1):
        row = CandidateRow(
            id=uuid4(),
            exam_id=exam.id,
            number=f"3100000{position}",
            full_name=f"Nguyễn Văn Thử {position}",
            folded_name="nguyen van thu",
            lower_name="nguyễn văn thử",
            sort_key=f"{position}",
            code_version=1,
            attributes={"year10": "7.15", "year11": "7.42", "year12": "7.88", "hobby": "chess"},
        )
        session.add(row)
        await session.flush()
        session.add_all(CandidateSubjectRow(candidate_id=row.id, exam_subject_id=s.id) for s in subjects)
    candidates = list(await enrolment.load_candidates(session, exam.id))
    sitting_id, attempts = await add_sitting(session, form, subjects[0].id, [c.id for c in candidates])
    keys = await session.execute(select(FormKeyRow.slot, FormKeyRow.key).where(FormKeyRow.form_id == form.id))
    return Scene(
        hall=hall,
        exam=exam,
        form=form,
        sitting_id=sitting_id,
        candidates=candidates,
        attempts=attempts,
        key={slot: msgspec.convert(key, Key) for slot, key in keys},
    )


async def add_sitting(
    session: AsyncSession, form: Form, exam_subject_id: UUID, candidate_ids: list[CandidateId]
) -> tuple[UUID, list[UUID]]:
    """A closed and stored sitting with a started attempt of each candidate."""
    from exam_engine.assembly.tables import PaperCodeRow

    sitting = SittingRow(
        id=uuid4(),
        exam_subject_id=exam_subject_id,
        form_id=form.id,
        form_hash="0" * 64,
        code=f"ca-{uuid4().hex[:8]}",
        name="Ca 1",
        opens_at=START,
        starts_at=START,
        ends_at=START + timedelta(minutes=105),
        duration_seconds=5400,
        late_limit_seconds=900,
        grace_seconds=10,
        state="closed",
        shards=1,
        seed=1,
        settings={},
        closed_at=START + timedelta(minutes=105),
        stored_at=START + timedelta(minutes=106),
    )
    session.add(sitting)
    await session.flush()
    paper_code = await session.scalar(select(PaperCodeRow.id).where(PaperCodeRow.form_id == form.id).limit(1))
    attempts = []
    for candidate_id in candidate_ids:
        attempt = AttemptRow(
            id=uuid4(),
            sitting_id=sitting.id,
            candidate_id=candidate_id,
            paper_code_id=paper_code,
            state="submitted",
            revision=1,
            lease=1,
            client="",
            started_at=START,
            extensions=[],
        )
        session.add(attempt)
        attempts.append(attempt.id)
    await session.flush()
    return sitting.id, attempts


async def answer(session: AsyncSession, attempt_id: UUID, responses: Mapping[int, ResponseValue]) -> None:
    """Store responses as the write-behind does."""
    from sqlalchemy.dialects.postgresql import JSONB

    session.add_all(
        ResponseRow(
            attempt_id=attempt_id,
            slot=slot,
            sequence=1,
            value=JSONB.NULL if value is None else value,
            client_time=START,
            server_time=START,
        )
        for slot, value in responses.items()
    )
    await session.flush()


async def answer_rightly(
    session: AsyncSession, scene: Scene, position: int, *, but: Mapping[int, ResponseValue] = {}
) -> None:
    """Everything a machine judges right, except what is said; the essay stays blank."""
    responses = {slot: right(key) for slot, key in scene.key.items() if right(key) is not None} | dict(but)
    await answer(session, scene.attempts[position], responses)


async def give_marks(session: AsyncSession, scene: Scene, position: int, **marks: int | None) -> None:
    """Marks from a file, in hundredths; None: absent."""
    session.add_all(
        SubjectMarkRow(
            candidate_id=scene.candidates[position].id,
            exam_subject_code=code,
            hundredths=hundredths,
            note="absent" if hundredths is None else None,
            source_file="marks.csv",
            row=position + 2,
        )
        for code, hundredths in marks.items()
    )
    await session.flush()


async def change_sitting(session: AsyncSession, scene: Scene, **values: object) -> None:
    await session.execute(update(SittingRow).where(SittingRow.id == scene.sitting_id).values(**values))
