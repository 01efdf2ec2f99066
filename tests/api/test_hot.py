"""Both ways to a hot route answer alike: the dispatcher in front, and the framework behind it.

An unexpected query sends a request past the dispatcher, so the same server answers both ways.
"""

import json
import re
from typing import Any

import httpx
import pytest

from tests.api.conftest import House

EXAM = "lam-quen-2027"
POSITION = 7  # a seat no other test sits in
BEHIND = {"way": "behind"}
MOMENTS = ("server_time_ms",)


async def both_ways(
    seat: httpx.AsyncClient, method: str, path: str, **request: Any
) -> tuple[httpx.Response, httpx.Response]:
    return await seat.request(method, path, **request), await seat.request(method, path, params=BEHIND, **request)


def assert_alike(front: httpx.Response, behind: httpx.Response) -> None:
    assert front.status_code == behind.status_code, (front.text, behind.text)
    assert plain(front) == plain(behind)
    assert headers_of(front) == headers_of(behind)


def plain(answer: httpx.Response) -> Any:
    body = json.loads(answer.text.replace("?way=behind", ""))
    return {name: value for name, value in body.items() if name not in MOMENTS} if isinstance(body, dict) else body


def headers_of(answer: httpx.Response) -> dict[str, str]:
    return {name: value for name, value in answer.headers.items() if name not in ("date", "server", "content-length")}


def answer_to(slot: int, sequence: int, value: Any = None) -> dict[str, Any]:
    return {"slot": slot, "sequence": sequence, "value": value, "client_time_ms": 1}


@pytest.fixture
async def started(house: House) -> Any:
    async with house.seat(EXAM, POSITION) as seat:
        attempt = (await seat.get("/api/candidate/attempts")).json()["attempts"][0]["attempt_id"]
        envelope = (await seat.post(f"/api/attempts/{attempt}/start", json={"client_id": "parity.1"})).json()
        yield seat, attempt, envelope


async def test_saves_the_time_and_the_paper_are_alike_on_both_ways(started: Any) -> None:
    seat, attempt, envelope = started
    first = max([held["sequence"] for held in envelope["responses"]], default=0) + 1
    body = {"lease": envelope["lease"], "responses": [answer_to(1, first)]}
    assert_alike(*await both_ways(seat, "POST", f"/api/attempts/{attempt}/responses", json=body))
    assert_alike(*await both_ways(seat, "GET", f"/api/attempts/{attempt}/time"))
    for encodings in ("br", "gzip", "identity"):
        answers = await both_ways(
            seat, "GET", f"/api/forms/{envelope['form_hash']}", headers={"Accept-Encoding": encodings}
        )
        assert answers[0].content == answers[1].content
        assert_alike(*answers)


BAD_SAVES: dict[str, Any] = {
    "another lease": {"lease": 99, "responses": [answer_to(1, 10**6)]},
    "a slot that is not in the paper": {"lease": 1, "responses": [answer_to(999, 1)]},
    "an option that is not in the item": {"lease": 1, "responses": [answer_to(1, 10**6, "Z")]},
    "no answers": {"lease": 1, "responses": []},
    "a field too many": {"lease": 1, "responses": [answer_to(1, 1)], "score": 10},
    "a wrong type": {"lease": [], "responses": [answer_to(1, 1)]},
    "a sequence of nought": {"lease": 1, "responses": [answer_to(1, 0)]},
    "no object": 7,
}


@pytest.mark.parametrize("body", BAD_SAVES.values(), ids=BAD_SAVES)
@pytest.mark.parametrize("language", ["vi", "en"])
async def test_refused_saves_are_alike_on_both_ways(started: Any, body: Any, language: str) -> None:
    seat, attempt, _ = started
    path = f"/api/attempts/{attempt}/responses"
    front, behind = await both_ways(seat, "POST", path, json=body, headers={"Accept-Language": language})
    assert 400 <= front.status_code < 500
    assert front.headers["content-type"] == "application/problem+json"
    assert_alike(front, behind)


@pytest.mark.parametrize(
    ("content", "headers"),
    [
        pytest.param(b"{", {}, id="broken JSON"),
        pytest.param(b"\xff\xfe", {}, id="no text"),
        pytest.param(b"", {}, id="nothing"),
        pytest.param(b"{}", {"Content-Type": "text/plain"}, id="another kind of content"),
        pytest.param(b"[" * 5000, {}, id="nested beyond measure"),
    ],
)
async def test_unreadable_bodies_are_alike_on_both_ways(started: Any, content: bytes, headers: dict[str, str]) -> None:
    seat, attempt, _ = started
    sent = {"Content-Type": "application/json"} | headers
    front, behind = await both_ways(seat, "POST", f"/api/attempts/{attempt}/responses", content=content, headers=sent)
    assert 400 <= front.status_code < 500
    assert_alike(front, behind)


