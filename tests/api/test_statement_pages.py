"""Receipts, statements and checks over HTTP: what is published, who may look, and what the pages say."""

from collections.abc import AsyncIterator
from datetime import date, timedelta
from uuid import uuid4

import pypdfium2
import pytest
import pytest_asyncio
from sqlalchemy import text

from exam_engine.delivery import model, service
from exam_engine.delivery.draining import wait_until_stored
from exam_engine.delivery.packing import pack_response
from exam_engine.delivery.receipts import verify_receipt
from exam_engine.delivery.register import Register
from exam_engine.delivery.service import Desk
from exam_engine.delivery.service.statements import StatementMaking, make_statements
from exam_engine.delivery.signing import SigningKey, read_keys
from exam_engine.identity.permissions import Role
from exam_engine.identity.tables import RoleGrantRow
from exam_engine.infra.clock import system_clock, to_milliseconds
from exam_engine.infra.database import transaction
from exam_engine.infra.redis_client import Durability, ScriptRunner
from tests.api.conftest import House
from tests.api.rooms import practice_room
from tests.api.test_duties import invigilator_of, new_unit, signed_in
from tests.exam_engine.delivery.halls import ACTOR, Hall, open_hall, plan_hall, retire_all

EXAM = "thi-thu-tn-2027"


async def test_a_receipt_got_over_http_is_checked_by_the_published_key(house: House) -> None:
    async with house.seat(EXAM, 2) as seat:
        attempt = (await seat.get("/api/candidate/attempts")).json()["attempts"][0]["attempt_id"]
        early = await seat.get(f"/api/attempts/{attempt}/receipt")
        assert (early.status_code, early.json()["code"]) == (409, "receipt-not-yet")
        lease = (await seat.post(f"/api/attempts/{attempt}/start", json={"client_id": "pc2.a"})).json()["lease"]
        answer = await seat.post(f"/api/attempts/{attempt}/submission", json={"lease": lease, "sequences": {}})
        keys = read_keys((await seat.get("/.well-known/receipt-keys.json")).text).ring()
        receipt = verify_receipt(answer.json()["receipt"], keys, [])
        assert (str(receipt.attempt_id), receipt.outcome) == (attempt, "submitted")
        again = (await seat.get(f"/api/attempts/{attempt}/receipt")).json()
        assert again["receipt"] == answer.json()["receipt"]


async def test_statements_and_checks_have_pages_for_who_manages_sittings(house: House) -> None:
    sitting = (await practice_room(house)).sitting
    async with house.staff("board") as board:
        checked = await board.get(f"/staff/sittings/{sitting}/check")
        assert checked.status_code == 200
        assert "Kiểm tra trước ca thi" in checked.text
        waiting = await board.get(f"/staff/sittings/{sitting}/statements")
        assert "Biên bản được lập ngay khi" in waiting.text
        assert (await board.get(f"/api/sittings/{sitting}/statements")).json() == []
        found = (await board.get(f"/api/sittings/{sitting}/statements/check")).json()
        assert (found["statements"], found["differences"]) == (0, [])
        printed = await board.get(f"/api/sittings/{sitting}/statements/statements.pdf?room=P01")
        assert (printed.status_code, printed.headers["content-type"]) == (200, "application/pdf")


@pytest.mark.parametrize(
    ("user", "path"),
    [
        ("invigilator", "/staff/sittings/{}/check"),
        ("invigilator2", "/staff/sittings/{}/statements"),
        ("invigilator2", "/api/sittings/{}/statements"),
        ("invigilator2", "/api/sittings/{}/statements/check"),
        ("invigilator2", "/api/sittings/{}/statements/statements.pdf"),
    ],
)
async def test_who_neither_manages_the_sitting_nor_watches_a_room_of_it_is_refused(
    house: House, user: str, path: str
) -> None:
    sitting = (await practice_room(house)).sitting
    async with house.staff(user) as staff:
        assert (await staff.get(path.format(sitting))).status_code == 403


