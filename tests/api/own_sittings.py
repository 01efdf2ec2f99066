"""An exam of a test's own with rooms and a sitting: what is done to it troubles no other test."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from uuid import UUID, uuid4

import msgspec
from sqlalchemy import text

from exam_engine.enrolment import service as enrolment
from exam_engine.infra.database import transaction
from tests.api.conftest import House

CANDIDATES, IN_A_ROOM = 5, 3


class OwnSitting(msgspec.Struct, frozen=True):
    """A sitting in which somebody sits in rooms P001 and P002."""

    exam: str
    id: UUID
    code: str
    starts_at: datetime
    rooms: Mapping[str, UUID]  # by code

    @property
    def page(self) -> str:
        return f"/staff/sittings/{self.id}"


async def own_sitting(
    house: House, *, begins_in: timedelta, is_open: bool, ends_in: timedelta | None = None
) -> OwnSitting:
    """Plan a sitting of an exam that is made for it, of the form the practice exam has.

    With `ends_in` it ends then to the second, and whoever starts has the rest of it.
    """
    code = f"lui-gio-{uuid4().hex[:8]}"
    starts_at = (house.engine.clock() + begins_in).replace(second=0, microsecond=0)
    ends_at = starts_at + timedelta(minutes=60) if ends_in is None else house.engine.clock() + ends_in
    subject = {"code": "TO", "name": "Toán", "mode": "online", "minutes": 45}
    exam = {"code": code, "name": "Thi thử lùi giờ", "year": 2027, "kind": "practice", "subjects": [subject]}
    rows = "\n".join(f"{9000 + n};Nguyễn Văn {'ABCDE'[n]}" for n in range(CANDIDATES))
    async with transaction(house.engine.sessions) as session:
        of_practice = "select u.code from org_unit u join exam e on e.unit_id = u.id where e.code = 'lam-quen-2027'"
        unit = (await session.execute(text(of_practice))).scalar_one()
    async with house.staff("board") as board:
        form = next(s for s in (await board.get("/api/sittings")).json() if s["code"] == "lam-quen-2027")["form_id"]
        answers = [
            await board.post("/api/exams", json=exam | {"unit": unit}),
            await board.post(
                f"/api/exams/{code}/candidates", files={"file": ("a.csv", f"SBD;Họ tên\n{rows}".encode())}
            ),
            await board.post(f"/api/exams/{code}/seats", json={"capacity": IN_A_ROOM, "last_room_capacity": IN_A_ROOM}),
        ]
        assert [answer.status_code for answer in answers] == [201, 200, 200], [answer.text for answer in answers]
        async with transaction(house.engine.sessions) as session:
            made = await enrolment.require_exam(session, code)
            (subject_row,) = await enrolment.load_subjects(session, made.id)
            rooms = {room.code: room.id for room in await enrolment.load_rooms(session, made.id)}
        plan = {
            "exam_subject_id": str(subject_row.id),
            "form_id": form,
            "code": code,
            "name": "Ca thi lùi giờ",
            "starts_at": starts_at.isoformat(),
            "ends_at": ends_at.isoformat(),
            "duration_seconds": 45 * 60,
            "late_limit_seconds": 15 * 60 if ends_in is None else 60 * 60,
            "grace_seconds": 10 if ends_in is None else 1,
        }
        planned = await board.post("/api/sittings", json=plan)
        assert planned.status_code == 201, planned.text
        sitting = UUID(planned.json()["id"])
        if is_open:
            opened = await board.post(f"/api/sittings/{sitting}/open")
            assert opened.status_code == 200, opened.text
    return OwnSitting(code, sitting, code, starts_at, rooms)
