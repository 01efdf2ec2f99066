"""Closed sittings whose candidates answered by known parameters: the truth a calibration has to find again."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import msgspec
import numpy as np
from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from exam_engine.assembly import service as assembly
from exam_engine.assembly.model import AssemblyOrder, Form
from exam_engine.assembly.tables import PaperCodeRow
from exam_engine.authoring import service as authoring
from exam_engine.authoring.model import Bank
from exam_engine.calibration import job, service
from exam_engine.calibration.choices import RunSettings
from exam_engine.calibration.findings import ItemReport
from exam_engine.calibration.model import CalibrationRun
from exam_engine.cli.rehearsal.simulator import Slot, TrueItem, respond
from exam_engine.delivery.tables import AttemptRow, ResponseRow, SittingRow
from exam_engine.enrolment import service as enrolment
from exam_engine.enrolment.model import Exam, ExamKind, ExamPlan, SubjectMode, SubjectPlan
from exam_engine.enrolment.tables import CandidateRow
from exam_engine.identity.model import Person
from exam_engine.identity.permissions import Role
from exam_engine.infra.database import SessionMaker, transaction
from item_bank.forms.blueprint import Blueprint, Cell, ItemKind, Part
from item_bank.model.interactions import ShortNumeric
from item_bank.model.item import Item, Level
from scoring.keys.values import ClusterKey, Key, ShortAnswerKey
from tests.exam_engine.assembly import banks
from tests.exam_engine.identity.people import NOW as EARLIER
from tests.exam_engine.identity.people import person, saved, unit

START = datetime(2027, 6, 10, 0, 30, tzinfo=UTC)
NOW = START + timedelta(days=1)
ACTOR = "system:test"


class Room(msgspec.Struct, kw_only=True):
    """What a test of the room needs: a subject with closed sittings, its people, the truth by item code."""

    bank: Bank
    exam: Exam
    subject_id: UUID
    forms: list[Form]
    sittings: list[UUID]
    truth: dict[str, TrueItem]
    abilities: dict[UUID, float]
    psychometrician: Person
    developer: Person
    board: Person


def items() -> list[Item]:
    made: list[tuple[str, object, Key]] = [
        *((f"MC-{n:02d}", *banks.choice(f"MC-{n}", "ABCD"[n % 4])) for n in range(24)),
        *((f"SA-{n:02d}", ShortNumeric(), ShortAnswerKey((f"{n},5",))) for n in range(8)),
        *(
            (f"TF-{n:02d}", banks.CLUSTER, ClusterKey(dict(zip("abcd", (True, False, n % 2 == 0, True), strict=True))))
            for n in range(3)
        ),
    ]
    return [
        Item(code=code, topic="t0", level=list(Level)[i % 3], stem=f"<p>stem of {code}</p>", interaction=it, key=key)  # type: ignore[arg-type]
        for i, (code, it, key) in enumerate(made)
    ]


def truth(codes: Sequence[str], rng: np.random.Generator) -> dict[str, TrueItem]:
    return {
        code: TrueItem(
            a=float(np.clip(rng.lognormal(0.1, 0.25), 0.6, 2.0)),
            b=float(np.clip(rng.normal(0.0, 1.0), -2.0, 2.0)),
            c=0.2 if code.startswith("MC") else 0.0,
        )
        for code in codes
    }


def spec(n_choices: int, n_numbers: int, n_clusters: int = 2, n_tried: int = 0) -> Blueprint:
    tried = (
        (Part(part=1, kind=ItemKind.SINGLE_CHOICE, points=25, cells=(Cell(n_tried),), unscored=True),)
        if n_tried
        else ()
    )
    return Blueprint(
        title="Toán",
        minutes=90,
        parts=(
            Part(part=1, title="PHẦN I", kind=ItemKind.SINGLE_CHOICE, points=25, cells=(Cell(n_choices),)),
            *tried,
            Part(part=2, title="PHẦN II", kind=ItemKind.TRUE_FALSE_CLUSTER, points=100, cells=(Cell(n_clusters),)),
            Part(part=3, title="PHẦN III", kind=ItemKind.SHORT_NUMERIC, points=50, cells=(Cell(n_numbers),)),
        ),
    )


async def build(
    session: AsyncSession,
    *,
    n: int = 300,
    blueprints: Sequence[Blueprint] | None = None,
    seed: int = 1,
    blank: float = 0.02,
    odd: Mapping[str, str] = {},
) -> Room:
    """One subject with a closed sitting for each blueprint, `n` candidates in each; `odd` makes items behave badly.

    `odd` maps an item code to "reversed" (able candidates do worse) or "constant" (everybody is right).
    """
    mark = uuid4().hex[:8]
    rng = np.random.default_rng(seed)
    province = unit()
    await saved(session, province)
    developer = await person(session, (Role.TEST_DEVELOPER, province), name="developer")
    board = await person(session, (Role.BOARD, province), name="board")
    psychometrician = await person(session, (Role.PSYCHOMETRICIAN, province), name="psychometrician")
    new = authoring.NewBank(code=f"bank-{mark}", name="Bank", subject_code="TOAN", grade=12, unit_id=province.id)
    bank = await authoring.create_bank(session, new, actor=ACTOR, now=EARLIER)
    made = items()
    await banks._add_items(session, bank, developer, made)
    subject = SubjectPlan(code="TOAN", name="Toán", mode=SubjectMode.ONLINE, minutes=90)
    plan = ExamPlan(
        code=f"thi-{mark}",
        name="Thi thử tốt nghiệp",
        unit=province.code,
        year=2027,
        kind=ExamKind.GRADUATION,
        rule_set=None,
        subjects=(subject,),
    )
    exam = await enrolment.create_exam(session, plan, actor=ACTOR, now=START)
    (stored,) = await enrolment.load_subjects(session, exam.id)
    room = Room(
        bank=bank,
        exam=exam,
        subject_id=stored.id,
        forms=[],
        sittings=[],
        truth=truth([item.code for item in made], rng),
        abilities={},
        psychometrician=psychometrician,
        developer=developer,
        board=board,
    )
    for number, blueprint in enumerate(blueprints or [spec(16, 6)]):
        await add_sitting(session, room, blueprint, n=n, number=number, rng=rng, blank=blank, odd=odd)
    return room


async def add_sitting(
    session: AsyncSession,
    room: Room,
    blueprint: Blueprint,
    *,
    n: int,
    number: int,
    rng: np.random.Generator,
    blank: float = 0.02,
    odd: Mapping[str, str] = {},
    mean: float = 0.0,
) -> UUID:
    mark = uuid4().hex[:8]
    kept = await assembly.save_blueprint(
        session, bank_id=room.bank.id, code=f"bp-{mark}", name="B", spec=blueprint, actor=room.developer, now=EARLIER
    )
    order = AssemblyOrder(
        blueprint_id=kept.id, code=f"form-{mark}", seed=number + 3, paper_codes=2, prefer_unused=False
    )
    form = await assembly.assemble(session, order, actor=room.developer, now=EARLIER)
    form = await assembly.seal(session, form.id, actor=room.board, now=EARLIER)
    sitting = SittingRow(
        id=uuid4(),
        exam_subject_id=room.subject_id,
        form_id=form.id,
        form_hash="0" * 64,
        code=f"ca-{mark}",
        name=f"Ca {number + 1}",
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
    codes = list(await session.scalars(select(PaperCodeRow.id).where(PaperCodeRow.form_id == form.id)))
    slots = await slots_of(session, room, form)
    candidates, attempts, responses = [], [], []
    for person_ in range(n):
        candidate_id, attempt_id = uuid4(), uuid4()
        theta = float(rng.normal(mean, 1.0))
        room.abilities[candidate_id] = theta
        candidates.append(
            _candidate(room, candidate_id, number * 100_000 + person_, "female" if person_ % 2 else "male")
        )
        attempts.append(_attempt(sitting.id, attempt_id, candidate_id, codes[person_ % len(codes)]))
        for slot, code in slots:
            if rng.random() >= blank or odd.get(code) == "constant":
                responses.append(_response(attempt_id, slot, _answer(slot, theta, rng, odd.get(code, ""))))
    for table, rows in ((CandidateRow, candidates), (AttemptRow, attempts), (ResponseRow, responses)):
        for start in range(0, len(rows), 3000):
            await session.execute(insert(table), rows[start : start + 3000])
    room.forms.append(form)
    room.sittings.append(sitting.id)
    return sitting.id


async def requested(own: SessionMaker, room: Room, sittings: Sequence[UUID] = (), **settings: object) -> CalibrationRun:
    async with transaction(own) as session:
        order = RunSettings(sitting_ids=tuple(sittings), **settings)  # type: ignore[arg-type]
        return await service.request_run(session, room.subject_id, order, actor="person:test", now=NOW)


async def calibrated(own: SessionMaker, room: Room, **settings: object) -> tuple[CalibrationRun, list[ItemReport]]:
    run = await requested(own, room, **settings)
    await job.work(own, lambda: NOW, run.id, tell_seconds=0.05)
    async with transaction(own) as session:
        items = await service.load_items(session, run.id)
        return await service.load_run(session, run.id), [item.report for item in items]


async def slots_of(session: AsyncSession, room: Room, form: Form) -> list[tuple[Slot, str]]:
    by_slot = await assembly.load_items(session, form.id)
    key = await assembly.load_form_key(session, form.id)
    return [
        (
            Slot(each.slot, "", tuple("ABCD"), each.key, room.truth[by_slot[each.slot].code]),
            by_slot[each.slot].code,
        )
        for each in key.slots
    ]


def _answer(slot: Slot, theta: float, rng: np.random.Generator, odd: str) -> object:
    if odd == "reversed":
        return respond(slot, -theta, rng)
    if odd == "constant":
        return respond(slot, 50.0, rng)
    return respond(slot, theta, rng)


def _candidate(room: Room, candidate_id: UUID, position: int, gender: str) -> dict[str, object]:
    return {
        "id": candidate_id,
        "exam_id": room.exam.id,
        "number": f"31{position:06d}",
        "full_name": f"Nguyễn Văn Thử {position}",
        "folded_name": "nguyen van thu",
        "lower_name": "nguyễn văn thử",
        "sort_key": f"{position:06d}",
        "date_of_birth": None,
        "school_unit_id": None,
        "code_version": 1,
        "attributes": {"gender": gender},
    }


def _attempt(sitting_id: UUID, attempt_id: UUID, candidate_id: UUID, paper_code_id: UUID) -> dict[str, object]:
    return {
        "id": attempt_id,
        "sitting_id": sitting_id,
        "candidate_id": candidate_id,
        "paper_code_id": paper_code_id,
        "state": "submitted",
        "revision": 1,
        "lease": 1,
        "client": "",
        "started_at": START,
        "extra_seconds": 0,
        "extensions": [],
    }


def _response(attempt_id: UUID, slot: Slot, value: object) -> dict[str, object]:
    return {
        "attempt_id": attempt_id,
        "slot": slot.number,
        "sequence": 1,
        "value": value,
        "client_time": START,
        "server_time": START,
    }
