"""Who watches which room: a site's staff reach exactly their rooms, a duty opens one, nobody meets an empty list."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date
from uuid import UUID, uuid4

import httpx
import pytest
import pytest_asyncio
from playwright.async_api import Browser, expect
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from exam_engine.enrolment import service as enrolment
from exam_engine.identity import service as identity
from exam_engine.identity.permissions import Role
from exam_engine.infra.database import transaction
from tests.api.conftest import House, sign_in
from tests.api.rooms import Room, room_of
from tests.api.staff_browser import open_staff_page, require_sound

SITTING = "thi-thu-tn-2027-toan"
HTML = {"accept": "text/html"}
PASSWORD = "trong-coi-phong-thi-7"


async def invigilator_of(house: House, unit: str) -> str:
    """Add somebody whose only role is to invigilate on one unit."""
    user_name = f"gt-{uuid4().hex[:8]}"
    async with transaction(house.engine.sessions) as session:
        now = house.engine.clock()
        person = await identity.create_person(
            session, user_name, f"Giám thị {user_name}", password=PASSWORD, actor="test", now=now
        )
        coded = await identity.load_unit_coded(session, unit)
        await identity.grant_role(
            session, person, Role.INVIGILATOR, coded, valid_from=date(2020, 1, 1), actor="test", now=now
        )
    return user_name


async def new_unit(house: House) -> str:
    """A unit beside all others, where no room is."""
    code = f"xa-{uuid4().hex[:8]}"
    async with transaction(house.engine.sessions) as session:
        await session.execute(
            text("insert into org_unit (id, code, name, kind, valid_from) values (:i, :c, :c, 'site', '2020-01-01')"),
            {"i": uuid4(), "c": code},
        )
    return code


async def move_room(house: House, room: UUID, unit: str | None) -> None:
    """Put a room on another site."""
    async with transaction(house.engine.sessions) as session:
        unit_id = (await identity.load_unit_coded(session, unit)).id if unit else None
        await session.execute(text("update room set site_unit_id = :u where id = :r"), {"u": unit_id, "r": room})


@asynccontextmanager
async def signed_in(house: House, user_name: str) -> AsyncIterator[httpx.AsyncClient]:
    async with house.browser() as client:
        await sign_in(client, user_name, PASSWORD)
        yield client


async def subject_of(session: AsyncSession, room: Room) -> UUID:
    query = text("select exam_subject_id from sitting where id = :s")
    return UUID(str((await session.execute(query, {"s": room.sitting})).scalar_one()))


@pytest_asyncio.fixture
async def other_room(house: House) -> AsyncIterator[UUID]:
    """A second room of the sitting: one candidate's seat is moved there, after the sitting was opened."""
    room = await room_of(house, SITTING)
    async with transaction(house.engine.sessions) as session:
        query = """insert into room (id, exam_id, code, capacity)
            select :new, exam_id, :code, 24 from room where id = :room returning id"""
        values = {"new": uuid4(), "code": f"Q{uuid4().hex[:5]}", "room": room.room}
        made = UUID(str((await session.execute(text(query), values)).scalar_one()))
        seat = "update seat set room_id = :to where room_id = :of and number = :n and exam_subject_id = :subject"
        moving = {"subject": await subject_of(session, room), "n": len(room.seats)}
        await session.execute(text(seat), moving | {"to": made, "of": room.room})
    yield made
    async with transaction(house.engine.sessions) as session:
        await session.execute(text(seat), moving | {"to": room.room, "of": made})
        await session.execute(text("delete from room_duty where room_id = :r"), {"r": made})
        await session.execute(text("delete from room where id = :r"), {"r": made})


async def test_staff_of_a_site_reach_exactly_the_rooms_there(house: House, other_room: UUID) -> None:
    room = await room_of(house, SITTING)
    site = await new_unit(house)
    await move_room(house, other_room, site)
    async with signed_in(house, await invigilator_of(house, site)) as client:
        listed = (await client.get("/api/sittings")).json()
        exam = next(one["exam"] for one in listed)
        assert {one["exam"] for one in listed} == {exam}
        assert str(room.sitting) in {one["id"] for one in listed}
        page = await client.get(f"/staff/sittings/{room.sitting}", headers=HTML)
        assert page.status_code == 200
        assert f"/rooms/{other_room}" in page.text
        assert f"/rooms/{room.room}" not in page.text
        assert "/late" not in page.text
        board = f"/api/sittings/{room.sitting}/rooms/{{}}/board"
        there = await client.get(board.format(other_room))
        assert (there.status_code, there.json()["seats"]) == (200, [])  # opened before the plan was changed
        assert (await client.get(board.format(room.room))).status_code == 403
        assert (await client.get(f"/api/sittings/{room.sitting}/duties")).status_code == 403


