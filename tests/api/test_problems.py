"""Every refusal is a problem document of RFC 9457 in the reader's language, and tells nothing about the house."""

import re
from uuid import uuid4

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, IntegrityError

from api.headers import DATA_HEADERS, SECURITY_HEADERS
from api.problems import describe
from exam_engine.infra.database import transaction
from tests.api.conftest import House

LEAK = re.compile(
    r"traceback|sqlalchemy|asyncpg|select |insert |/api/[a-z_]+\.py|litestar|secret|argon2", re.IGNORECASE
)


def assert_problem(answer: httpx.Response, status: int, code: str) -> dict[str, object]:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"].split(";")[0] == "application/problem+json"
    body: dict[str, object] = answer.json()
    assert body["status"] == status
    assert body["code"] == code, body
    assert body["type"] == f"urn:exam-engine:problem:{code}"
    assert body["title"]
    assert not LEAK.search(answer.text), answer.text
    for name, value in DATA_HEADERS.items():
        assert answer.headers.get_list(name) == [value]
    return body


CARD = {"exam": "lam-quen-2027", "candidate_number": "1", "code": "x"}
CASES = [
    pytest.param("GET", "/api/nothing/here", {}, 404, "not-found", id="unknown route"),
    pytest.param("DELETE", "/api/announcements", {}, 405, "method-not-allowed", id="wrong method"),
    pytest.param("POST", "/api/results/look-up", {"content": b"{"}, 400, "request-invalid", id="malformed JSON"),
    pytest.param("POST", "/api/results/look-up", {"content": b""}, 400, "request-invalid", id="empty body"),
    pytest.param(
        "POST", "/api/results/look-up", {"json": {**CARD, "more": 1}}, 400, "request-invalid", id="unknown field"
    ),
    pytest.param(
        "POST", "/api/results/look-up", {"json": {**CARD, "exam": 7}}, 400, "request-invalid", id="wrong type"
    ),
    pytest.param("POST", "/api/results/look-up", {"json": {"exam": "x"}}, 400, "request-invalid", id="missing field"),
    pytest.param("GET", "/api/exams?page=-1", {}, 401, "sign-in-needed", id="not signed in"),
    pytest.param("GET", "/api/candidate/attempts", {}, 401, "sign-in-needed", id="no token"),
    pytest.param(
        "GET",
        "/api/candidate/attempts",
        {"headers": {"Authorization": "Bearer x"}},
        401,
        "sign-in-needed",
        id="bad token",
    ),
    pytest.param(
        "POST", "/api/staff/sign-in", {"json": {"user_name": "a", "password": "b"}}, 403, "not-allowed", id="no CSRF"
    ),
    pytest.param("GET", "/api/exams/none/distribution", {}, 404, "exam-unknown", id="unknown exam"),
    pytest.param("GET", f"/media/{'0' * 64}.svg", {}, 404, "figure-unknown", id="unknown figure"),
    pytest.param("GET", "/media/x", {}, 404, "not-found", id="no name of a figure"),
]


@pytest.mark.usefixtures("fresh_limits")
@pytest.mark.parametrize(("method", "path", "sent", "status", "code"), CASES)
async def test_a_refusal_is_a_problem_in_vietnamese_or_english(
    visitor: httpx.AsyncClient, method: str, path: str, sent: dict[str, object], status: int, code: str
) -> None:
    given = dict(sent)
    own = dict(given.pop("headers", {}))  # type: ignore[call-overload]
    if "content" in given:
        own["Content-Type"] = "application/json"
    vietnamese = assert_problem(await visitor.request(method, path, headers=own, **given), status, code)
    asked = {**own, "Accept-Language": "en"}
    is_api = path.startswith("/api/")
    english = assert_problem(await visitor.request(method, path, headers=asked, **given), status, code)
    if is_api:
        assert english["title"] != vietnamese["title"]
        assert str(english["title"]).isascii()


async def test_a_body_beyond_the_limit_is_refused(visitor: httpx.AsyncClient) -> None:
    async def much() -> object:
        for _ in range(21):
            yield b" " * 2**20

    try:
        answer = await visitor.post(
            "/api/results/look-up",
            content=much(),
            headers={"Content-Type": "application/json"},  # type: ignore[arg-type]
        )
    except httpx.TransportError:  # refused while it was still being sent
        answer = await visitor.post(
            "/api/results/look-up", headers={"Content-Type": "application/json", "Content-Length": str(10**9)}
        )
    assert_problem(answer, 413, "too-large")


async def test_who_may_not_is_told_which_permission_it_needs(house: House) -> None:
    async with house.staff("marker") as marker:
        body = assert_problem(
            await marker.post(
                "/api/exams", json={"code": "x", "name": "X", "unit": "31", "year": 2027, "kind": "practice"}
            ),
            403,
            "not-allowed",
        )
        assert "exams.manage" in str(body) or body.get("permission")


async def test_the_headers_stand_on_every_answer(house: House, visitor: httpx.AsyncClient) -> None:
    for path in (
        "/",
        "/results",
        "/staff/sign-in",
        "/health/live",
        "/metrics",
        "/api/announcements",
        "/api/schema",
        "/none",
    ):
        answer = await visitor.get(path)
        is_data = answer.headers["content-type"].startswith(("application/json", "application/problem+json"))
        for name, value in (DATA_HEADERS if is_data else SECURITY_HEADERS).items():
            assert answer.headers.get_list(name) == [value], path


async def test_a_refused_thing_names_no_number_the_asker_did_not_give(visitor: httpx.AsyncClient) -> None:
    body = assert_problem(await visitor.get(f"/api/forms/{uuid4().hex}"), 401, "sign-in-needed")
    assert set(body) == {"type", "title", "status", "code"}


@pytest.mark.parametrize("language", ["vi", "en"])
def test_an_error_of_the_database_tells_neither_its_statement_nor_its_values(language: str) -> None:
    error = IntegrityError("insert into person values ($1)", ("a secret",), Exception("duplicate key"))
    document = describe(error, language)
    assert set(document) == {"type", "title", "status", "code", "detail"}
    assert document["status"] == 500
    assert not re.search("insert|secret|duplicate", str(document))


def test_a_server_that_is_away_is_said_to_be_busy_and_a_missing_file_is_a_fault_of_ours() -> None:
    assert describe(ConnectionRefusedError(111, "refused"), "en")["code"] == "service-unavailable"
    assert describe(FileNotFoundError(2, "no such file"), "en")["code"] == "unexpected"


async def test_a_value_no_column_can_hold_is_the_asker_s_mistake(house: House) -> None:
    for statement, value in (("select cast(:v as text)", "a\x00b"), ("select cast(:v as bigint)", 2**70)):
        with pytest.raises(DBAPIError) as caught:
            async with transaction(house.engine.sessions) as session:
                await session.execute(text(statement), {"v": value})
        assert describe(caught.value, "en")["code"] == "request-invalid"