async def test_a_long_body_is_alike_on_both_ways(started: Any) -> None:
    seat, attempt, _ = started
    body = {"lease": 99, "responses": [answer_to(1, 1)], "after": 0}
    content = json.dumps(body).encode() + b" " * 100_000
    sent = {"Content-Type": "application/json"}
    front, behind = await both_ways(seat, "POST", f"/api/attempts/{attempt}/responses", content=content, headers=sent)
    assert front.status_code == 409
    assert_alike(front, behind)


BODIES: dict[str, Any] = {
    "responses": {"lease": 1, "responses": [answer_to(1, 1)]},
    "start": {"client_id": "parity.1"},
    "submission": {"lease": 1, "sequences": {}},
}

BAD_STARTS: dict[str, Any] = {
    "another client": {"client_id": "elsewhere.1"},
    "no client": {"client_id": ""},
    "a field too many": {"client_id": "parity.1", "score": 10},
    "a proof of nothing": {"client_id": "parity.1", "started_at_ms": 1, "proof": "x"},
    "no object": [],
}


@pytest.mark.parametrize("body", BAD_STARTS.values(), ids=BAD_STARTS)
async def test_other_starts_are_alike_on_both_ways(started: Any, body: Any) -> None:
    seat, attempt, _ = started
    front, behind = await both_ways(seat, "POST", f"/api/attempts/{attempt}/start", json=body)
    assert_alike(front, behind)


BAD_HAND_INS: dict[str, Any] = {
    "another lease": {"lease": 99, "sequences": {}},
    "more than the server holds": {"lease": 1, "sequences": {"1": 10**9}},
    "a slot that is not in the paper": {"lease": 1, "sequences": {"999": 1}},
    "a slot that is no number": {"lease": 1, "sequences": {"a": 1}},
    "nothing": {},
}


@pytest.mark.parametrize("body", BAD_HAND_INS.values(), ids=BAD_HAND_INS)
@pytest.mark.parametrize("language", ["vi", "en"])
async def test_refused_hand_ins_are_alike_on_both_ways(started: Any, body: Any, language: str) -> None:
    seat, attempt, _ = started
    path = f"/api/attempts/{attempt}/submission"
    front, behind = await both_ways(seat, "POST", path, json=body, headers={"Accept-Language": language})
    assert 400 <= front.status_code < 500
    assert_alike(front, behind)


async def test_a_paper_is_started_again_handed_in_and_acknowledged_alike_on_both_ways(house: House) -> None:
    async with house.seat(EXAM, POSITION + 1) as seat:
        attempt = (await seat.get("/api/candidate/attempts")).json()["attempts"][0]["attempt_id"]
        path = f"/api/attempts/{attempt}"
        assert_alike(*await both_ways(seat, "GET", f"{path}/receipt"))
        front, behind = await both_ways(seat, "POST", f"{path}/start", json={"client_id": "parity.1"})
        assert front.status_code == 200
        assert_alike(front, behind)
        lease = front.json()["lease"]
        await seat.post(f"{path}/responses", json={"lease": lease, "responses": [answer_to(1, 1, None)]})
        front, behind = await both_ways(
            seat, "POST", f"{path}/submission", json={"lease": lease, "sequences": {"1": 1}}
        )
        assert front.status_code == 200
        assert_alike(front, behind)
        for answer in await both_ways(seat, "GET", f"{path}/receipt"):
            assert answer.status_code == 200
            assert answer.json()["receipt"] == front.json()["receipt"]


async def test_cards_are_read_alike_on_both_ways(house: House, visitor: httpx.AsyncClient, fresh_limits: None) -> None:
    card = await house.card(EXAM, POSITION)
    path = "/api/candidate/sign-in"
    front, behind = await both_ways(visitor, "POST", path, json=card.claim(card.sit_code))
    assert front.status_code == behind.status_code == 200
    assert {**plain(front), "token": ""} == {**plain(behind), "token": ""}
    assert headers_of(front) == headers_of(behind)
    for claim in (card.claim("0000-0000-0000"), card.claim(""), card.claim(card.sit_code) | {"exam": "nowhere"}, {}):
        assert_alike(*await both_ways(visitor, "POST", path, json=claim))


