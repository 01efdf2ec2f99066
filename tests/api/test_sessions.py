"""Sessions of staff, and the limits of the public doors."""

from http.cookies import SimpleCookie
from uuid import uuid4

import httpx
import pytest
from sqlalchemy import text

from api.candidate import FAILURES_PER_MINUTE as SIGN_IN_FAILURES
from api.public import FAILURES_PER_MINUTE
from exam_engine.identity import service as identity
from exam_engine.infra.database import transaction
from tests.api.conftest import House, sign_in


def cookie_of(answer: httpx.Response, name: str) -> SimpleCookie:
    for header in answer.headers.get_list("set-cookie"):
        cookie = SimpleCookie(header)
        if name in cookie:
            return cookie
    raise AssertionError(f"no cookie {name}: {answer.headers.get_list('set-cookie')}")


async def test_the_session_cookie_is_closed_to_scripts_and_other_sites(visitor: httpx.AsyncClient) -> None:
    answer = await sign_in(visitor, "author")
    session = cookie_of(answer, "session")["session"]
    assert session["httponly"]
    assert session["samesite"].lower() == "lax"
    assert session["path"] == "/"
    assert len(session.value) >= 32


async def test_signing_in_changes_the_session_id_and_the_old_one_is_dead(house: House) -> None:
    async with house.browser() as client:
        await sign_in(client, "author")
        first = client.cookies["session"]
        await sign_in(client, "board")
        second = client.cookies["session"]
        assert first != second
    async with house.browser() as thief:
        thief.cookies.set("session", first)
        assert (await thief.get("/api/staff/me")).status_code == 401
        thief.cookies.set("session", "an-id-chosen-by-the-thief-0123456789")
        await sign_in(thief, "author")
        assert "an-id-chosen-by-the-thief-0123456789" not in {
            cookie.value for cookie in thief.cookies.jar if cookie.domain
        }


async def test_signing_out_ends_the_session_on_the_server(house: House) -> None:
    async with house.staff("author") as client:
        held = client.cookies["session"]
        assert (await client.get("/api/staff/me")).status_code == 200
        assert (await client.post("/api/staff/sign-out")).status_code == 204
        assert (await client.get("/api/staff/me")).status_code == 401
    async with house.browser() as thief:
        thief.cookies.set("session", held)
        assert (await thief.get("/api/staff/me")).status_code == 401


async def test_a_new_password_ends_the_sessions_that_were_open(house: House) -> None:
    async with house.staff("author2") as client:
        assert (await client.get("/api/staff/me")).status_code == 200
        now = house.engine.clock()
        async with transaction(house.engine.sessions) as session:
            person = await identity.load_person_named(session, "author2", on=now.date())
            await identity.set_password(session, person, f"another-{uuid4().hex}", actor="system:test", now=now)
        answer = await client.get("/api/staff/me")
        assert (answer.status_code, answer.json()["code"]) == (401, "sign-in-needed")


async def test_a_visitor_gets_no_session(visitor: httpx.AsyncClient) -> None:
    answer = await visitor.get("/")
    assert not any(header.startswith("session=") for header in answer.headers.get_list("set-cookie"))


@pytest.mark.usefixtures("fresh_limits")
@pytest.mark.parametrize("path", ["/api/results/look-up", "/api/admission/look-up", "/api/candidate/sign-in"])
async def test_an_unknown_number_answers_as_a_wrong_code_does(
    house: House, visitor: httpx.AsyncClient, path: str
) -> None:
    card = await house.card("lam-quen-2027", 0)
    wrong = card.claim("0000-0000-0000")
    unknown = wrong | {"candidate_number": "99999999"}
    nowhere = wrong | {"exam": "no-such-exam"}
    answers = [await visitor.post(path, json=claim) for claim in (wrong, unknown, nowhere)]
    assert [answer.status_code for answer in answers] == [403] * 3
    assert answers[0].json() == answers[1].json() == answers[2].json()
    assert len({frozenset(answer.headers.keys()) for answer in answers}) == 1


@pytest.mark.usefixtures("fresh_limits")
async def test_a_source_that_fails_too_often_waits(house: House, visitor: httpx.AsyncClient) -> None:
    card = await house.card("lam-quen-2027", 0)
    answers = [
        await visitor.post("/api/results/look-up", json=card.claim("0000-0000-0000"))
        for _ in range(2 * FAILURES_PER_MINUTE + 1)  # the minute may turn once on the way
    ]
    refused = next(answer for answer in answers if answer.status_code == 429)
    assert refused.json()["code"] == "too-many-requests"
    assert 1 <= int(refused.headers["retry-after"]) <= 60
    assert sum(answer.status_code == 403 for answer in answers) >= FAILURES_PER_MINUTE
    # Another door counts for itself.
    assert (await visitor.post("/api/candidate/sign-in", json=card.claim(card.sit_code))).status_code == 200


@pytest.mark.usefixtures("fresh_limits")
async def test_one_seat_that_tries_wrong_codes_shuts_nobody_out(house: House, visitor: httpx.AsyncClient) -> None:
    card, other = await house.card("lam-quen-2027", 0), await house.card("lam-quen-2027", 1)
    path = "/api/candidate/sign-in"
    wrong = [
        await visitor.post(path, json=card.claim("0000-0000-0000")) for _ in range(2 * SIGN_IN_FAILURES + 1)
    ]  # the minute may turn once on the way
    assert {answer.status_code for answer in wrong} == {403, 429}
    for right in (other, card):
        assert (await visitor.post(path, json=right.claim(right.sit_code))).status_code == 200


async def test_the_database_of_the_tests_is_their_own(house: House) -> None:
    async with transaction(house.engine.sessions) as session:
        assert str(await session.scalar(text("select current_database()"))).startswith("api_")
