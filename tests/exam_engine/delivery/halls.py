"""An exam hall for tests: a sealed form with two paper codes, candidates in rooms, and a sitting planned for them."""

import gzip
import hashlib
from datetime import UTC, date, datetime, timedelta
from uuid import UUID, uuid4

import brotli
import msgspec
from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from exam_engine.assembly.tables import BlueprintRow, CompiledFormRow, FormRow, PaperCodeRow
from exam_engine.authoring.tables import BankRow
from exam_engine.delivery import service
from exam_engine.delivery.model import AttemptId, Sitting, SittingSettings
from exam_engine.delivery.places import Place, place_of
from exam_engine.delivery.register import Register
from exam_engine.delivery.service import Desk, SittingPlan
from exam_engine.delivery.store import Seat, load_seats
from exam_engine.delivery.tables import SittingRow
from exam_engine.delivery.tokens import CandidatePass
from exam_engine.enrolment.tables import (
    CandidateRow,
    CandidateSubjectRow,
    ExamRow,
    ExamSubjectRow,
    RoomRow,
    SeatRow,
)
from exam_engine.identity.permissions import Role
from exam_engine.identity.tables import OrgUnitRow, PersonRow, RoleGrantRow
from exam_engine.infra.database import transaction

START = datetime(2027, 6, 10, 0, 30, tzinfo=UTC)
LONG_AGO = date(2020, 1, 1)
ACTOR = "person:tester"
BLUEPRINT = {
    "title": "Thử",
    "minutes": 60,
    "parts": [{"part": 1, "kind": "single_choice", "points": 25, "cells": [{"count": 8}]}],
}
FORM = {
    "title": "Thử",
    "language": "vi",
    "minutes": 60,
    "parts": [{"part": 1, "title": "I", "instructions": "", "points_note": ""}],
    "stimuli": [],
    "items": [
        *(
            {
                "slot": slot,
                "part": 1,
                "stimulus": None,
                "kind": "single_choice",
                "stem": "?",
                "options": [{"id": letter, "content": letter} for letter in "ABCD"],
            }
            for slot in range(1, 9)
        ),
        {
            "slot": 9,
            "part": 1,
            "stimulus": None,
            "kind": "true_false_cluster",
            "stem": "?",
            "statements": [{"id": letter, "content": letter} for letter in "abcd"],
        },
        {"slot": 10, "part": 1, "stimulus": None, "kind": "short_numeric", "stem": "?", "max_characters": 4},
        {"slot": 11, "part": 1, "stimulus": None, "kind": "essay", "stem": "?", "max_words": 200},
        {
            "slot": 12,
            "part": 1,
            "stimulus": None,
            "kind": "multiple_choice",
            "stem": "?",
            "maximum": 2,
            "options": [{"id": letter, "content": letter} for letter in "ABCD"],
        },
    ],
}


class SetClock:
    """A clock that stands where it is put."""

    def __init__(self, now: datetime = START) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **span: float) -> None:
        self.now += timedelta(**span)


class Hall(msgspec.Struct, kw_only=True):
    """What a test needs to know of its hall."""

    exam_id: UUID
    exam_code: str
    exam_subject_id: UUID
    form_id: UUID
    form_hash: str
    rooms: list[UUID]
    candidates: list[UUID]
    numbers: list[str]
    sitting: Sitting
    board: str  # user name of somebody who may do everything here
    seats: list[Seat] = []

    def place(self, position: int = 0) -> Place:
        return place_of(self.sitting.id, self.sitting.shards, self.seats[position].attempt_id)

    def attempt(self, position: int = 0) -> AttemptId:
        return self.seats[position].attempt_id

    def candidate(self, position: int = 0) -> CandidatePass:
        return CandidatePass(self.seats[position].candidate_id, self.exam_id, 2**32 - 1)


