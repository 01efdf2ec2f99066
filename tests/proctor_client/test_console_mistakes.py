"""Mistakes of people and of the network at the console, on the real API: sent twice, given wrongly, a dead machine."""

import re
from typing import Any
from uuid import UUID, uuid4

import pytest
from playwright.async_api import Page, Route, expect
from sqlalchemy import text

from exam_engine.infra.database import transaction
from tests.api.conftest import House
from tests.api.rooms import Room
from tests.proctor_client.test_console import console, house, name_of, open_room, province, room, seats, tile

__all__ = ["console", "house", "province", "room", "seats"]
pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]


async def _spare_room(house: House, room: Room) -> UUID:
    """A room of the exam in which nobody was to sit, at the same site."""
    spare = uuid4()
    async with transaction(house.engine.sessions) as session:
        await session.execute(
            text("""insert into room (id, exam_id, site_unit_id, code, capacity)
                select :id, exam_id, site_unit_id, :code, 4 from room where id = :room"""),
            {"id": spare, "code": f"DP{spare.hex[:4]}", "room": room.room},
        )
    return spare


async def _choose(console: Page, *names: str) -> None:
    for name in names:
        await tile(console, name).get_by_role("checkbox").check()


async def test_time_for_three_of_whom_one_handed_in_is_given_once_though_its_answer_was_lost(
    house: House, console: Page, seats: Any
) -> None:
    candidates = [await seats(position) for position in (0, 1, 8)]
    names = [await name_of(house, position) for position in (0, 1, 8)]
    before = [await candidate.start() for candidate in candidates]
    done = await candidates[2].client.post(
        f"/api/attempts/{candidates[2].attempt}/submission", json={"lease": before[2]["lease"], "sequences": {}}
    )
    assert done.status_code == 200, done.text
    await expect(tile(console, names[2])).to_contain_text("Đã nộp")
    sent: list[Any] = []

    async def lose_first_answer(route: Route) -> None:
        sent.append(route.request.post_data_json)
        answer = await route.fetch()
        await (route.abort() if len(sent) == 1 else route.fulfill(response=answer))

    await console.route("**/extend", lose_first_answer)
    await _choose(console, *names)
    await console.get_by_role("button", name="Thêm giờ", exact=True).first.click()
    await console.fill("#act-minutes", "4")
    await console.click("dialog .button--primary")
    await expect(console.locator("dialog [role=alert]")).to_contain_text("việc này chỉ được làm một lần")
    await console.click("dialog .button--primary")
    toast = console.locator(".toast--warn")
    await expect(toast).to_contain_text("Đã thêm 4 phút cho 2 thí sinh")
    await expect(toast).to_contain_text(f"{names[2]} (31000009): đã nộp bài")
    assert [body["request"] for body in sent] == [sent[0]["request"]] * 2
    assert sent[0]["attempts"] == [candidate.attempt for candidate in candidates]
    for candidate, started in zip(candidates[:2], before[:2], strict=True):
        assert (await candidate.time())["deadline_ms"] == started["deadline_ms"] + 4 * 60_000
    await toast.get_by_role("button", name="Hoàn tác").click()
    await expect(console.locator(".toast--good")).to_contain_text("Đã hoàn tác cho 2 thí sinh")
    for candidate, started in zip(candidates[:2], before[:2], strict=True):
        while (await candidate.time())["deadline_ms"] != started["deadline_ms"]:  # told within a second
            await console.evaluate("0")


async def test_a_refusal_stands_in_the_dialog_and_the_words_typed_stay(house: House, console: Page, seats: Any) -> None:
    candidate, name = await seats(5), await name_of(house, 5)
    await candidate.start()
    await expect(tile(console, name)).to_contain_text("Đang làm bài")
    await console.route(
        "**/messages", lambda route: route.fulfill(status=503, json={"title": "Chưa dùng được.", "detail": ""})
    )
    await tile(console, name).get_by_role("button", name=re.compile("^Nhắn tin")).click()
    await console.fill("#act-text", "Bình tĩnh nhé.")
    await console.click("dialog .button--primary")
    await expect(console.locator("dialog [role=alert]")).to_have_text("Chưa dùng được.")
    await console.unroute("**/messages")
    await console.click("dialog .button--primary")
    await expect(console.locator(".toast--good")).to_contain_text("Đã gửi tin")


async def test_a_candidate_moves_to_the_spare_room_and_back_from_one_screen(
    house: House, browser: Any, console: Page, seats: Any, room: Room
) -> None:
    candidate, name, other = await seats(4), await name_of(house, 4), await _spare_room(house, room)
    await candidate.start()
    await tile(console, name).get_by_role("button", name=re.compile("^Mở thẻ")).click()
    await console.locator("dialog").get_by_role("button", name="Chuyển chỗ ngồi").click()
    form = console.locator("dialog").last
    await form.locator("#move-room").select_option(str(other))
    await form.locator("#move-seat").select_option("3")
    seat = "3"
    await expect(form.locator(".alert[role=status]")).to_contain_text(f"chỗ {seat}")
    await form.locator(".button--primary").click()
    await expect(console.locator(".toast--good")).to_contain_text(f"{name} nay ngồi phòng")
    await expect(tile(console, name)).to_have_count(0)
    there = await open_room(house, browser, Room(room.sitting, other, ()), user="board")
    await expect(tile(there, name)).to_contain_text("Đang làm bài")
    (listed,) = (await candidate.client.get("/api/candidate/attempts")).json()["attempts"]
    assert listed["seat"] == int(seat)
    await there.context.close()
    await console.locator(".toast--good").get_by_role("button", name="Hoàn tác").click()
    await expect(tile(console, name)).to_contain_text("Đang làm bài")
