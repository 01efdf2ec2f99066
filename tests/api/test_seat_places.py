"""A candidate sits elsewhere: the new room's invigilator has them, the old room's sends and takes back, nobody else."""

import asyncio
from uuid import UUID, uuid4

import httpx
from sqlalchemy import text

from exam_engine.infra.database import transaction
from tests.api.conftest import House, sign_in
from tests.api.rooms import Room, room_of
from tests.api.test_duties import PASSWORD, SITTING, invigilator_of, move_room, new_unit


async def spare_room(house: House, room: Room, unit: str) -> UUID:
    """A room of the exam in which nobody was to sit, at a site of its own."""
    spare = uuid4()
    async with transaction(house.engine.sessions) as session:
        await session.execute(
            text("insert into room (id, exam_id, code, capacity) select :id, exam_id, :c, 3 from room where id = :r"),
            {"id": spare, "c": f"DP-{spare.hex[:4]}", "r": room.room},
        )
    await move_room(house, spare, unit)
    return spare


async def _sits(client: httpx.AsyncClient, sitting: UUID, room: UUID, attempt: UUID) -> bool:
    board = await client.get(f"/api/sittings/{sitting}/rooms/{room}/board")
    assert board.status_code == 200, board.text
    return str(attempt) in {seat["attempt_id"] for seat in board.json()["seats"]}


async def test_the_room_where_a_candidate_sits_has_them_and_rights_follow(house: House) -> None:
    room = await room_of(house, SITTING)
    attempt, unit = room.seats[9], await new_unit(house)
    spare = await spare_room(house, room, unit)
    there = await invigilator_of(house, unit)
    base = f"/api/sittings/{room.sitting}"
    lock = {"reason": "kiểm tra", "attempts": [str(attempt)]}
    move = {"request_id": "places-1", "reason": "máy hỏng", "room": str(spare), "seat": 2}
    async with house.staff("invigilator") as here, house.browser() as other:
        await sign_in(other, there, PASSWORD)
        pulled = await other.post(f"{base}/attempts/{attempt}/move", json=move)
        assert (pulled.status_code, pulled.json()["code"]) == (403, "not-allowed")
        assert (await other.get(f"{base}/free-seats")).status_code == 403
        assert {"room_id": str(spare), "seats": [1, 2, 3]}.items() <= next(
            free for free in (await here.get(f"{base}/free-seats")).json() if free["room_id"] == str(spare)
        ).items()
        assert not await _sits(other, room.sitting, spare, attempt)
        moved = await here.post(f"{base}/attempts/{attempt}/move", json=move)
        assert moved.status_code == 200, moved.text
        while not await _sits(other, room.sitting, spare, attempt):  # the worker reads it within a second
            await asyncio.sleep(0)
        assert not await _sits(here, room.sitting, room.room, attempt)
        listed = [sitting["id"] for sitting in (await other.get("/api/sittings")).json()]
        assert str(room.sitting) in listed
        locked = await other.post(f"{base}/lock", json={"request_id": "places-2", **lock})
        assert locked.status_code == 200, locked.text
        assert (await other.post(f"{base}/unlock", json={"request_id": "places-3", **lock})).status_code == 200
        taken = await here.post(f"{base}/attempts/{room.seats[8]}/move", json={**move, "request_id": "places-4"})
        assert (taken.status_code, taken.json()["code"]) == (409, "seat-taken")
        back = await here.post(f"{base}/acts/places-1/undo", json={"request_id": "places-5", "reason": "nhầm"})
        assert back.status_code == 200, back.text
        while not await _sits(here, room.sitting, room.room, attempt):
            await asyncio.sleep(0)