async def test_a_duty_opens_one_room_of_one_sitting_and_closes_it_again(house: House) -> None:
    room = await room_of(house, SITTING)
    user_name = await invigilator_of(house, await new_unit(house))
    path = f"/api/sittings/{room.sitting}/duties"
    async with signed_in(house, user_name) as client, house.staff("board") as board:
        assert (await client.get(f"{room.path}/board")).status_code == 403
        given = await board.post(path, json={"room_id": str(room.room), "user_name": user_name, "duty": "deputy"})
        assert given.status_code == 200, given.text
        line = next(one for one in given.json() if one["user_name"] == user_name)
        assert (line["duty"], line["room_id"]) == ("deputy", str(room.room))
        assert (await client.get(f"{room.path}/board")).status_code == 200
        listing = await client.get("/staff/sittings", headers=HTML)
        assert f"/staff/sittings/{room.sitting}/rooms/{room.room}" in listing.text
        offline = await client.get(f"/staff/sittings/{room.sitting}/offline", headers=HTML)
        assert offline.status_code == 200
        assert f"/rooms/{room.room}/code" in offline.text
        body = {"seconds": 60, "reason": "x", "attempt_id": str(room.seats[0]), "request": uuid4().hex}
        assert (await client.post(f"/api/sittings/{room.sitting}/extend", json=body)).status_code == 200
        whole = {"request_id": uuid4().hex, "reason": "x"}
        assert (await client.post(f"/api/sittings/{room.sitting}/pause", json=whole)).status_code in (200, 403)
        taken = await board.post(f"{path}/take", json={"room_id": str(room.room), "user_name": user_name})
        assert user_name not in {one["user_name"] for one in taken.json()}
        assert (await client.get(f"{room.path}/board")).status_code == 403
        assert (await client.get(f"/staff/sittings/{room.sitting}/offline", headers=HTML)).status_code == 403
        again = await board.post(f"{path}/take", json={"room_id": str(room.room), "user_name": user_name})
        assert (again.status_code, again.json()["code"]) == (404, "duty-unknown")


async def test_who_may_act_on_seats_is_where_they_sit_and_not_where_the_plan_has_them_by_now(
    house: House, other_room: UUID
) -> None:
    room = await room_of(house, SITTING)
    base, last = f"/api/sittings/{room.sitting}", str(room.seats[-1])  # whom `other_room` has planned elsewhere
    here, there = [await invigilator_of(house, await new_unit(house)) for _ in range(2)]
    async with house.staff("board") as board:
        for user_name, where in ((here, room.room), (there, other_room)):
            given = await board.post(f"{base}/duties", json={"room_id": str(where), "user_name": user_name})
            assert given.status_code == 200, given.text
    wanted = {"reason": "kiểm tra", "attempts": [last]}
    async with signed_in(house, here) as sits, signed_in(house, there) as planned:
        refused = await planned.post(f"{base}/lock", json={**wanted, "request_id": uuid4().hex})
        assert (refused.status_code, refused.json()["code"]) == (403, "not-allowed")
        locked = await sits.post(f"{base}/lock", json={**wanted, "request_id": (done := uuid4().hex)})
        assert (locked.status_code, locked.json()["changed"]) == (200, 1), locked.text
        back = {"request_id": uuid4().hex, "reason": "xong"}
        assert (await planned.post(f"{base}/acts/{done}/undo", json=back)).status_code == 403
        whole = {"reason": "kiểm tra", "room": str(room.room), "request_id": uuid4().hex}
        assert (await planned.post(f"{base}/pause", json=whole)).status_code == 403
        seats = (await sits.get(f"{base}/rooms/{room.room}/board")).json()["seats"]
        assert next(seat["is_locked"] for seat in seats if seat["attempt_id"] == last)
        assert (await sits.post(f"{base}/acts/{done}/undo", json=back)).status_code == 200
    async with house.staff("board") as board:
        for user_name, where in ((here, room.room), (there, other_room)):
            taken = await board.post(f"{base}/duties/take", json={"room_id": str(where), "user_name": user_name})
            assert taken.status_code == 200, taken.text


async def test_who_does_not_invigilate_is_given_no_room(house: House) -> None:
    room = await room_of(house, SITTING)
    async with house.staff("board") as board:
        path = f"/api/sittings/{room.sitting}/duties"
        answer = await board.post(path, json={"room_id": str(room.room), "user_name": "author"})
        assert (answer.status_code, answer.json()["code"]) == (409, "duty-refused")
        nobody = await board.post(path, json={"room_id": str(room.room), "user_name": "khong-ai-ca"})
        assert nobody.status_code == 404
        nowhere = await board.post(path, json={"room_id": str(uuid4()), "user_name": "invigilator"})
        assert (nowhere.status_code, nowhere.json()["code"]) == (404, "sitting-room-unknown")


async def test_who_has_no_room_is_told_whom_to_ask(house: House) -> None:
    room = await room_of(house, SITTING)
    async with transaction(house.engine.sessions) as session:
        board = await identity.load_person_named(session, "board", on=date(2027, 6, 1))
    async with signed_in(house, await invigilator_of(house, await new_unit(house))) as client:
        listing = await client.get("/staff/sittings", headers=HTML)
        assert listing.status_code == 200
        page = await client.get(f"/staff/sittings/{room.sitting}", headers=HTML)
        assert page.status_code == 403
        for answer in (listing, page):
            assert board.display_name in answer.text
            assert "Người phân công phòng thi" in answer.text


@pytest.mark.parametrize("size", [(1440, 900), (390, 844), (1024, 768)], ids=str)
async def test_the_page_gives_a_room_and_takes_it_back(house: House, browser: Browser, size: tuple[int, int]) -> None:
    room = await room_of(house, SITTING)
    async with transaction(house.engine.sessions) as session:
        exam = (await session.execute(text("select exam_id from room where id = :r"), {"r": room.room})).scalar_one()
        code = next(one.code for one in await enrolment.load_rooms(session, exam) if one.id == room.room)
    page = await open_staff_page(house, browser, f"/staff/sittings/{room.sitting}/duties", size)
    await page.select_option("#room", str(room.room))
    await page.select_option("#person", "invigilator")
    await page.click("main form.card button")
    row = page.locator("tbody tr", has=page.get_by_role("link", name=code, exact=True))
    await expect(row.locator(".badge--accent")).to_have_text("Giám thị")
    await require_sound(page, size[0])
    await row.get_by_role("button").click()
    await expect(row).to_contain_text("chưa có ai")
    await page.context.close()
