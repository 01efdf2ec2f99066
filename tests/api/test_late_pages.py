"""Late answers as the examination board meets them: one proposes, another agrees, and only then something counts."""

from typing import Any

import httpx
import pytest

from tests.api.conftest import House
from tests.api.rooms import practice_room

EXAM = "lam-quen-2027"
POSITION = 16
HTML = {"accept": "text/html"}


async def _lock_and_answer(seat: httpx.AsyncClient, board: httpx.AsyncClient, base: str) -> str:
    """Let a locked seat send an answer, and wait until it is kept as evidence."""
    attempt = (await seat.get("/api/candidate/attempts")).json()["attempts"][0]["attempt_id"]
    envelope = (await seat.post(f"/api/attempts/{attempt}/start", json={"client_id": "pc-late.a"})).json()
    why = {"reason": "nghi vấn", "attempts": [attempt]}
    assert (await board.post(f"{base}/lock", json={"request_id": "late-lock", **why})).status_code == 200
    answer = {"slot": 1, "sequence": 40, "value": None, "client_time_ms": 0}
    body: dict[str, Any] = {"lease": envelope["lease"], "responses": [answer]}
    refused = await seat.post(f"/api/attempts/{attempt}/responses", json=body)
    assert refused.json()["code"] == "attempt-locked"
    assert (await board.post(f"{base}/unlock", json={"request_id": "late-unlock", **why})).status_code == 200
    assert (await board.get(f"{base}/reconciliation")).status_code == 200  # answers when everything is stored
    return str(attempt)


async def test_two_people_let_a_late_answer_count_on_its_page(house: House) -> None:
    room = await practice_room(house)
    base, page = f"/api/sittings/{room.sitting}", f"/staff/sittings/{room.sitting}/late"
    async with house.seat(EXAM, POSITION) as seat, house.staff("board") as one, house.staff("board2") as two:
        attempt = await _lock_and_answer(seat, one, base)
        number = (await house.candidates(EXAM))[POSITION].number or ""
        sitting = await one.get(f"/staff/sittings/{room.sitting}")
        assert f'href="{page}"' in sitting.text
        shown = (await one.get(page)).text
        assert number in shown
        assert "trong lúc máy bị khóa" in shown
        assert "Đề nghị cho tính 1 câu" in shown

        async def decide(client: httpx.AsyncClient, reason: str) -> httpx.Response:
            return await client.post(page, data={"attempt": attempt, "reason": reason}, headers=HTML)

        assert (await decide(one, "  ")).status_code in (400, 422)
        assert (await decide(one, "máy bị khóa nhầm")).status_code == 303
        assert "Bạn đã đề nghị" in (await one.get(page)).text
        alone = await decide(one, "máy bị khóa nhầm")
        assert (alone.status_code, "Cần người thứ hai đồng ý" in alone.text) == (409, True)
        assert "Đồng ý cho tính" in (await two.get(page)).text
        agreed = await decide(two, "đã xem biên bản")
        assert (agreed.status_code, agreed.headers["location"]) == (303, page)
        told = (await two.get(page)).text
        assert "Đã tính 1 trên 1" in told
        assert "đã quyết định" in told


async def test_an_invigilator_reads_of_late_answers_and_decides_nothing(house: House) -> None:
    room = await practice_room(house)
    page = f"/staff/sittings/{room.sitting}/late"
    async with house.staff("invigilator") as staff:
        shown = await staff.get(page)
        assert shown.status_code == 200
        assert 'name="reason"' not in shown.text
        data = {"attempt": str(room.seats[POSITION]), "reason": "x"}
        assert (await staff.post(page, data=data, headers=HTML)).status_code == 403
    async with house.staff("author") as stranger:
        assert (await stranger.get(page, headers=HTML)).status_code == 403


@pytest.mark.parametrize("step", ["opne", "closed", "cancel"])
async def test_a_sitting_takes_no_step_but_those_that_are_named(house: House, step: str) -> None:
    room = await practice_room(house)
    async with house.staff("board") as board:
        answer = await board.post(f"/staff/sittings/{room.sitting}/{step}", headers=HTML)
        assert answer.status_code == 404
        state = next(s for s in (await board.get("/api/sittings")).json() if s["id"] == str(room.sitting))["state"]
        assert state == "open"


async def test_the_board_of_a_room_offers_time_for_everybody_only_to_who_may_give_it(house: House) -> None:
    room = await practice_room(house)
    page = f"/staff/sittings/{room.sitting}/rooms/{room.room}"
    body = {"seconds": 60, "reason": "x", "room_id": str(room.room), "request": "late-room"}
    async with house.staff("invigilator") as invigilator:
        shown = (await invigilator.get(page)).text
        assert " may-act" in shown
        assert " may-extend-room" not in shown
        assert (await invigilator.post(f"/api/sittings/{room.sitting}/extend", json=body)).status_code == 403
    async with house.staff("board") as board:
        assert " may-extend-room" in (await board.get(page)).text
