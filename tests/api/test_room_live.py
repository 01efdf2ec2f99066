"""The live board over HTTP: who may watch, what arrives, how a browser resumes, how a worker stops."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import msgspec
import pytest

from tests.api.conftest import BEGINNERS, House, Serving, free_port, sign_in
from tests.api.rooms import Room, practice_room


class Event(msgspec.Struct, frozen=True):
    """One event of the stream."""

    name: str
    id: str
    data: Any


async def events(answer: httpx.Response) -> AsyncIterator[Event]:
    name, held, data = "", "", ""
    async for line in answer.aiter_lines():
        field, _, value = line.partition(": ")
        if field == "event":
            name = value
        elif field == "id":
            held = value
        elif field == "data":
            data = value
        elif not line and name:
            yield Event(name, held, msgspec.json.decode(data))
            name = data = ""


@asynccontextmanager
async def watching(client: httpx.AsyncClient, room: Room, **headers: str) -> AsyncIterator[AsyncIterator[Event]]:
    async with client.stream("GET", f"{room.path}/events", headers=headers) as answer:
        assert answer.status_code == 200, await answer.aread()
        assert answer.headers["content-type"].startswith("text/event-stream")
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["x-accel-buffering"] == "no"
        yield events(answer)


async def next_state(stream: AsyncIterator[Event]) -> Event:
    async with asyncio.timeout(30):
        async for event in stream:
            if event.name != "beat":
                return event
    raise AssertionError("the stream ended")


async def next_seat(stream: AsyncIterator[Event], attempt: str) -> dict[str, Any]:
    while True:
        for seat in (await next_state(stream)).data["seats"]:
            if seat["attempt_id"] == attempt:
                found: dict[str, Any] = seat
                return found


async def test_a_board_starts_whole_and_goes_on_with_what_changed(house: House) -> None:
    room = await practice_room(house)
    async with house.staff("invigilator") as client, watching(client, room) as stream:
        first = await next_state(stream)
        assert (first.name, first.data["room"]["code"]) == ("room", "M001")
        assert len(first.data["seats"]) == BEGINNERS
        async with house.seat("lam-quen-2027", 11) as seat:
            attempt = (await seat.get("/api/candidate/attempts")).json()["attempts"][0]["attempt_id"]
            await seat.post(f"/api/attempts/{attempt}/start", json={"client_id": "pc.tab"})
            mine = await next_seat(stream, attempt)
            assert mine["state"] == "running"
            event = {"kind": "focus_lost", "client_time_ms": 0, "detail": {}}
            await seat.post(f"/api/attempts/{attempt}/events", json={"events": [event]})
            while "focus_lost" not in {flag["kind"] for flag in mine.get("flags", [])}:
                mine = await next_seat(stream, attempt)


async def test_a_browser_that_resumes_says_what_it_holds(house: House) -> None:
    room = await practice_room(house)
    async with house.staff("invigilator") as client:
        async with watching(client, room) as stream:
            held = (await next_state(stream)).id
        async with watching(client, room, **{"Last-Event-ID": held}) as stream:
            async with asyncio.timeout(30):
                news = await anext(stream)
            assert news.name in {"beat", "seats"}  # nothing, or what changed since: never the whole again
        async with watching(client, room, **{"Last-Event-ID": "another-worker-9"}) as stream:
            assert (await next_state(stream)).name == "room"


async def test_a_beat_tells_how_old_the_state_is(house: House) -> None:
    room = await practice_room(house)
    async with house.staff("invigilator") as client, watching(client, room) as stream, asyncio.timeout(30):
        async for event in stream:
            if event.name == "beat":
                assert 0 <= event.data["server_time_ms"] - event.data["read_ms"] < 3_000
                break


@pytest.mark.parametrize(
    ("user", "status"),
    [("author", 403), ("marker", 403), ("invigilator2", 403), ("board", 200), ("board2", 200)],
)
async def test_only_who_may_watch_that_room_is_let_in(house: House, user: str, status: int) -> None:
    room = await practice_room(house)
    async with house.staff(user) as client, client.stream("GET", f"{room.path}/events") as answer:
        assert answer.status_code == status
        if status != 200:
            await answer.aread()
            assert answer.headers["content-type"].startswith("application/problem+json")


async def test_nobody_signed_in_and_no_such_room_are_refused_as_elsewhere(house: House) -> None:
    room = await practice_room(house)
    async with house.browser() as visitor:
        assert (await visitor.get(f"{room.path}/events")).status_code == 401
    async with house.staff("board") as client:
        other = Room(room.sitting, uuid4(), room.seats)
        assert (await client.get(f"{other.path}/events")).json()["code"] == "sitting-room-unknown"
        nowhere = Room(uuid4(), room.room, room.seats)
        assert (await client.get(f"{nowhere.path}/events")).json()["code"] == "sitting-unknown"
        assert (await client.get(f"/api/sittings/{room.sitting}/rooms/not-a-room/events")).status_code == 404


async def test_a_worker_stops_though_somebody_watches(house: House, tmp_path: Path) -> None:
    own = msgspec.structs.replace(house.settings, http_port=free_port())
    room = await practice_room(house)
    server = Serving(own, tmp_path / "api.log")
    server.__enter__()
    async with httpx.AsyncClient(base_url=own.base_url, timeout=60) as client:
        await sign_in(client, "invigilator")
        async with watching(client, room) as stream:
            await next_state(stream)
            # Raises if the process is still there after half a minute.
            await asyncio.to_thread(server.__exit__)
            async with asyncio.timeout(10):
                rest = [event.name async for event in stream]
    assert set(rest) <= {"beat", "seats", "room"}
    assert server.process.returncode == 0


async def test_many_watch_and_each_learns_every_state_or_a_newer_one(house: House) -> None:
    room = await practice_room(house)
    async with house.staff("board") as client:
        limits = httpx.Limits(max_connections=200)
        async with httpx.AsyncClient(
            base_url=house.url, timeout=60, limits=limits, cookies=client.cookies, headers=client.headers
        ) as crowd:
            heard: list[list[str]] = [[] for _ in range(80)]
            last = asyncio.Event()

            async def watch(mine: list[str]) -> None:
                async with watching(crowd, room) as stream:
                    async for event in stream:
                        if event.name != "beat":
                            mine.append(event.id)
                        if last.is_set() and mine and mine[-1] == newest():
                            return

            def newest() -> str:
                return max((ids[-1] for ids in heard if ids), key=lambda held: int(held.rpartition("-")[2]), default="")

            watchers = [asyncio.create_task(watch(mine)) for mine in heard]
            async with house.seat("lam-quen-2027", 12) as seat:
                attempt = UUID((await seat.get("/api/candidate/attempts")).json()["attempts"][0]["attempt_id"])
                for _ in range(4):
                    event = {"kind": "paste_blocked", "client_time_ms": 0, "detail": {}}
                    await seat.post(f"/api/attempts/{attempt}/events", json={"events": [event]})
                    known = newest()
                    async with asyncio.timeout(30):
                        while newest() == known:
                            await asyncio.sleep(0.05)
            last.set()
            async with asyncio.timeout(60):
                await asyncio.gather(*watchers)
    for ids in heard:
        counts = [int(held.rpartition("-")[2]) for held in ids]
        assert counts == sorted(set(counts)), "a state came twice or backwards"
        assert ids[-1] == newest()
