"""Receipts, statements and checks over HTTP: what is published, who may look, and what the pages say."""

import pytest

from exam_engine.delivery.receipts import verify_receipt
from exam_engine.delivery.signing import read_keys
from tests.api.conftest import House
from tests.api.rooms import practice_room

EXAM = "thi-thu-tn-2027"


async def test_a_receipt_got_over_http_is_checked_by_the_published_key(house: House) -> None:
    async with house.seat(EXAM, 2) as seat:
        attempt = (await seat.get("/api/candidate/attempts")).json()["attempts"][0]["attempt_id"]
        early = await seat.get(f"/api/attempts/{attempt}/receipt")
        assert (early.status_code, early.json()["code"]) == (409, "receipt-not-yet")
        lease = (await seat.post(f"/api/attempts/{attempt}/start", json={"client_id": "pc2.a"})).json()["lease"]
        answer = await seat.post(f"/api/attempts/{attempt}/submission", json={"lease": lease, "sequences": {}})
        keys = read_keys((await seat.get("/.well-known/receipt-keys.json")).text).ring()
        receipt = verify_receipt(answer.json()["receipt"], keys, [])
        assert (str(receipt.attempt_id), receipt.outcome) == (attempt, "submitted")
        again = (await seat.get(f"/api/attempts/{attempt}/receipt")).json()
        assert again["receipt"] == answer.json()["receipt"]


async def test_statements_and_checks_have_pages_for_who_manages_sittings(house: House) -> None:
    sitting = (await practice_room(house)).sitting
    async with house.staff("board") as board:
        checked = await board.get(f"/staff/sittings/{sitting}/check")
        assert checked.status_code == 200
        assert "Kiểm tra trước ca thi" in checked.text
        waiting = await board.get(f"/staff/sittings/{sitting}/statements")
        assert "Biên bản được lập ngay khi" in waiting.text
        assert (await board.get(f"/api/sittings/{sitting}/statements")).json() == []
        found = (await board.get(f"/api/sittings/{sitting}/statements/check")).json()
        assert (found["statements"], found["differences"]) == (0, [])
        printed = await board.get(f"/api/sittings/{sitting}/statements/statements.pdf?room=P01")
        assert (printed.status_code, printed.headers["content-type"]) == (200, "application/pdf")


@pytest.mark.parametrize(
    "path", ["/staff/sittings/{}/check", "/staff/sittings/{}/statements", "/api/sittings/{}/statements"]
)
async def test_an_invigilator_manages_no_sittings(house: House, path: str) -> None:
    sitting = (await practice_room(house)).sitting
    async with house.staff("invigilator") as staff:
        assert (await staff.get(path.format(sitting))).status_code == 403