async def plan_hall(
    sessions: async_sessionmaker[AsyncSession],
    *,
    candidates: int = 3,
    rooms: int = 1,
    shards: int = 1,
    starts_at: datetime = START,
    minutes: int = 60,
    late_limit_seconds: int = 900,
    paper_codes: int = 2,
    settings: SittingSettings = SittingSettings(),  # noqa: B008 (frozen)
) -> Hall:
    """Commit a hall whose sitting is planned."""
    mark = uuid4().hex[:8]
    ids = {name: uuid4() for name in ("unit", "author", "sealer", "bank", "blueprint", "form", "exam", "subject")}
    body = msgspec.json.encode(FORM)
    form_hash = hashlib.sha256(body).hexdigest()
    room_ids = [uuid4() for _ in range(rooms)]
    candidate_ids = [uuid4() for _ in range(candidates)]
    numbers = [f"31{position:06d}" for position in range(1, candidates + 1)]
    async with transaction(sessions) as session:
        session.add(OrgUnitRow(id=ids["unit"], code=f"u-{mark}", name="Trường Thử", kind="school", valid_from=LONG_AGO))
        for name in ("author", "sealer"):
            session.add(
                PersonRow(
                    id=ids[name],
                    user_name=f"{name}-{mark}",
                    display_name=name,
                    is_active=True,
                    language="vi",
                    credential_version=1,
                    created_at=START,
                )
            )
        await session.flush()
        session.add(
            RoleGrantRow(
                id=uuid4(),
                person_id=ids["sealer"],
                role=Role.BOARD.value,
                unit_id=ids["unit"],
                valid_from=LONG_AGO,
            )
        )
        session.add(
            BankRow(
                id=ids["bank"],
                code=f"b-{mark}",
                name="Thử",
                subject_code="TOAN",
                grade=12,
                unit_id=ids["unit"],
                language="vi",
            )
        )
        session.add(
            ExamRow(
                id=ids["exam"],
                code=f"thi-{mark}",
                name="Thi thử",
                unit_id=ids["unit"],
                year=2027,
                kind="practice",
                state="open",
            )
        )
        await session.flush()
        session.add(
            BlueprintRow(
                id=ids["blueprint"],
                code=f"bp-{mark}",
                name="Thử",
                bank_id=ids["bank"],
                spec=BLUEPRINT,
                created_by=ids["author"],
                created_at=START,
            )
        )
        session.add(
            ExamSubjectRow(
                id=ids["subject"],
                exam_id=ids["exam"],
                code="TOAN",
                name="Toán",
                mode="online",
                minutes=minutes,
                maximum=1000,
                position=1,
            )
        )
        for position, room_id in enumerate(room_ids, 1):
            session.add(RoomRow(id=room_id, exam_id=ids["exam"], code=f"P{position:02d}", capacity=24))
        for candidate_id, number in zip(candidate_ids, numbers, strict=True):
            session.add(
                CandidateRow(
                    id=candidate_id,
                    exam_id=ids["exam"],
                    number=number,
                    full_name=f"Nguyễn Thị Thử {number}",
                    folded_name=f"nguyen thi thu {number}",
                    lower_name=f"nguyễn thị thử {number}",
                    sort_key=number,
                    school_unit_id=ids["unit"],
                    code_version=1,
                    attributes={},
                )
            )
        await session.flush()
        session.add(
            FormRow(
                id=ids["form"],
                blueprint_id=ids["blueprint"],
                code=f"f-{mark}",
                title="Thử",
                seed=1,
                state="sealed",
                created_by=ids["author"],
                created_at=START,
                sealed_by=ids["sealer"],
                sealed_at=START,
                seal_hash="0",
                key_version=1,
            )
        )
        await session.flush()
        for position in range(paper_codes):
            slots = list(range(1, 13))
            ordering = [{"slot": slot, "options": ""} for slot in slots[position:] + slots[:position]]
            session.add(
                PaperCodeRow(
                    id=uuid4(), form_id=ids["form"], code=str(1001 + position), seed=position, ordering=ordering
                )
            )
        session.add(
            CompiledFormRow(
                form_id=ids["form"],
                hash=form_hash,
                body=body,
                brotli=brotli.compress(body),
                gzip=gzip.compress(body),
            )
        )
        for position, candidate_id in enumerate(candidate_ids):
            session.add(CandidateSubjectRow(candidate_id=candidate_id, exam_subject_id=ids["subject"]))
            session.add(
                SeatRow(
                    id=uuid4(),
                    exam_subject_id=ids["subject"],
                    candidate_id=candidate_id,
                    room_id=room_ids[position % rooms],
                    number=position // rooms + 1,
                )
            )
        await session.flush()
        plan = SittingPlan(
            exam_subject_id=ids["subject"],
            form_id=ids["form"],
            code=f"s-{mark}",
            name="Ca thử",
            starts_at=starts_at,
            ends_at=starts_at + timedelta(minutes=minutes + 15),
            duration_seconds=60 * minutes,
            late_limit_seconds=late_limit_seconds,
            shards=shards,
            seed=7,
            settings=settings,
        )
        sitting = await service.plan_sitting(session, plan, actor=ACTOR, now=starts_at)
    return Hall(
        exam_id=ids["exam"],
        exam_code=f"thi-{mark}",
        exam_subject_id=ids["subject"],
        form_id=ids["form"],
        form_hash=form_hash,
        rooms=room_ids,
        candidates=candidate_ids,
        numbers=numbers,
        sitting=sitting,
        board=f"sealer-{mark}",
    )


async def open_hall(
    sessions: async_sessionmaker[AsyncSession], register: Register, hall: Hall, now: datetime = START
) -> Hall:
    """Open the hall's sitting."""
    async with transaction(sessions) as session:
        desk = Desk(session=session, register=register, actor=ACTOR, now=now)
        hall.sitting = await service.open_sitting(desk, hall.sitting.id)
        hall.seats = await load_seats(session, hall.sitting.id)
    return hall


async def retire_all(sessions: async_sessionmaker[AsyncSession], *halls: Hall) -> None:
    """Leave no open sitting to the next test, or none of these halls: its writers and timers would meet it."""
    retiring = update(SittingRow).where(SittingRow.state != "planned")
    if halls:
        retiring = retiring.where(SittingRow.id.in_([hall.sitting.id for hall in halls]))
    async with transaction(sessions) as session:
        await session.execute(retiring.values(state="closed", stored_at=datetime(2020, 1, 1, tzinfo=UTC)))
