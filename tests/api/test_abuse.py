"""Somebody tries: each attempt is refused with the right problem, written down, and changes nothing."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any, get_args

import httpx
import msgspec
import pytest
import pytest_asyncio

from api.app import create_app
from api.hot import HotRoutes, create_server
from exam_engine.delivery.register import Held, Register
from exam_engine.delivery.wire import EventKind
from exam_engine.enrolment.codes import sit_code
from exam_engine.infra.clock import system_clock
from exam_engine.infra.redis_client import Durability, ScriptRunner
from tests.api.conftest import House, Serving, free_port
from tests.exam_engine.delivery.halls import Hall, open_hall, plan_hall, retire_all

IMPATIENT_SECONDS = 0.5


def impatient_server() -> HotRoutes:
    """The product's server, but for how long it waits for a body."""
    return create_server(idle_seconds=IMPATIENT_SECONDS)


class Scene:
    """An open sitting with two candidates who write, and one whose sitting has not begun."""

    def __init__(self, house: House, register: Register, hall: Hall, later: Hall) -> None:
        self.house, self.register, self.hall, self.later = house, register, hall, later

    @asynccontextmanager
    async def seat(self, hall: Hall, position: int, url: str = "") -> AsyncIterator[httpx.AsyncClient]:
        number = hall.numbers[position]
        claim = {"exam": hall.exam_code, "candidate_number": number,
                 "code": sit_code(self.house.engine.master_secret, hall.exam_code, number, 1)}  # fmt: skip
        async with httpx.AsyncClient(base_url=url or self.house.url, timeout=60) as client:
            answer = await client.post("/api/candidate/sign-in", json=claim)
            assert answer.status_code == 200, answer.text
            client.headers["Authorization"] = f"Bearer {answer.json()['token']}"
            yield client

    def path(self, what: str, position: int = 0, hall: Hall | None = None) -> str:
        return f"/api/attempts/{(hall or self.hall).attempt(position)}/{what}"

    async def held(self) -> list[Held]:
        """All that decides and counts: facts and answers of everybody; signs of life and evidence do neither."""
        everybody = [(hall, position) for hall in (self.hall, self.later) for position in range(len(hall.seats))]
        return [
            msgspec.structs.replace(await self.register.look(hall.place(position), "r"), seen_ms=0, noticed={})
            for hall, position in everybody
        ]

    def log_since(self, size: int) -> str:
        return self.house.log.read_text("utf-8", errors="replace")[size:]

    @asynccontextmanager
    async def refused(self, code: str | None) -> AsyncIterator[list[httpx.Response]]:
        """Whatever is answered inside changes nothing, and each answer is this problem, written down (None: not)."""
        before, size = await self.held(), len(self.house.log.read_text("utf-8", errors="replace"))
        answers: list[httpx.Response] = []
        yield answers
        assert await self.held() == before
        if code is None:
            return
        for answer in answers:
            assert answer.json()["code"] == code, answer.text
            assert answer.headers["content-type"] == "application/problem+json"
        logged = self.log_since(size)
        assert logged.count("request_refused") >= len(answers), logged
        assert code in logged


@pytest_asyncio.fixture
async def scene(house: House, fresh_limits: None) -> AsyncIterator[Scene]:
    runner = ScriptRunner(house.engine.redis, Durability(waits_for_aof=False))
    register = Register(runner)
    sessions, now = house.engine.sessions, system_clock()
    halls = []
    for starts_at in (now - timedelta(minutes=1), now + timedelta(hours=2)):
        hall = await plan_hall(sessions, candidates=2, starts_at=starts_at)
        halls.append(await open_hall(sessions, register, hall, now))
    made = Scene(house, register, *halls)
    for position in (0, 1):
        async with made.seat(made.hall, position) as seat:
            started = await seat.post(made.path("start", position), json={"client_id": f"pc{position}.a"})
            assert started.status_code == 200, started.text
            kept = await seat.post(made.path("responses", position), json=save(1, answer(1, 5, "A")))
            assert kept.status_code == 200, kept.text
    yield made
    await register.close()
    await retire_all(sessions, *halls)


def answer(slot: int, sequence: int, value: Any) -> dict[str, Any]:
    return {"slot": slot, "sequence": sequence, "value": value, "client_time_ms": 0}


def save(lease: int, *answers: dict[str, Any]) -> dict[str, Any]:
    return {"lease": lease, "responses": list(answers)}


