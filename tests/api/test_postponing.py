"""The page on which a sitting begins later: looked at, done once, refused in words, taken back while it can be."""

import re
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

import httpx
import pytest
from playwright.async_api import Browser, expect

from tests.api.conftest import House
from tests.api.own_sittings import OwnSitting, own_sitting
from tests.api.staff_browser import open_staff_page, require_sound

HTML = {"accept": "text/html"}
AHEAD = timedelta(hours=2)


def form(step: str = "check", **typed: str) -> dict[str, str]:
    return {"request_id": uuid4().hex, "minutes": "15", "room": "", "reason": "Mưa bão", "step": step, **typed}


def hidden(page: str, name: str) -> str:
    found = re.search(f'name="{name}" value="([^"]*)"', page)
    assert found, f"no field {name}"
    return found.group(1)


def local(house: House, moment: datetime) -> str:
    return moment.astimezone(ZoneInfo(house.settings.time_zone)).strftime("%H:%M")


async def starts_of(client: httpx.AsyncClient, own: OwnSitting) -> datetime:
    listed = (await client.get("/api/sittings", params={"exam": own.exam})).json()
    return datetime.fromisoformat(next(one for one in listed if one["id"] == str(own.id))["starts_at"])


async def send(client: httpx.AsyncClient, own: OwnSitting, data: dict[str, str], path: str = "") -> httpx.Response:
    return await client.post(f"{own.page}/postpone{path}", data=data, headers=HTML)


async def agreed(client: httpx.AsyncClient, own: OwnSitting, **typed: str) -> dict[str, str]:
    """Look at what a form means; return what its confirmation sends."""
    shown = await send(client, own, form(**typed))
    assert shown.status_code == 200, shown.text
    names = ("request_id", "minutes", "room", "reason", "seen_starts_ms")
    return {name: hidden(shown.text, name) for name in names} | {"step": "confirm"}


@pytest.mark.parametrize("is_open", [False, True], ids=["planned", "open"])
async def test_a_start_is_shown_first_then_postponed_once_however_often_it_is_sent(house: House, is_open: bool) -> None:
    own = await own_sitting(house, begins_in=AHEAD, is_open=is_open)
    async with house.staff("board") as board:
        assert f"{own.page}/postpone" in (await board.get(own.page, headers=HTML)).text
        page = await board.get(f"{own.page}/postpone", headers=HTML)
        assert (
            hidden(page.text, "minutes") == "15" if 'name="minutes" value' in page.text else 'value="15"' in page.text
        )
        shown = await send(board, own, form(minutes="20"))
        later = own.starts_at + timedelta(minutes=20)
        for text in (local(house, later), local(house, later + timedelta(minutes=60)), 'stat__value">5<'):
            assert text in shown.text
        assert await starts_of(board, own) == own.starts_at
        agreeing = await agreed(board, own, minutes="20")
        for _ in range(2):
            done = await send(board, own, agreeing)
            assert (done.status_code, done.headers["location"]) == (303, f"{own.page}/postpone")
            assert await starts_of(board, own) == later
        listed = await board.get(f"{own.page}/postpone", headers=HTML)
        assert listed.text.count("Mưa bão") == 1
        # Who went back in the browser and looks again under the same request wants something new.
        assert (
            hidden((await send(board, own, form(request_id=agreeing["request_id"]))).text, "request_id")
            != agreeing["request_id"]
        )


async def test_one_room_begins_later_and_the_sittings_page_names_it(house: House) -> None:
    own = await own_sitting(house, begins_in=AHEAD, is_open=True)
    async with house.staff("board") as board:
        done = await send(board, own, await agreed(board, own, room=str(own.rooms["P002"]), minutes="30"))
        assert done.status_code == 303
        assert await starts_of(board, own) == own.starts_at
        page = (await board.get(own.page, headers=HTML)).text
        assert f'badge--warn number">{local(house, own.starts_at + timedelta(minutes=30))}<' in page
        assert page.count("badge--warn") == 1
        both = await send(board, own, form(minutes="10"))
        assert local(house, own.starts_at + timedelta(minutes=40)) in both.text


async def test_what_was_agreed_to_is_not_done_once_somebody_else_moved_the_start(house: House) -> None:
    own = await own_sitting(house, begins_in=AHEAD, is_open=False)
    async with house.staff("board") as board:
        mine, theirs = await agreed(board, own), await agreed(board, own)
        assert (await send(board, own, theirs)).status_code == 303
        refused = await send(board, own, mine)
        assert refused.status_code == 409
        assert "vừa được người khác thay đổi" in refused.text
        assert hidden(refused.text, "request_id") == mine["request_id"]
        assert await starts_of(board, own) == own.starts_at + timedelta(minutes=15)


