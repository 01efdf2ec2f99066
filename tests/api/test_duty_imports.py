"""Duties from a table: over HTTP and on the page, looked at first, every mistake placed, taken whole or not at all."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
import pytest_asyncio
from playwright.async_api import Browser, expect
from sqlalchemy import text

from exam_engine.infra.database import transaction
from tests.api.conftest import House
from tests.api.rooms import Room, room_of
from tests.api.staff_browser import open_staff_page, require_sound
from tests.api.test_duties import SITTING, invigilator_of, new_unit, signed_in
from tests.api.test_seat_places import spare_room

HTML = {"accept": "text/html"}


@pytest_asyncio.fixture(autouse=True)
async def no_duty_left(house: House) -> AsyncIterator[None]:
    """The rooms are those of other tests, too."""
    yield
    async with transaction(house.engine.sessions) as session:
        await session.execute(text("delete from room_duty"))


async def code_of(house: House, room: UUID) -> str:
    async with transaction(house.engine.sessions) as session:
        return str((await session.execute(text("select code from room where id = :r"), {"r": room})).scalar_one())


async def upload(client: httpx.AsyncClient, room: Room, content: str, dry_run: str = "false") -> httpx.Response:
    path = f"/api/sittings/{room.sitting}/duties/import?dry_run={dry_run}"
    return await client.post(path, files={"file": ("phan-cong.csv", content.encode())})


async def duties_of(client: httpx.AsyncClient, room: Room, user_name: str) -> list[tuple[str, str]]:
    listed: list[dict[str, Any]] = (await client.get(f"/api/sittings/{room.sitting}/duties")).json()
    return sorted((one["room_id"], one["duty"]) for one in listed if one["user_name"] == user_name)


async def test_a_table_gives_rooms_and_the_same_table_again_changes_nothing(house: House) -> None:
    room = await room_of(house, SITTING)
    unit = await new_unit(house)
    user_name, spare = await invigilator_of(house, unit), await spare_room(house, room, unit)
    lines = f"Phòng thi;Tên đăng nhập;Nhiệm vụ\n{await code_of(house, room.room)};{user_name};\n"
    lines += f"{await code_of(house, spare)};{user_name};dự phòng\n"
    async with house.staff("board") as board:
        tried = await upload(board, room, lines, "true")
        assert (tried.status_code, tried.json()["created"]) == (200, 2), tried.text
        assert await duties_of(board, room, user_name) == []
        assert (await upload(board, room, lines)).json()["created"] == 2
        given = [(str(room.room), "invigilator"), (str(spare), "deputy")]
        assert await duties_of(board, room, user_name) == sorted(given)
        again = (await upload(board, room, lines)).json()
        assert (again["created"], again["changed"], again["unchanged"]) == (0, 0, 2)
    async with house.staff("invigilator") as other:
        assert (await upload(other, room, lines)).status_code == 403


async def test_a_mistake_anywhere_takes_nothing_in(house: House) -> None:
    room = await room_of(house, SITTING)
    user_name, code = await invigilator_of(house, await new_unit(house)), await code_of(house, room.room)
    async with house.staff("board") as board:
        lines = f"room,user,duty\n{code},{user_name},\nX99,{user_name},\n{code},author,\n{code},khong-ai,\n"
        refused = await upload(board, room, lines)
        assert (refused.status_code, refused.json()["code"]) == (422, "file-refused")
        places = [error["place"] for error in refused.json()["errors"]]
        assert places == ["dòng 3, cột room", "dòng 4, cột user", "dòng 5, cột user"]
        assert await duties_of(board, room, user_name) == []
        for content in ("", "room\nP01\n", "\x00\x01"):
            assert (await upload(board, room, content)).status_code == 422


async def test_a_duty_in_a_room_where_nobody_sits_is_found_in_the_list(house: House) -> None:
    room = await room_of(house, SITTING)
    user_name = await invigilator_of(house, await new_unit(house))
    spare = await spare_room(house, room, await new_unit(house))
    async with house.staff("board") as board, signed_in(house, user_name) as client:
        assert (await client.get(f"/api/sittings/{room.sitting}/rooms/{spare}/board")).status_code == 403
        await upload(board, room, f"room,user\n{await code_of(house, spare)},{user_name}\n")
        listing = await client.get("/staff/sittings", headers=HTML)
        assert f"/staff/sittings/{room.sitting}/rooms/{spare}" in listing.text
        shown = await client.get(f"/api/sittings/{room.sitting}/rooms/{spare}/board")
        assert (shown.status_code, shown.json()["seats"]) == (200, [])


@pytest.mark.parametrize(
    ("size", "language"),
    [((1440, 900), "vi"), ((390, 844), "vi"), ((1024, 768), "en")],
    ids=["desktop", "phone", "tablet"],
)
async def test_the_page_shows_what_a_table_would_do_and_then_takes_it(
    house: House, browser: Browser, tmp_path: Path, size: tuple[int, int], language: str
) -> None:
    room = await room_of(house, SITTING)
    user_name, code = await invigilator_of(house, await new_unit(house)), await code_of(house, room.room)
    page = await open_staff_page(house, browser, f"/staff/sittings/{room.sitting}/duties", size, language)
    wrong = tmp_path / "sai.csv"
    wrong.write_text(f"Phòng thi,Tên đăng nhập\n{code},{user_name}\nX99,{user_name}\n", "utf-8")
    form = page.locator("form[action$='/duties/import']")
    await form.locator("input[type=file]").set_input_files(wrong)
    await form.locator("button").click()
    await expect(page.locator(".alert--bad")).to_contain_text("X99")
    given = page.locator("tbody tr", has=page.get_by_role("link", name=code, exact=True))
    await expect(given).not_to_contain_text(user_name)
    right = tmp_path / "phan-cong.csv"
    right.write_text(f"Phòng thi,Tên đăng nhập,Nhiệm vụ\n{code},{user_name},Người thay\n", "utf-8")
    await form.locator("input[type=file]").set_input_files(right)
    await form.locator("button").click()
    change = page.locator("tbody tr", has_text=f"{code} · {user_name}")
    await expect(change).to_contain_text("Người thay" if language == "vi" else "Deputy")
    await require_sound(page, size[0])
    await page.get_by_role("button", name="Nhận vào" if language == "vi" else "Take in").click()
    await expect(given).to_contain_text(f"Giám thị {user_name}")
    await require_sound(page, size[0])
    await page.context.close()