@pytest.mark.parametrize("token", ["", "Bearer", "Bearer nonsense", "Basic abc", "Bearer " + "A" * 80])
@pytest.mark.parametrize("route", ["responses", "time", "form", "start", "submission", "receipt"])
async def test_strangers_are_refused_alike_on_both_ways(started: Any, token: str, route: str) -> None:
    seat, attempt, envelope = started
    method = "POST" if route in BODIES else "GET"
    path = f"/api/forms/{envelope['form_hash']}" if route == "form" else f"/api/attempts/{attempt}/{route}"
    request: dict[str, Any] = {"headers": {"Authorization": token}}
    if method == "POST":
        request["json"] = BODIES[route]
    front, behind = await both_ways(seat, method, path, **request)
    assert front.status_code == 401
    assert_alike(front, behind)


@pytest.mark.parametrize(
    "path",
    [
        "/api/attempts/00000000-0000-4000-8000-000000000000/time",
        "/api/attempts/not-an-id/time",
        "/api/attempts/zzzzzzzz-0000-4000-8000-000000000000/time",
        "/api/forms/" + "0" * 64,
        "/api/forms/0",
    ],
)
async def test_what_is_not_there_is_refused_alike_on_both_ways(started: Any, path: str) -> None:
    seat, *_ = started
    front, behind = await both_ways(seat, "GET", path)
    assert front.status_code in (403, 404)
    assert_alike(front, behind)


@pytest.mark.parametrize("path", ["/api/results/look-up", "/api/admission/look-up"])
async def test_look_ups_and_their_limits_are_alike_on_both_ways(
    house: House, visitor: httpx.AsyncClient, fresh_limits: None, path: str
) -> None:
    card = await house.card("thi-thu-tn-2027")
    for claim in (card.claim(card.look_up_code), card.claim("0000-0000-0000"), card.claim(""), {}):
        assert_alike(*await both_ways(visitor, "POST", path, json=claim))
    for _ in range(40):
        refused = await visitor.post(path, json=card.claim("1111-1111-1111"))
    assert refused.status_code == 429
    front, behind = await both_ways(visitor, "POST", path, json=card.claim("1111-1111-1111"))
    assert behind.headers.pop("retry-after")
    assert front.headers.pop("retry-after")
    assert_alike(front, behind)


async def test_both_ways_count_in_the_same_counters(started: Any) -> None:
    seat, attempt, envelope = started
    before = await counters(seat)
    body = {"lease": envelope["lease"], "responses": [answer_to(1, 1)]}
    await both_ways(seat, "POST", f"/api/attempts/{attempt}/responses", json=body)
    await both_ways(seat, "POST", f"/api/attempts/{attempt}/responses", json=body | {"lease": 99})
    await both_ways(seat, "GET", f"/api/attempts/{attempt}/time")
    after = await counters(seat)
    grown = {name: after[name] - before.get(name, 0.0) for name in after if after[name] != before.get(name)}
    route = 'method="POST",path="/api/attempts/{attempt_id}/responses",status_code="%s"'
    assert grown == {
        route % 200: 2.0,
        route % 409: 2.0,
        'method="GET",path="/api/attempts/{attempt_id}/time",status_code="200"': 2.0,
    }


async def test_what_correct_clients_send_never_reaches_the_framework(house: House, started: Any) -> None:
    seat, attempt, envelope = started
    card = await house.card("thi-thu-tn-2027")
    before = await passed_on(seat)
    body = {"lease": envelope["lease"], "responses": [answer_to(1, 1), answer_to(2, 1, None)]}
    await seat.post(f"/api/attempts/{attempt}/responses", json=body)
    await seat.post(f"/api/attempts/{attempt}/responses", json=body | {"lease": 99})
    await seat.get(f"/api/attempts/{attempt}/time")
    await seat.get(f"/api/attempts/{attempt}/time?after=17")
    await seat.get(f"/api/forms/{envelope['form_hash']}")
    await seat.post("/api/results/look-up", json=card.claim(card.look_up_code))
    await seat.post("/api/candidate/sign-in", json=card.claim(card.sit_code))
    await seat.post(f"/api/attempts/{attempt}/start", json={"client_id": "parity.1"})
    await seat.post(f"/api/attempts/{attempt}/submission", json={"lease": 99, "sequences": {}})
    await seat.get(f"/api/attempts/{attempt}/receipt")
    assert await passed_on(seat) == before
    await seat.get(f"/api/attempts/{attempt}/time?after=x")
    assert await passed_on(seat) == before + 1


async def passed_on(seat: httpx.AsyncClient) -> float:
    found = re.search(r"^exam_http_passed_on_total (\S+)$", (await seat.get("/metrics")).text, re.MULTILINE)
    assert found
    return float(found[1])


async def counters(seat: httpx.AsyncClient) -> dict[str, float]:
    text = (await seat.get("/metrics")).text
    found = re.findall(r'^exam_http_requests_total\{app_name="[^"]*",(.*)\} (\S+)$', text, re.MULTILINE)
    return {labels: float(count) for labels, count in found if "/api/attempts" in labels}
