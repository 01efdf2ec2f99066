"""Values nobody sends by mistake: refused or kept whole, never a server error, and never half done."""

import asyncio
import json
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import httpx
import pytest

from tests.api.conftest import House

NUL, SURROGATE = "a\x00b", "\ud800"
TEXTS = [NUL, SURROGATE, "\u202e", "'; drop table item; --", "%", "_", "\\", "x" * 5000, "{{7*7}}", "\ufffe", "é" * 300]
NUMBERS = [-1, 0, 2**31, 2**53, 2**63, 2**64, 10**40, -(2**63) - 1, 1.5, True, None, "1", [], {}]


def encoded(body: Any) -> bytes:
    """JSON as a hostile client writes it: lone surrogates and NUL travel as escapes."""
    return json.dumps(body, ensure_ascii=True).encode()


async def post(client: httpx.AsyncClient, path: str, body: Any) -> httpx.Response:
    return await client.post(path, content=encoded(body), headers={"Content-Type": "application/json"})


def assert_refused_or_done(answer: httpx.Response) -> None:
    assert answer.status_code < 500, f"{answer.request.method} {answer.request.url}: {answer.text}"
    if answer.status_code >= 400:
        assert answer.headers["content-type"].startswith("application/problem+json"), answer.text
        assert {"type", "title", "status", "code"} <= set(answer.json())


@pytest.mark.usefixtures("fresh_limits")
@pytest.mark.parametrize("path", ["/api/candidate/sign-in", "/api/results/look-up", "/api/admission/look-up"])
async def test_the_public_doors_survive_any_text(visitor: httpx.AsyncClient, path: str) -> None:
    card = {"exam": "lam-quen-2027", "candidate_number": "31000001", "code": "7KQ2-M4XV-0ZHT"}
    for field in card:
        for value in (*TEXTS, *NUMBERS):
            assert_refused_or_done(await post(visitor, path, {**card, field: value}))


async def test_the_sign_in_of_staff_survives_any_text(house: House, visitor: httpx.AsyncClient) -> None:
    await visitor.get("/api/announcements")
    visitor.headers["x-csrftoken"] = visitor.cookies["csrftoken"]
    for value in (NUL, SURROGATE, "x" * 5000, 5, None):
        assert_refused_or_done(await post(visitor, "/api/staff/sign-in", {"user_name": value, "password": "secret-12"}))
        assert_refused_or_done(
            await post(visitor, "/api/staff/sign-in", {"user_name": f"n{uuid4().hex}", "password": value})
        )


async def test_a_seat_may_send_any_answer_and_event(house: House) -> None:
    async with house.seat("lam-quen-2027", 6) as seat:
        attempt = (await seat.get("/api/candidate/attempts")).json()["attempts"][0]["attempt_id"]
        for value in (*TEXTS, *NUMBERS):
            assert_refused_or_done(await post(seat, f"/api/attempts/{attempt}/start", {"client_id": value}))
        lease = (await post(seat, f"/api/attempts/{attempt}/start", {"client_id": "hostile"})).json()["lease"]
        form = (await seat.get("/api/candidate/attempts")).json()
        assert form["attempts"][0]["state"] == "running"
        sequence = 0
        for value in (*TEXTS, *NUMBERS, {"a": True, "z": False}, ["A", "A"], ["A"] * 500, {NUL: True}):
            for slot in (1, 5, 6, 7, 8):
                sequence += 1
                response = {"slot": slot, "sequence": sequence, "value": value, "client_time_ms": 0}
                assert_refused_or_done(
                    await post(seat, f"/api/attempts/{attempt}/responses", {"lease": lease, "responses": [response]})
                )
        for number in NUMBERS:
            response = {"slot": number, "sequence": number, "value": None, "client_time_ms": number}
            body = {"lease": lease, "responses": [response], "after": number}
            assert_refused_or_done(await post(seat, f"/api/attempts/{attempt}/responses", body))
            assert_refused_or_done(
                await post(seat, f"/api/attempts/{attempt}/submission", {"lease": lease, "sequences": {"1": number}})
            )
            assert_refused_or_done(await seat.get(f"/api/attempts/{attempt}/time", params={"after": str(number)}))
        for text in TEXTS:
            for event in ({"kind": text, "detail": {}}, {"kind": "noise", "detail": {text: text}}):
                body = {"events": [{**event, "client_time_ms": 1}]}
                assert_refused_or_done(await post(seat, f"/api/attempts/{attempt}/events", body))