@pytest_asyncio.fixture
async def stated(house: House) -> AsyncIterator[Hall]:
    """A sitting with one answer, closed, stored and stated; the board of the sample may look at it."""
    sessions, now = house.engine.sessions, system_clock()
    register = Register(ScriptRunner(house.engine.redis, Durability(waits_for_aof=False)))
    hall = await open_hall(sessions, register, await plan_hall(sessions, candidates=2, rooms=2, starts_at=now), now)
    now_ms = to_milliseconds(now)
    await register.change(hall.place(), lambda f: model.start(f, "pc.a", now_ms), "seat")
    packed = pack_response(1, now_ms, b'"A"', is_answered=True)
    await register.save(hall.place(), 1, now_ms, [(1, packed)])
    async with transaction(sessions) as session:
        unit = "select unit_id from exam where id = :id"
        person = "select id from person where user_name = 'board'"
        grant = RoleGrantRow(
            id=uuid4(),
            person_id=(await session.execute(text(person))).scalar_one(),
            role=Role.BOARD.value,
            unit_id=(await session.execute(text(unit), {"id": hall.exam_id})).scalar_one(),
            valid_from=date(2020, 1, 1),
        )
        session.add(grant)
        desk = Desk(session=session, register=register, actor=ACTOR, now=now + timedelta(minutes=1))
        closed = await service.close_sitting(desk, hall.sitting.id)
    await wait_until_stored(sessions, closed)
    async with transaction(sessions) as session:
        key = SigningKey(house.engine.master_secret)
        making = StatementMaking(session=session, register=register, key=key, actor=ACTOR, now=now)
        await make_statements(making, hall.sitting.id)
    await register.close()
    yield hall
    async with transaction(sessions) as session:
        await session.execute(text("delete from role_grant where id = :id"), {"id": grant.id})
    await retire_all(sessions, hall)


async def test_the_reconciliation_tells_over_http_what_was_changed_since_it_was_signed(
    house: House, stated: Hall
) -> None:
    api, page = f"/api/sittings/{stated.sitting.id}/reconciliation", f"/staff/sittings/{stated.sitting.id}"
    async with house.staff("board") as board:
        found = (await board.get(api)).json()
        assert (found["statements"], found["differences"], found["changed"]) == (2, 0, [])
        assert f'hx-get="{page}/reconciliation"' in (await board.get(page)).text
        part = {"hx-request": "true"}
        told = (await board.get(f"{page}/reconciliation", headers=part)).text
        assert "Mọi câu đã báo lưu đều có trong cơ sở dữ liệu" in told
        assert "không còn như lúc lập biên bản" not in told
        assert "<html" not in told
        async with transaction(house.engine.sessions) as session:
            change = "update response set value = to_jsonb('B'::text) where attempt_id = :attempt"
            await session.execute(text(change), {"attempt": stated.attempt()})
        (changed,) = (await board.get(api)).json()["changed"]
        assert (changed["table"], changed["slot"], changed["column"]) == ("response", 1, "value")
        for headers in (part, {"accept": "text/html"}):
            told = (await board.get(f"{page}/reconciliation", headers=headers)).text
            assert "1 chỗ không còn như lúc lập biên bản" in told
            assert "hx-get" not in told


async def test_an_invigilator_reads_and_prints_the_statement_of_the_own_room_alone(house: House, stated: Hall) -> None:
    base, page = f"/api/sittings/{stated.sitting.id}", f"/staff/sittings/{stated.sitting.id}"
    user_name = await invigilator_of(house, await new_unit(house))
    async with signed_in(house, user_name) as client, house.staff("board") as board:
        assert (await client.get(f"{base}/statements/statements.pdf")).status_code == 403
        duty = {"room_id": str(stated.rooms[1]), "user_name": user_name, "duty": "invigilator"}
        assert (await board.post(f"{base}/duties", json=duty)).status_code == 200
        assert [one["statement"]["room"] for one in (await client.get(f"{base}/statements")).json()] == ["P02"]
        checked = (await client.get(f"{base}/statements/check")).json()
        assert (checked["statements"], checked["differences"]) == (1, [])
        printed = await client.get(f"{base}/statements/statements.pdf")
        document = pypdfium2.PdfDocument(printed.content)
        text_of = "".join(one.get_textpage().get_text_range() for one in document)
        assert "P02" in text_of
        assert "P01" not in text_of
        shown = (await client.get(f"{page}/statements", headers={"accept": "text/html"})).text
        assert "P02" in shown
        assert "P01" not in shown
        assert f"{page}/statements" in (await client.get(page, headers={"accept": "text/html"})).text
        await board.post(f"{base}/duties/take", json={"room_id": duty["room_id"], "user_name": user_name})