async def test_a_forged_token_opens_nothing(scene: Scene) -> None:
    async with scene.seat(scene.hall, 0) as seat:
        token = seat.headers["Authorization"]
        async with scene.seat(scene.hall, 1) as other:
            theirs = other.headers["Authorization"]
        # The other's identity under one's own seal, a changed letter, a cut, an empty and a foreign token.
        forged = [theirs[:-22] + token[-22:], token[:-1] + ("A" if token[-1] != "A" else "B"), token[:40], "Bearer x"]
        async with scene.refused("sign-in-needed") as answers:
            for header in forged:
                seat.headers["Authorization"] = header
                answers.append(await seat.post(scene.path("responses"), json=save(1, answer(1, 6, "B"))))
                answers.append(await seat.get(scene.path("time")))
        assert {one.status_code for one in answers} == {401}
        assert not any(header[7:] in scene.log_since(0) for header in (token, theirs))


async def test_another_candidates_paper_is_refused_on_every_route(scene: Scene) -> None:
    async with scene.seat(scene.hall, 1) as seat, scene.refused("not-yours") as answers:
        answers.append(await seat.post(scene.path("start"), json={"client_id": "pc1.a"}))
        answers.append(await seat.post(scene.path("responses"), json=save(1, answer(1, 6, "B"))))
        answers.append(await seat.post(scene.path("submission"), json={"lease": 1, "sequences": {}}))
        answers.append(
            await seat.post(scene.path("events"), json={"events": [{"kind": "offline", "client_time_ms": 0}]})
        )
        answers.append(await seat.get(scene.path("time")))
        answers.append(await seat.get(scene.path("receipt")))
        answers.append(await seat.get(scene.path("sealed-start")))
        answers.append(await seat.post(scene.path("safe-browser"), json={}))
    assert {one.status_code for one in answers} == {403}
    paths = [route.path for route in create_app(scene.house.settings).routes]
    ours = {path.rpartition("/")[2] for path in paths if path.startswith("/api/attempts/")}
    assert {one.request.url.path.rpartition("/")[2] for one in answers} == ours


async def test_a_paper_of_a_sitting_somebody_else_sits_is_fetched_by_nobody(scene: Scene) -> None:
    async with scene.seat(scene.later, 0) as waiting:
        listed = (await waiting.get("/api/candidate/attempts")).json()["attempts"][0]["sealed_hash"]
        assert listed
        # The own form, whose attempt has not begun, is not given out either.
        early = await waiting.get(f"/api/forms/{scene.later.form_hash}")
        assert (early.status_code, early.json()["code"]) == (404, "form-unknown")
    async with scene.seat(scene.hall, 0) as seat:
        sealed = await seat.get(f"/api/papers/{listed}")
        assert (sealed.status_code, sealed.json()["code"]) == (404, "sealed-paper-unknown")
        assert (await seat.get(f"/api/forms/{scene.hall.form_hash}")).status_code == 200
        unknown = await seat.get(f"/api/forms/{'0' * 64}")
        assert (unknown.status_code, unknown.json()["code"]) == (404, "form-unknown")


async def test_a_seat_tells_what_pages_tell_and_nothing_in_the_servers_name(scene: Scene) -> None:
    page = (Path(__file__).parents[2] / "proctor_client/src/shared/api.ts").read_text("utf-8")
    kinds = re.findall(r"'([a-z_]+)'", page.partition("export type EventKind =")[2].partition("export")[0])
    assert set(kinds) == set(get_args(EventKind))
    long = {"kind": "offline", "client_time_ms": 0, "detail": {"why": "x" * 201}}
    many = {"kind": "offline", "client_time_ms": 0, "detail": {f"d{number}": 0 for number in range(9)}}
    named = {"kind": "offline", "client_time_ms": 0, "detail": {"n" * 41: 0}}
    made_up = [{"kind": kind, "client_time_ms": 0} for kind in ("seb_checked", "seb_check_failed", "resumed", "kind_a")]
    async with scene.seat(scene.hall, 0) as seat:
        async with scene.refused("request-invalid") as answers:
            for event in (*made_up, long, many, named):
                answers.append(await seat.post(scene.path("events"), json={"events": [event]}))
        for kind in kinds:
            told = {"events": [{"kind": kind, "client_time_ms": 0}]}
            assert (await seat.post(scene.path("events"), json=told)).status_code == 202
    held = await scene.register.look(scene.hall.place())
    assert set(held.noticed) == set(kinds)


async def test_a_replayed_save_changes_nothing_however_often_it_comes(scene: Scene) -> None:
    async with scene.seat(scene.hall, 0) as seat:
        old, new = save(1, answer(1, 6, "B")), save(1, answer(1, 7, "C"))
        for body in (old, new):
            assert (await seat.post(scene.path("responses"), json=body)).status_code == 200
        async with scene.refused(None):
            for _ in range(3):
                again = await seat.post(scene.path("responses"), json=old)
                # An acknowledgement of what is held: the newest answer, not the one replayed.
                assert (again.status_code, again.json()["saved"]) == (200, [{"slot": 1, "sequence": 7}])
        assert (await seat.post(scene.path("submission"), json={"lease": 1, "sequences": {"1": 7}})).status_code == 200
        async with scene.refused(None):
            closed = await seat.post(scene.path("responses"), json=save(1, answer(1, 9, "D")))
            assert (closed.status_code, closed.json()["code"]) == (409, "attempt-closed")


