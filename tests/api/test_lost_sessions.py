"""Redis began empty: staff are asked to sign in again in plain words, come back where they were, and lose nothing."""

import re

import httpx
import pytest
from playwright.async_api import Browser, Page, expect

from tests.api.conftest import PASSWORDS, House
from tests.api.rooms import practice_room
from tests.api.test_pages import violations

HTML = {"accept": "text/html"}


async def forget_sessions(house: House) -> None:
    """What an emptied Redis means to staff; the seats of other tests stay."""
    async for key in house.engine.redis.scan_iter("*session*"):
        await house.engine.redis.delete(key)


async def test_a_page_leads_back_to_itself_and_says_that_nothing_was_lost(house: House) -> None:
    async with house.staff("board") as board:
        await forget_sessions(house)
        answer = await board.get("/staff/exams?x=1", headers=HTML)
        assert (answer.status_code, answer.headers["location"]) == (
            303,
            "/staff/sign-in?next=/staff/exams%3Fx%3D1&ended=page",
        )
        door = await board.get(answer.headers["location"], headers=HTML)
        assert "Hãy đăng nhập lại" in door.text
        assert "Không mất gì cả" in door.text
        token = board.cookies["csrftoken"]
        form = {
            "_csrf_token": token,
            "user_name": "board",
            "password": PASSWORDS["board"],
            "next": "/staff/exams?x=1",
        }
        back = await board.post("/staff/sign-in", data=form)
        assert (back.status_code, back.headers["location"]) == (303, "/staff/exams?x=1")
        assert (await board.get(back.headers["location"], headers=HTML)).status_code == 200


async def test_a_form_that_was_sent_leads_back_to_its_page_and_says_it_was_not_stored(house: House) -> None:
    async with house.staff("board") as board:
        await forget_sessions(house)
        form = {"_csrf_token": board.cookies["csrftoken"], "number": "31000001", "factor": "2", "reason": "x"}
        place = "/staff/exams/thi-thu-tn-2027/accommodations"
        answer = await board.post(place, data=form, headers=HTML | {"referer": house.url + place})
        assert answer.status_code == 303
        assert answer.headers["location"] == f"/staff/sign-in?next={place}&ended=form"
        door = await board.get(answer.headers["location"], headers=HTML)
        assert "biểu mẫu vừa gửi chưa được lưu" in door.text
        elsewhere = await board.post(place, data=form, headers=HTML | {"referer": "https://evil.example/staff/x"})
        assert "next=/staff&" in elsewhere.headers["location"]


async def test_programs_and_parts_of_pages_are_told_in_words(house: House) -> None:
    async with house.staff("board") as board:
        await forget_sessions(house)
        for path, headers in (("/api/exams", {}), ("/staff/exams", HTML | {"hx-request": "true"})):
            answer = await board.get(path, headers=headers)
            problem = answer.json()
            assert (answer.status_code, problem["code"]) == (401, "sign-in-needed")
            assert problem["title"] == "Hãy đăng nhập lại"
            assert "vẫn còn nguyên" in problem["detail"]


async def test_who_never_signed_in_is_not_told_of_a_session(visitor: httpx.AsyncClient) -> None:
    answer = await visitor.get("/api/exams")
    assert answer.json()["title"] == "Vui lòng đăng nhập trước"
    door = await visitor.get("/staff/exams", headers=HTML)
    assert door.headers["location"] == "/staff/sign-in?next=/staff/exams"


async def sign_in(page: Page, user_name: str) -> None:
    await page.fill("input[name=user_name]", user_name)
    await page.fill("input[name=password]", PASSWORDS[user_name])
    await page.keyboard.press("Enter")


@pytest.mark.parametrize("size", [(1440, 900), (390, 844), (1024, 768)], ids=str)
async def test_a_console_says_so_and_leads_back_to_its_room(
    house: House, browser: Browser, size: tuple[int, int]
) -> None:
    room = await practice_room(house)
    context = await browser.new_context(
        base_url=house.url, viewport={"width": size[0], "height": size[1]}, reduced_motion="reduce"
    )
    context.set_default_timeout(15_000)
    page = await context.new_page()
    await page.goto("/staff/sign-in?lang=vi")
    await sign_in(page, "invigilator")
    await page.wait_for_url(re.compile(r"/staff/?$"))
    address = f"/staff/sittings/{room.sitting}/rooms/{room.room}"
    await page.goto(address)
    await page.wait_for_selector(".seat")
    await forget_sessions(house)
    await page.evaluate(
        "document.querySelector('room-board').replaceWith(document.querySelector('room-board').cloneNode())"
    )
    alert = page.locator("room-board .alert--warn")
    await expect(alert).to_contain_text("không mất gì cả")
    assert await violations(page) == []
    assert await page.evaluate("document.documentElement.scrollWidth") <= size[0]
    await alert.get_by_role("link", name="Đăng nhập lại").click()
    await expect(page.locator("h1")).to_have_text("Đăng nhập")
    await expect(page.locator(".alert")).to_contain_text("Không mất gì cả")
    assert await violations(page) == []
    await sign_in(page, "invigilator")
    await page.wait_for_url(f"**{address}")
    await page.wait_for_selector(".seat")
    await context.close()
