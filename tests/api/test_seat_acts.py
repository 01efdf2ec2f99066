"""Acts on seats over HTTP: who may, what the seat sees of them, and what a page needs to take them back."""

from datetime import date
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from exam_engine.identity import service as identity
from exam_engine.identity.permissions import Role
from exam_engine.infra.database import transaction
from tests.api.conftest import House, sign_in
from tests.api.rooms import practice_room

EXAM = "lam-quen-2027"
POSITION = 14
NEVER = "00000000-0000-4000-8000-000000000000"


async def _started(seat: httpx.AsyncClient, client_id: str) -> tuple[str, dict[str, Any]]:
    attempt = (await seat.get("/api/candidate/attempts")).json()["attempts"][0]["attempt_id"]
    answer = await seat.post(f"/api/attempts/{attempt}/start", json={"client_id": client_id})
    assert answer.status_code == 200, answer.text
    return attempt, answer.json()


async def test_a_second_machine_is_admitted_and_the_seat_is_paused_locked_and_freed(house: House) -> None:
    room = await practice_room(house)
    base = f"/api/sittings/{room.sitting}"
    async with house.seat(EXAM, POSITION) as seat, house.staff("board") as staff:

        async def act(path: str, **body: Any) -> dict[str, Any]:
            answer = await staff.post(f"{base}/{path}", json={"reason": "biên bản 3", **body})
            assert answer.status_code == 200, answer.text
            told: dict[str, Any] = answer.json()
            return told

        attempt, first = await _started(seat, "old.a")
        one = {"attempts": [attempt]}
        _, second = await _started(seat, "new.a")
        assert second["lease"] == 0 if first["lease"] else second["lease"] > 0
        moved = await act(f"attempts/{attempt}/admit", request_id="http-admit", credit=True)
        assert (moved["changed"], moved["is_repeated"]) == (1, False)
        assert (await act(f"attempts/{attempt}/admit", request_id="http-admit", credit=True))["is_repeated"]
        _, seated = await _started(seat, "new.a")
        lease = seated["lease"]
        assert lease > first["lease"]

        answer = {"slot": 1, "sequence": 900, "value": None, "client_time_ms": 0}
        await act("pause", request_id="http-pause", **one)
        saved = await seat.post(f"/api/attempts/{attempt}/responses", json={"lease": lease, "responses": [answer]})
        assert (saved.status_code, saved.json()["is_paused"]) == (200, True)
        assert (await act("resume", request_id="http-resume", **one))["changed"] == 1

        locked = await act("lock", request_id="http-lock", **one)
        refused = await seat.post(
            f"/api/attempts/{attempt}/responses", json={"lease": lease, "responses": [{**answer, "sequence": 901}]}
        )
        assert (refused.status_code, refused.json()["code"]) == (409, "attempt-locked")
        assert locked["is_undoable"]
        assert (await act("acts/http-lock/undo", request_id="http-undo"))["changed"] == 1
        again = await staff.post(f"{base}/acts/http-lock/undo", json={"request_id": "http-undo-2", "reason": "x"})
        assert (again.status_code, again.json()["code"]) == (409, "act-not-undoable")

        listed = (await staff.get(f"{base}/acts")).json()
        mine = {entry["request"]: entry for entry in listed if entry["request"].startswith("http-")}
        assert mine["http-lock"]["undone_by"] == "http-undo"
        assert mine["http-pause"]["actor"] == "person:board"

        nobody = await staff.post(
            f"{base}/attempts/{attempt}/admit", json={"request_id": "http-none", "credit": False, "reason": "x"}
        )
        assert (nobody.status_code, nobody.json()["code"]) == (409, "act-impossible")


@pytest.mark.parametrize("path", ["pause", "lock", "acts/x/undo", f"attempts/{NEVER}/admit", "postpone"])
async def test_who_may_not_invigilate_does_nothing_to_seats(house: House, path: str) -> None:
    room = await practice_room(house)
    seats = [str(room.seats[0])]
    bodies: dict[str, dict[str, Any]] = {
        "pause": {"attempts": seats},
        "lock": {"attempts": seats},
        "acts/x/undo": {},
        f"attempts/{NEVER}/admit": {"credit": True},
        "postpone": {"minutes": 5},
    }
    body = {"request_id": "stranger", "reason": "x", **bodies[path]}
    async with house.staff("author") as stranger, house.browser() as nobody:
        url = f"/api/sittings/{room.sitting}/{path}"
        assert (await stranger.post(url, json=body)).status_code == 403
        assert (await nobody.post(url, json=body)).status_code in (401, 403)


async def test_what_does_not_exist_or_is_asked_wrongly_is_said(house: House) -> None:
    room = await practice_room(house)
    base = f"/api/sittings/{room.sitting}"
    why = {"request_id": "wrong", "reason": "x"}
    async with house.staff("board") as staff:
        for path, body, code in [
            ("lock", {**why, "attempts": [NEVER]}, "attempt-unknown"),
            ("pause", {**why, "room": NEVER}, "attempt-unknown"),
            ("postpone", {**why, "minutes": 5, "room": NEVER}, "attempt-unknown"),
            ("acts/never/undo", why, "act-unknown"),
            ("lock", {**why, "attempts": []}, "request-invalid"),
            ("pause", {**why, "reason": ""}, "request-invalid"),
            ("pause", {**why, "request_id": "a b"}, "request-invalid"),
        ]:
            answer = await staff.post(f"{base}/{path}", json=body)
            assert answer.status_code in (400, 404, 422), answer.text
            assert answer.json()["code"] == code, answer.text
        gone = await staff.post(f"/api/sittings/{NEVER}/pause", json={**why, "attempts": [NEVER]})
        assert (gone.status_code, gone.json()["code"]) == (404, "sitting-unknown")
        late = (await staff.get(f"{base}/late")).json()
        assert not any("value" in answer for answer in late["answers"])


async def test_who_invigilates_at_the_site_alone_gives_time_and_messages_to_its_seats(house: House) -> None:
    room = await practice_room(house)
    password = "giam-thi-diem-thi-2027"
    async with transaction(house.engine.sessions) as session:
        code = (
            await session.execute(
                text("select u.code from room r join org_unit u on u.id = r.site_unit_id where r.id = :room"),
                {"room": room.room},
            )
        ).scalar_one()
        by = {"actor": "system:test", "now": house.engine.clock()}
        person = await identity.create_person(session, "at-site", "Người Ở Điểm Thi", password=password, **by)
        site = await identity.load_unit_coded(session, code)
        start = date(2025, 1, 1)
        await identity.grant_role(session, person, Role.INVIGILATOR, site, valid_from=start, **by)
    base = f"/api/sittings/{room.sitting}"
    async with house.browser() as client:
        await sign_in(client, "at-site", password)
        words = {"text": "Còn 5 phút", "room_id": str(room.room), "request": "site-words"}
        answer = await client.post(f"{base}/messages", json=words)
        assert answer.status_code == 200, answer.text
        time = {"seconds": 60, "reason": "máy hỏng", "request": "site-time"}
        one = await client.post(f"{base}/extend", json={**time, "attempt_id": str(room.seats[17])})
        assert one.status_code == 200, one.text
        everybody = await client.post(f"{base}/extend", json={**time, "room_id": str(room.room)})
        assert (everybody.status_code, everybody.json()["code"]) == (403, "not-allowed")
