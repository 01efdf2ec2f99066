"""Whatever the document allows, and much that it does not: the API refuses it or does it, and never breaks.

Every operation is called with generated bodies and parameters, right and wrong, by a visitor, a candidate and
five members of staff.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, Verbosity, given, seed
from hypothesis import settings as hypothesis_settings
from hypothesis.strategies import one_of
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from sqlalchemy import text

from exam_engine.infra.database import transaction
from tests.api.conftest import House, forget_failures

EXAMPLES = 25
CHECKS = (not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance)
# Everybody calls what is theirs to do; what they may not do the visitor's refusals and the permissions' tests cover.
TAGS = {
    "candidate": {"candidate", "public"},
    "board": {"exams", "sittings", "results", "forms"},
    "developer": {"forms"},
    "author": {"items", "staff"},
    "reviewer": {"items"},
    "admission": {"admission"},
}
STAFF = ("board", "developer", "author", "reviewer", "admission")
# What ends the very sitting or session the others need is called on its own elsewhere.
LEFT_OUT = ("staff_sign_out", "sittings_close")


@pytest_asyncio.fixture(scope="module")
async def headers(house: House) -> AsyncIterator[dict[str, dict[str, str]]]:
    """The headers by which each of them is known."""
    known: dict[str, dict[str, str]] = {"visitor": {}}
    async with house.seat("lam-quen-2027", 13) as seat:
        known["candidate"] = {"Authorization": seat.headers["Authorization"]}
    for user_name in STAFF:
        async with house.staff(user_name) as client:
            cookies = "; ".join(f"{cookie.name}={cookie.value}" for cookie in client.cookies.jar)
            known[user_name] = {"Cookie": cookies, "x-csrftoken": client.headers["x-csrftoken"]}
    yield known


@pytest_asyncio.fixture(scope="module")
async def known(house: House) -> dict[str, Any]:
    """Things that are there, so that requests get past "there is no such thing"."""
    async with house.seat("lam-quen-2027", 13) as seat:
        attempt = (await seat.get("/api/candidate/attempts")).json()["attempts"][0]
        envelope = (await seat.post(f"/api/attempts/{attempt['attempt_id']}/start", json={"client_id": "fuzz"})).json()
    async with house.staff("board") as board:
        form = next(form for form in (await board.get("/api/staff/forms")).json() if form["code"] == "LQ-2027")
    async with house.staff("author") as author:
        item = (await author.get("/api/items", params={"bank": "lam-quen"})).json()["items"][0]
    async with transaction(house.engine.sessions) as session:
        room = await session.scalar(text("select room_id from attempt where id = :id"), {"id": attempt["attempt_id"]})
    return {
        "attempt_id": attempt["attempt_id"],
        "form_hash": envelope["form_hash"],
        "sitting_id": attempt["sitting_id"],
        "room_id": str(room),
        "form_id": form["id"],
        "item_id": item["id"],
        "code": "lam-quen-2027",
    }


def operations_for(document: Any, who: str) -> list[Any]:
    found = [result.ok() for result in document.get_all_operations()]
    return [
        operation
        for operation in found
        if operation.definition.raw["operationId"] not in LEFT_OUT
        and (who == "visitor" or TAGS[who] & set(operation.tags or ()))
    ]


@pytest.mark.parametrize("who", ["visitor", "candidate", *STAFF])
async def test_generated_requests_are_never_answered_by_a_server_error(
    house: House, headers: dict[str, dict[str, str]], known: dict[str, Any], who: str
) -> None:
    def run() -> list[str]:
        document = schemathesis.openapi.from_url(f"{house.url}/api/schema/openapi.json")
        troubles: list[str] = []
        with requests.Session() as session:
            for operation in operations_for(document, who):
                found, statuses = troubles_of(operation, headers[who], known, session)
                troubles += found
                if who != "visitor" and set(statuses) == {401}:
                    troubles.append(f"{operation.label}: {who} is not known here")
        return troubles

    troubles = await asyncio.to_thread(run)
    await forget_failures(house.engine.redis)
    assert troubles == []
    assert "unexpected_error" not in house.log.read_text()


def troubles_of(
    operation: Any, headers: dict[str, str], known: dict[str, Any], session: requests.Session
) -> tuple[list[str], Counter[int]]:
    """Call one operation with generated requests; say what was wrong with every bad answer, and count the statuses."""
    troubles: list[str] = []
    statuses: Counter[int] = Counter()
    held = {p.name: known[p.name] for p in operation.path_parameters if p.name in known}
    cases = [operation.as_strategy(GenerationMode.POSITIVE)]
    if held:
        cases.append(operation.as_strategy(GenerationMode.POSITIVE, path_parameters=held))
    if operation.body or operation.query:
        cases.append(operation.as_strategy(GenerationMode.NEGATIVE, path_parameters=held or None))

    @seed(2027)
    @hypothesis_settings(
        max_examples=EXAMPLES if headers else EXAMPLES // 5,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
        verbosity=Verbosity.quiet,
    )
    @given(case=one_of(cases))
    def call(case: Any) -> None:
        answer = case.call(headers=headers, session=session)
        statuses[answer.status_code] += 1
        try:
            case.validate_response(answer, checks=CHECKS)
        except FailureGroup as group:
            troubles.extend(f"{operation.label}: {failure}" for failure in group.exceptions)

    call()
    return troubles, statuses