async def test_an_item_that_is_not_in_the_paper_takes_no_answer_and_neither_does_its_body(scene: Scene) -> None:
    async with scene.seat(scene.hall, 0) as seat, scene.refused("unknown-slot") as answers:
        for slot in (13, 9999):
            answers.append(
                await seat.post(scene.path("responses"), json=save(1, answer(2, 8, "B"), answer(slot, 9, "B")))
            )
        answers.append(await seat.post(scene.path("submission"), json={"lease": 1, "sequences": {"13": 1}}))
    assert {one.status_code for one in answers} == {422}


@pytest.mark.parametrize(
    ("slot", "value"), [(1, "E"), (1, ["A"]), (9, {"a": True, "z": True}), (12, ["A", "B", "C"]), (10, "12345")]
)
async def test_an_option_that_is_not_in_the_item_is_no_answer(scene: Scene, slot: int, value: Any) -> None:
    async with scene.seat(scene.hall, 0) as seat, scene.refused("response-invalid") as answers:
        answers.append(
            await seat.post(scene.path("responses"), json=save(1, answer(2, 8, "B"), answer(slot, 9, value)))
        )
    assert answers[0].status_code == 422


async def test_nobody_starts_before_the_time(scene: Scene) -> None:
    async with scene.seat(scene.later, 0) as seat:
        async with scene.refused("sitting-not-started") as answers:
            for client in ("pc.a", "pc.b"):
                path = scene.path("start", 0, scene.later)
                answers.append(await seat.post(path, json={"client_id": client}))
        assert {one.status_code for one in answers} == {409}
        async with scene.refused(None):
            body = save(1, answer(1, 1, "A"))
            assert (await seat.post(scene.path("responses", 0, scene.later), json=body)).json()["code"] == "not-started"
            assert (await seat.get(f"/api/forms/{scene.later.form_hash}")).status_code in (403, 404)


async def test_a_body_of_a_megabyte_is_refused_unread(scene: Scene) -> None:
    huge = json.dumps(save(1, answer(11, 9, "x" * 1_050_000))).encode()
    async with scene.seat(scene.hall, 0) as seat, scene.refused("too-large") as answers:
        for path in ("responses", "submission", "events", "start"):
            headers = {"Content-Type": "application/json"}
            answers.append(await seat.post(scene.path(path), content=huge, headers=headers))

        async def pieces() -> AsyncIterator[bytes]:  # without a length told beforehand
            for first in range(0, len(huge), 65_536):
                yield huge[first : first + 65_536]

        answers.append(await seat.post(scene.path("responses"), content=pieces(), headers=headers))
    assert {one.status_code for one in answers} == {413}


async def test_a_length_of_thousands_of_digits_is_refused(scene: Scene) -> None:
    whole = json.dumps(save(1, answer(2, 9, "B"))).encode()
    async with scene.seat(scene.hall, 0) as seat, scene.refused(None):
        for path in (scene.path("responses"), "/api/candidate/sign-in"):
            head = (
                f"POST {path} HTTP/1.1\r\nHost: seat\r\nContent-Type: application/json\r\n"
                f"Authorization: {seat.headers['Authorization']}\r\nContent-Length: {len(whole):05000d}\r\n\r\n"
            )
            reader, writer = await asyncio.open_connection("127.0.0.1", scene.house.settings.http_port)
            writer.write(head.encode() + whole)
            async with asyncio.timeout(30):
                assert b" 400 " in await reader.readline()
            writer.close()


async def test_a_body_that_trickles_is_given_up_and_nobody_waits_for_it(scene: Scene, tmp_path: Path) -> None:
    own = msgspec.structs.replace(scene.house.settings, http_port=free_port())
    log = tmp_path / "impatient.log"
    whole = json.dumps(save(1, answer(2, 9, "B"))).encode()
    with Serving(own, log, factory="tests.api.test_abuse:impatient_server"):
        async with scene.seat(scene.hall, 0, own.base_url) as seat, scene.refused(None):
            head = (
                f"POST {scene.path('responses')} HTTP/1.1\r\nHost: seat\r\nContent-Type: application/json\r\n"
                f"Authorization: {seat.headers['Authorization']}\r\nContent-Length: {len(whole)}\r\n\r\n"
            )
            reader, writer = await asyncio.open_connection("127.0.0.1", own.http_port)
            writer.write(head.encode() + whole[:10])
            async with asyncio.timeout(30):
                status = await reader.readline()
                # Meanwhile an honest seat is served.
                assert (await seat.get(scene.path("time"))).status_code == 200
            writer.close()
            assert b" 408 " in status
        assert "request-timeout" in log.read_text("utf-8", errors="replace")
