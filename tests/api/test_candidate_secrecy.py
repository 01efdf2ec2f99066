"""Nothing a candidate is sent before, during or after a paper holds a key, and no paper comes before its start."""

import re
from collections.abc import Iterator
from typing import Any

import httpx
import msgspec
from sqlalchemy import text

from exam_engine.assembly import service as assembly
from exam_engine.assembly.model import FormId
from exam_engine.infra.database import transaction
from tests.api.conftest import House

FORBIDDEN = {
    *("key", "keys", "answer_key", "correct", "accepted", "rubric", "criteria", "explanation", "rule", "compare"),
    *("points", "credit", "score", "level", "topic", "facility", "statements_key", "option_order", "seed"),
}


def names_in(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for name, inner in value.items():
            yield str(name)
            yield from names_in(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from names_in(inner)


async def secret_texts(house: House, form_code: str) -> set[str]:
    """Explanations and rubrics of a form: words that stand nowhere but in its keys."""
    async with transaction(house.engine.sessions) as session:
        form = await assembly.load_form_coded(session, form_code)
        items = await assembly.load_items(session, FormId(form.id))
    found: set[str] = set()
    for item in items.values():
        if item.explanation:
            found.add(re.sub(r"<[^>]+>", "", item.explanation)[:40])
        key = msgspec.to_builtins(item.key)
        found |= {criterion["title"] for criterion in key.get("criteria", ())}
    return {words for words in found if len(words) > 5}


class Walk:
    """Every answer a seat was given."""

    def __init__(self, seat: httpx.AsyncClient) -> None:
        self.seat, self.answers = seat, list[httpx.Response]()

    async def get(self, path: str) -> httpx.Response:
        self.answers.append(await self.seat.get(path))
        return self.answers[-1]

    async def post(self, path: str, body: Any) -> httpx.Response:
        self.answers.append(await self.seat.post(path, json=body))
        return self.answers[-1]


async def test_no_answer_of_a_whole_paper_holds_a_key(house: House) -> None:
    hidden = await secret_texts(house, "LQ-2027")
    assert hidden
    async with house.seat("lam-quen-2027", 2) as seat:
        walk = Walk(seat)
        attempt = (await walk.get("/api/candidate/attempts")).json()["attempts"][0]["attempt_id"]
        form_hash = await hash_of(house, "LQ-2027")

        # Before the start
        before = await walk.get(f"/api/forms/{form_hash}")
        assert before.status_code in (403, 404), before.text
        for path in ("responses", "submission"):
            body = (
                {"lease": 1, "responses": [answer_to(1, 1)]} if path == "responses" else {"lease": 1, "sequences": {}}
            )
            assert (await walk.post(f"/api/attempts/{attempt}/{path}", body)).status_code == 409
        await walk.get(f"/api/attempts/{attempt}/time")

        # During it
        started = (await walk.post(f"/api/attempts/{attempt}/start", {"client_id": "walk"})).json()
        blob = await walk.get(f"/api/forms/{form_hash}")
        assert blob.status_code == 200
        assert len(blob.json()["items"]) == len(started["ordering"])
        lease = started["lease"]
        saved = {"lease": lease, "responses": [answer_to(1, 1)]}
        assert (await walk.post(f"/api/attempts/{attempt}/responses", saved)).status_code == 200
        wrong = {"lease": lease, "responses": [answer_to(1, 2, ["no such option"])]}
        assert (await walk.post(f"/api/attempts/{attempt}/responses", wrong)).status_code == 422
        assert (
            await walk.post(f"/api/attempts/{attempt}/submission", {"lease": lease, "sequences": {"1": 9}})
        ).status_code == 409
        event = {"kind": "focus_lost", "client_time_ms": 0, "detail": {}}
        await walk.post(f"/api/attempts/{attempt}/events", {"events": [event]})

        # After it
        assert (
            await walk.post(f"/api/attempts/{attempt}/submission", {"lease": lease, "sequences": {"1": 1}})
        ).status_code == 200
        for path in ("/api/candidate/attempts", f"/api/attempts/{attempt}/time", f"/api/forms/{form_hash}"):
            await walk.get(path)
        assert (await walk.post(f"/api/attempts/{attempt}/responses", saved)).status_code == 409
        await walk.post(f"/api/attempts/{attempt}/start", {"client_id": "walk"})

    for answer in walk.answers:
        where = f"{answer.request.method} {answer.request.url.path} {answer.status_code}"
        if answer.content:
            assert not FORBIDDEN & set(names_in(answer.json())), where
        assert not [words for words in hidden if words in answer.text], where


async def test_a_paper_is_only_for_who_started_it(house: House) -> None:
    form_hash = await hash_of(house, "TOAN-2027-TT1")
    async with house.seat("lam-quen-2027", 1) as seat:
        for wanted in (form_hash, "0" * 64):
            assert (await seat.get(f"/api/forms/{wanted}")).status_code in (403, 404)
    async with house.browser() as nobody:
        assert (await nobody.get(f"/api/forms/{form_hash}")).status_code == 401


async def test_a_candidate_reaches_no_paper_of_another(house: House) -> None:
    async with house.seat("lam-quen-2027", 1) as one, house.seat("lam-quen-2027", 0) as other:
        theirs = (await other.get("/api/candidate/attempts")).json()["attempts"][0]["attempt_id"]
        calls = [
            await one.post(f"/api/attempts/{theirs}/start", json={"client_id": "x"}),
            await one.post(f"/api/attempts/{theirs}/responses", json={"lease": 1, "responses": [answer_to(1, 1)]}),
            await one.post(f"/api/attempts/{theirs}/submission", json={"lease": 1, "sequences": {}}),
            await one.get(f"/api/attempts/{theirs}/time"),
        ]
        assert {answer.status_code for answer in calls} <= {403, 404}


async def test_a_token_of_a_candidate_opens_no_door_of_staff(house: House) -> None:
    async with house.seat("lam-quen-2027", 1) as seat:
        for path in ("/api/items", "/api/staff/forms", "/api/exams", "/api/sittings", "/api/staff/me"):
            assert (await seat.get(path)).status_code == 401


def answer_to(slot: int, sequence: int, value: Any = None) -> dict[str, Any]:
    return {"slot": slot, "sequence": sequence, "value": value, "client_time_ms": 0}


async def hash_of(house: House, form_code: str) -> str:
    query = "select c.hash from compiled_form c join form f on f.id = c.form_id where f.code = :code"
    async with transaction(house.engine.sessions) as session:
        return str(await session.scalar(text(query), {"code": form_code}))