@pytest.mark.parametrize("value", [*TEXTS, *NUMBERS], ids=lambda value: ascii(value)[:20])
async def test_staff_may_send_any_text(house: House, value: Any) -> None:
    sitting, room = uuid4(), uuid4()
    async with house.staff("board") as board:
        known = (await board.get("/api/sittings", params={"exam": "lam-quen-2027"})).json()[0]["id"]
        calls = [
            post(board, "/api/exams", exam_plan(code=value)),
            post(board, "/api/exams", exam_plan(name=value)),
            post(board, "/api/exams", exam_plan(year=value)),
            post(board, "/api/exams", exam_plan(unit=value)),
            post(board, "/api/exams", exam_plan(results_release_at=value)),
            post(board, "/api/exams/lam-quen-2027/numbers", {"prefix": value}),
            post(board, "/api/exams/lam-quen-2027/seats", {"room_prefix": value}),
            post(board, "/api/exams/lam-quen-2027/seats", {"capacity": value, "subject_codes": ["NO"]}),
            post(board, "/api/exams/lam-quen-2027/seats", {"subject_codes": [value]}),
            post(board, "/api/exams/lam-quen-2027/score-runs", {"reason": value, "sittings": [str(sitting)]}),
            post(board, "/api/exams/lam-quen-2027/graduation-runs", {"rule_set": value}),
            post(board, "/api/exams/lam-quen-2027/releases", {"release_at": value}),
            post(board, f"/api/sittings/{known}/messages", {"text": value, "room_id": str(room)}),
            post(board, f"/api/sittings/{known}/extend", {"seconds": value, "reason": "x", "room_id": str(room)}),
            post(board, f"/api/sittings/{known}/extend", {"seconds": 1, "reason": value, "room_id": str(room)}),
        ]
        text = as_text(value)
        for path in ("/api/exams", "/api/exams/lam-quen-2027/candidates", "/api/sittings"):
            calls += [board.get(path, params={name: text}) for name in ("q", "page", "sort", "exam")]
        if NUL not in text:  # this client sends no such address
            calls.append(board.get(f"/api/exams/{quote(text, safe='')}"))
        for answer in await asyncio.gather(*calls):
            assert_refused_or_done(answer)


@pytest.mark.parametrize("value", [*TEXTS, *NUMBERS], ids=lambda value: ascii(value)[:20])
async def test_authors_and_developers_may_send_any_text(house: House, value: Any) -> None:
    cells = {"code": f"H-{uuid4().hex[:8]}", "kind": "essay", "stem": "Viết", "key": "Nội dung: 1,0"}
    async with house.staff("author") as author:
        columns = ("code", "kind", "topic", "level", "stimulus", "stem", "key", "max_words", "figure", "explanation")
        calls = [post(author, "/api/items", {"bank": "lam-quen", "cells": {**cells, name: value}}) for name in columns]
        calls.append(post(author, "/api/items", {"bank": value, "cells": cells}))
        text = as_text(value)
        calls += [author.get("/api/items", params={name: text}) for name in ("bank", "q", "topic", "page", "state")]
        for answer in await asyncio.gather(*calls):
            assert_refused_or_done(answer)
    async with house.staff("developer") as developer:
        order = {"blueprint": "lam-quen", "code": f"F{uuid4().hex[:8]}", "paper_codes": 1, "seed": 1}
        forms = (await developer.get("/api/staff/forms")).json()
        for name in order:
            assert_refused_or_done(await post(developer, "/api/staff/forms", {**order, name: value}))
        text = as_text(value)
        assert_refused_or_done(await developer.get(f"/api/staff/forms/{forms[0]['id']}/key", params={"version": text}))


def as_text(value: Any) -> str:
    """What can stand in an address; a lone surrogate has no bytes, so its nearest is sent."""
    return "\ufffd" if value == SURROGATE else str(value)


def exam_plan(**changed: Any) -> dict[str, Any]:
    return {"code": f"x-{uuid4().hex[:10]}", "name": "X", "unit": "31", "year": 2027, "kind": "practice"} | changed


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        pytest.param(b"", "application/json", id="empty"),
        pytest.param(b"{", "application/json", id="broken off"),
        pytest.param(b"\xff\xfe", "application/json", id="not UTF-8"),
        pytest.param(b"[" * 100_000, "application/json", id="deep"),
        pytest.param(b'{"a":' * 50_000 + b"1" + b"}" * 50_000, "application/json", id="deep and closed"),
        pytest.param(b"null", "application/json", id="null"),
        pytest.param(b"exam=1", "application/x-www-form-urlencoded", id="a form"),
        pytest.param(b"<a/>", "text/xml", id="XML"),
        pytest.param(b"x", "multipart/form-data", id="multipart without boundary"),
        pytest.param(b'{"exam":1e999}', "application/json", id="infinite"),
        pytest.param(b"{}", "application/json; charset=nonsense", id="unknown charset"),
        pytest.param(b"{}", "nonsense", id="no media type"),
    ],
)
@pytest.mark.parametrize("path", ["/api/results/look-up", "/api/staff/sign-in", "/api/exams/lam-quen-2027/candidates"])
async def test_a_body_that_is_none_is_refused(house: House, path: str, body: bytes, content_type: str) -> None:
    async with house.staff("board") as board:
        answer = await board.post(path, content=body, headers={"Content-Type": content_type})
    assert 400 <= answer.status_code < 500, answer.text
    assert_refused_or_done(answer)
