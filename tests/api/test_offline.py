"""Rooms whose network is out, over HTTP: the release code, and answers that come as a file."""

from typing import Any
from uuid import UUID

import msgspec
import pytest

from exam_engine.delivery.hand_over import HandOver, HandOverFile, SignedContent
from exam_engine.delivery.model import SittingId
from exam_engine.delivery.places import place_of
from exam_engine.delivery.register import Held, Register
from exam_engine.delivery.sealing import SittingSeals, hand_over_label
from exam_engine.delivery.wire import SaveResponse
from exam_engine.infra import sealing
from exam_engine.infra.redis_client import Durability, ScriptRunner
from tests.api.conftest import House
from tests.api.rooms import Room, practice_room

EXAM = "lam-quen-2027"
pytestmark = pytest.mark.usefixtures("fresh_limits")


async def _started(house: House, position: int) -> dict[str, Any]:
    """Start a candidate's paper and return the envelope."""
    card = await house.card(EXAM, position)
    async with house.browser() as seat:
        body = {"exam": card.exam, "candidate_number": card.number, "code": card.sit_code}
        signed_in = (await seat.post("/api/candidate/sign-in", json=body)).json()
        seat.headers["authorization"] = f"Bearer {signed_in['token']}"
        attempt = signed_in["attempts"][0]["attempt_id"]
        envelope: dict[str, Any] = (
            await seat.post(f"/api/attempts/{attempt}/start", json={"client_id": f"d{position}.t"})
        ).json()
        return envelope


async def _held(house: House, file: dict[str, Any]) -> Held:
    register = Register(ScriptRunner(house.engine.redis, Durability(waits_for_aof=False)))
    held = await register.look(place_of(UUID(file["sitting_id"]), 1, UUID(file["attempt_id"])), "r")
    await register.close()
    return held


def _file(house: House, room: Room, envelope: dict[str, Any]) -> dict[str, Any]:
    seals = SittingSeals(house.engine.master_secret, SittingId(room.sitting), envelope["form_hash"])
    attempt = UUID(envelope["attempt_id"])
    slot = envelope["ordering"][0]["slot"]
    handed = HandOver(attempt, "d.t", 0, 0, [SaveResponse(slot, 7, None, 0)])
    content = msgspec.json.encode(handed).decode()
    mac = sealing.mac(seals.seat_key(attempt), content.encode()).hex()
    box = sealing.seal_box(
        seals.hand_over_key, hand_over_label(room.sitting, attempt), msgspec.json.encode(SignedContent(content, mac))
    )
    file: dict[str, Any] = msgspec.to_builtins(HandOverFile("exam-hand-over", 1, room.sitting, attempt, box))
    return file


async def test_the_release_code_is_told_to_who_invigilates_there_once_it_has_started(house: House) -> None:
    room = await practice_room(house)
    async with house.staff("invigilator") as client:
        told = await client.post(f"{room.path}/release-code")
        assert told.status_code == 200
        page = await client.post(f"/staff/sittings/{room.sitting}/offline/rooms/{room.room}/code")
        assert told.json()["code"] in page.text
    for user in ("invigilator2", "author"):
        async with house.staff(user) as client:
            assert (await client.post(f"{room.path}/release-code")).status_code == 403
    async with house.browser() as stranger:
        assert (await stranger.post(f"{room.path}/release-code")).status_code in (401, 403)


async def test_a_hand_over_file_is_taken_in_once_and_an_edited_one_is_refused(house: House) -> None:
    room = await practice_room(house)
    file = _file(house, room, await _started(house, 15))
    path = f"/api/sittings/{room.sitting}/hand-over"
    async with house.staff("invigilator") as client:
        before, size = await _held(house, file), house.log.stat().st_size
        edited = {**file, "box": file["box"][:200] + ("A" if file["box"][200] != "A" else "B") + file["box"][201:]}
        refused = await client.post(path, json=edited)
        assert (refused.status_code, refused.json()["code"]) == (422, "hand-over-invalid")
        upload = {"file": ("ban-giao.exam.json", msgspec.json.encode(edited), "application/json")}
        page = f"/staff/sittings/{room.sitting}/offline/hand-over"
        assert (await client.post(page, files=upload, headers={"accept": "text/html"})).status_code == 422
        # Both are written down, and nothing has changed.
        assert house.log.read_text("utf-8", errors="replace")[size:].count("hand-over-invalid") == 2
        assert await _held(house, file) == before
        first = await client.post(path, json=file)
        assert (first.status_code, first.json()["taken"], first.json()["late"]) == (200, 1, 0)
        again = await client.post(path, json=file)
        assert (again.json()["taken"], again.json()["known"]) == (0, 1)
    async with house.staff("invigilator2") as client:
        assert (await client.post(path, json=file)).status_code == 403


async def test_the_page_takes_a_file_and_says_what_came_of_it(house: House) -> None:
    room = await practice_room(house)
    file = _file(house, room, await _started(house, 16))
    path = f"/staff/sittings/{room.sitting}/offline"
    async with house.staff("invigilator") as client:
        assert (await client.get(path)).status_code == 200
        upload = {"file": ("ban-giao.exam.json", msgspec.json.encode(file), "application/json")}
        taken = await client.post(f"{path}/hand-over", files=upload, headers={"accept": "text/html"})
        assert "đã nhận 1 câu trả lời" in taken.text
        bad = {"file": ("x.json", b"{}", "application/json")}
        refused = await client.post(f"{path}/hand-over", files=bad, headers={"accept": "text/html"})
        assert refused.status_code == 422
        assert "không phải tệp bàn giao" in refused.text