@pytest.mark.parametrize(
    ("typed", "status", "said"),
    [
        pytest.param({"minutes": "0"}, 422, "số nguyên từ 1 đến 720", id="no minutes"),
        pytest.param({"minutes": "721"}, 422, "số nguyên từ 1 đến 720", id="too many minutes"),
        pytest.param({"minutes": "9" * 20}, 422, "số nguyên từ 1 đến 720", id="a number beyond measure"),
        pytest.param({"minutes": "١٥"}, 422, "số nguyên từ 1 đến 720", id="other digits"),
        pytest.param({"reason": "  ", "minutes": "7"}, 422, "Hãy ghi lý do", id="no reason"),
        pytest.param({"reason": "x" * 501}, 422, "Nhiều nhất 500 ký tự", id="a long reason"),
        pytest.param({"room": str(uuid4())}, 404, "không có phòng đó", id="a room of nobody"),
    ],
)
async def test_a_refused_form_says_why_and_keeps_what_was_typed(
    house: House, typed: dict[str, str], status: int, said: str
) -> None:
    own = await own_sitting(house, begins_in=AHEAD, is_open=False)
    async with house.staff("board") as board:
        for step in ("check", "confirm"):
            sent = form(step, **typed)
            refused = await send(board, own, sent)
            assert (refused.status_code, said in refused.text) == (status, True), refused.text
            assert hidden(refused.text, "request_id") == sent["request_id"]
            assert f'value="{sent["reason"]}"' in refused.text
            assert f'value="{sent["minutes"]}"' in refused.text
        assert await starts_of(board, own) == own.starts_at


async def test_a_seat_that_could_have_started_waits_for_the_later_start(house: House) -> None:
    own = await own_sitting(house, begins_in=-timedelta(minutes=2), is_open=True)
    async with house.seat(own.exam, 0) as seat, house.staff("board") as board:
        attempt = (await seat.get("/api/candidate/attempts")).json()["attempts"][0]["attempt_id"]
        await agreeing(board, own)
        started = await seat.post(f"/api/attempts/{attempt}/start", json={"client_id": "late.a"})
        assert started.json()["code"] == "sitting-not-started"


async def test_where_somebody_has_started_nothing_is_postponed_but_another_room_is(house: House) -> None:
    own = await own_sitting(house, begins_in=-timedelta(minutes=2), is_open=True)
    async with house.seat(own.exam, 0) as seat, house.staff("board") as board:
        attempt = (await seat.get("/api/candidate/attempts")).json()["attempts"][0]["attempt_id"]
        early = await agreed(board, own)
        started = await seat.post(f"/api/attempts/{attempt}/start", json={"client_id": "late.b"})
        assert started.status_code == 200, started.text
        for data in (early, form(), form(room=str(own.rooms["P001"]))):
            refused = await send(board, own, data)
            assert (refused.status_code, "Ở đó đã có người bắt đầu làm bài" in refused.text) == (409, True)
        assert (await send(board, own, await agreed(board, own, room=str(own.rooms["P002"])))).status_code == 303


async def test_a_postponement_is_taken_back_once_and_told_with_names_and_reasons(house: House) -> None:
    own = await own_sitting(house, begins_in=AHEAD, is_open=True)
    async with house.staff("board") as board:
        request = (await agreeing(board, own))["request_id"]
        back = {"act": request, "request_id": uuid4().hex, "reason": "Bão đã tan"}
        for _ in range(2):
            assert (await send(board, own, back, "/take-back")).status_code == 303
        assert await starts_of(board, own) == own.starts_at
        page = (await board.get(f"{own.page}/postpone", headers=HTML)).text
        assert "Bão đã tan" in page
        assert "take-back" not in page
        again = await send(board, own, back | {"request_id": uuid4().hex}, "/take-back")
        assert again.status_code == 409
        unknown = await send(board, own, back | {"act": "never", "request_id": uuid4().hex}, "/take-back")
        assert unknown.status_code == 404


async def agreeing(client: httpx.AsyncClient, own: OwnSitting) -> dict[str, str]:
    """Postpone the whole sitting; return what was sent."""
    data = await agreed(client, own)
    assert (await send(client, own, data)).status_code == 303
    return data


