"""A room where nobody sits: its board opens and says so, and has who is moved there at once."""

from uuid import uuid4

import pytest
from playwright.async_api import Browser, expect
from sqlalchemy import text

from exam_engine.infra.database import transaction
from tests.api.conftest import House
from tests.api.rooms import Room, room_of
from tests.api.staff_browser import open_staff_page, require_sound
from tests.api.test_duties import SITTING
from tests.api.test_seat_places import new_unit, spare_room

NOBODY = {"vi": "Không có thí sinh nào ngồi ở phòng này", "en": "Nobody sits in this room"}


async def name_at(house: House, room: Room, seat: int) -> str:
    async with transaction(house.engine.sessions) as session:
        query = "select c.full_name from attempt a join candidate c on c.id = a.candidate_id where a.id = :a"
        return str((await session.execute(text(query), {"a": room.seats[seat]})).scalar_one())


@pytest.mark.parametrize(
    ("size", "language"),
    [((1440, 900), "vi"), ((390, 844), "vi"), ((1024, 768), "en")],
    ids=["desktop", "phone", "tablet"],
)
async def test_the_board_says_that_nobody_sits_there_and_shows_who_is_moved_there(
    house: House, browser: Browser, size: tuple[int, int], language: str
) -> None:
    room = await room_of(house, SITTING)
    spare = await spare_room(house, room, await new_unit(house))
    base, moving = f"/api/sittings/{room.sitting}", f"empty-{uuid4().hex[:8]}"
    page = await open_staff_page(house, browser, f"/staff/sittings/{room.sitting}/rooms/{spare}", size, language)
    nobody = page.locator("room-board .empty")
    await expect(nobody).to_contain_text(NOBODY[language])
    await expect(page.locator(".board__stats")).to_be_hidden()
    await expect(page.locator(".board__acts")).to_be_hidden()
    await require_sound(page, size[0])
    async with house.staff("invigilator") as here:
        body = {"request_id": moving, "reason": "máy hỏng", "room": str(spare), "seat": 1}
        moved = await here.post(f"{base}/attempts/{room.seats[7]}/move", json=body)
        assert moved.status_code == 200, moved.text
        await expect(page.locator(".seats .seat")).to_contain_text(await name_at(house, room, 7))
        await expect(nobody).to_be_hidden()
        await expect(page.locator(".board__acts")).to_be_visible()
        undo = {"request_id": f"{moving}-back", "reason": "nhầm"}
        assert (await here.post(f"{base}/acts/{moving}/undo", json=undo)).status_code == 200
        await expect(nobody).to_be_visible()
        await expect(page.locator(".seats .seat")).to_have_count(0)
    await page.context.close()


async def test_a_room_that_the_exam_has_not_stays_unknown(house: House) -> None:
    room = await room_of(house, SITTING)
    async with house.staff("board") as board:
        answer = await board.get(f"/api/sittings/{room.sitting}/rooms/{uuid4()}/board")
        assert (answer.status_code, answer.json()["code"]) == (404, "sitting-room-unknown")