async def test_a_start_that_has_passed_does_not_come_back(house: House) -> None:
    own = await own_sitting(house, begins_in=-timedelta(minutes=1), is_open=True)
    async with house.staff("board") as board:
        assert "Không thể trở lại giờ cũ vì giờ cũ đã qua." in (await send(board, own, form())).text
        assert "Giờ bắt đầu mới cũng đã qua" in (await send(board, own, form(minutes="1"))).text
        request = (await agreeing(board, own))["request_id"]
        page = (await board.get(f"{own.page}/postpone", headers=HTML)).text
        assert "Giờ bắt đầu cũ đã qua, không còn kịp báo cho thí sinh." in page
        assert "take-back" not in page
        back = {"act": request, "request_id": uuid4().hex, "reason": "x"}
        refused = await send(board, own, back, "/take-back")
        assert (refused.status_code, "Giờ bắt đầu cũ đã qua" in refused.text) == (409, True)


async def test_a_closed_sitting_shows_what_was_and_offers_nothing(house: House) -> None:
    own = await own_sitting(house, begins_in=AHEAD, is_open=True)
    async with house.staff("board") as board:
        request = (await agreeing(board, own))["request_id"]
        assert (await board.post(f"/api/sittings/{own.id}/close")).status_code == 200
        page = (await board.get(f"{own.page}/postpone", headers=HTML)).text
        assert "Mưa bão" in page
        assert 'name="minutes"' not in page
        assert f"{own.page}/postpone" not in (await board.get(own.page, headers=HTML)).text
        assert (await send(board, own, form())).status_code == 409
        back: dict[str, Any] = {"act": request, "request_id": uuid4().hex, "reason": "x"}
        assert (await send(board, own, back, "/take-back")).status_code == 409


async def test_only_who_manages_sittings_reads_or_uses_the_page(house: House) -> None:
    own = await own_sitting(house, begins_in=AHEAD, is_open=False)
    async with house.staff("invigilator") as invigilator:
        assert (await invigilator.get(f"{own.page}/postpone", headers=HTML)).status_code == 403
        assert (await send(invigilator, own, form("confirm"))).status_code == 403
        back = {"act": "x", "request_id": "y", "reason": "z"}
        assert (await send(invigilator, own, back, "/take-back")).status_code == 403
        assert f"{own.page}/postpone" not in (await invigilator.get(own.page, headers=HTML)).text


@pytest.mark.parametrize("size", [(1440, 900), (390, 844), (1024, 768)], ids=str)
async def test_the_page_postpones_a_room_and_takes_it_back(
    house: House, browser: Browser, size: tuple[int, int]
) -> None:
    own = await own_sitting(house, begins_in=AHEAD, is_open=True)
    page = await open_staff_page(house, browser, own.page, size)
    await page.get_by_role("link", name="Lùi giờ bắt đầu").click()
    await expect(page.locator("#minutes")).to_have_value("15")
    await page.click("main form.card .button--primary")
    await expect(page.locator("#reason-error")).to_have_text("Hãy ghi lý do; lý do được lưu trong nhật ký.")
    await require_sound(page, size[0])
    await page.select_option("#room", str(own.rooms["P001"]))
    await page.fill("#reason", "Mất điện")
    await page.click("main form.card .button--primary")
    later = local(house, own.starts_at + timedelta(minutes=15))
    await expect(page.locator("#agree")).to_contain_text(later)
    await require_sound(page, size[0])
    await page.get_by_role("button", name="Sửa").click()
    await expect(page.locator("#reason")).to_have_value("Mất điện")
    await page.click("main form.card .button--primary")
    await page.get_by_role("button", name=f"Lùi đến {later}").click()
    await expect(page.locator(".toast")).to_contain_text(f"Phòng P001 bắt đầu lúc {later}")
    await expect(page.locator("#past article")).to_contain_text("Mất điện")
    await require_sound(page, size[0])
    await page.reload()  # the check for violations has opened what was folded
    await page.locator("#past summary").click()
    await page.fill("#back-1", "Có điện lại")
    again = f"Trở lại {local(house, own.starts_at)}"
    await page.get_by_role("button", name=again).click()
    await page.locator("dialog .button", has_text=again).click()
    await expect(page.locator("#past article")).to_contain_text("Có điện lại")
    await page.context.close()


async def test_the_page_speaks_english_too(house: House, browser: Browser) -> None:
    own = await own_sitting(house, begins_in=AHEAD, is_open=False)
    page = await open_staff_page(house, browser, own.page, (1440, 900), "en")
    await page.get_by_role("link", name="Begin later").click()
    await expect(page.locator("h1")).to_have_text("Begin later")
    await page.fill("#reason", "Storm")
    await page.click("main form.card .button--primary")
    await expect(page.locator("#agree h2")).to_have_text("The sitting begins 15 minutes later")
    await require_sound(page, 1440)
    await page.context.close()
