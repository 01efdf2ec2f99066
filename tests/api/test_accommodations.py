"""Accommodations over HTTP and on their page: who may, what seats of open sittings get, what the console shows."""

import re
from typing import Any

import httpx
import pytest
from playwright.async_api import Browser, expect

from tests.api.conftest import House
from tests.api.rooms import Room, room_of
from tests.api.staff_browser import open_staff_page, require_sound

EXAM = "thi-thu-tn-2027"
SITTING = "thi-thu-tn-2027-toan"
PATH = f"/api/exams/{EXAM}/accommodations"
WIDTHS = ((1440, 900), (390, 844), (1024, 768))


async def sit(client: httpx.AsyncClient, device: str) -> tuple[str, dict[str, Any]]:
    """Start the paper of who is signed in."""
    attempts = (await client.get("/api/candidate/attempts")).json()["attempts"]
    attempt = attempts[0]["attempt_id"]
    answer = await client.post(f"/api/attempts/{attempt}/start", json={"client_id": device})
    assert answer.status_code == 200, answer.text
    return attempt, answer.json()


async def board_seat(client: httpx.AsyncClient, room: Room, attempt: str) -> dict[str, Any]:
    board = (await client.get(f"{room.path}/board")).json()
    found: dict[str, Any] = next(seat for seat in board["seats"] if seat["attempt_id"] == attempt)
    return found


async def test_a_running_paper_gets_and_gives_back_exactly_the_difference(house: House) -> None:
    room = await room_of(house, SITTING)
    card = await house.card(EXAM, 4)
    async with house.seat(EXAM, 4) as seat, house.staff("board") as board:
        attempt, started = await sit(seat, "acc-1.a")
        body = {"candidate_number": card.number, "time_factor": "1.25", "extra_minutes": 5, "reason": "QĐ 12"}
        answer = await board.post(PATH, json=body)
        assert answer.status_code == 200, answer.text
        assert answer.json()["changed"] == 1
        assert SITTING in answer.json()["sittings"]
        minutes = started["duration_ms"] // 60_000 if "duration_ms" in started else 90
        granted_ms = minutes * 60_000 // 4 + 5 * 60_000
        shown = await board_seat(board, room, attempt)
        assert shown["deadline_ms"] == started["deadline_ms"] + granted_ms
        assert shown["accommodated_seconds"] == granted_ms // 1000
        line = next(one for one in (await board.get(PATH)).json() if one["candidate_number"] == card.number)
        assert (line["time_factor"], line["extra_minutes"], line["subject"]) == ("1.25", 5, None)
        again = await board.post(PATH, json=body)
        assert again.json()["changed"] == 0
        back = await board.post(f"{PATH}/{line['id']}/withdraw", json={"reason": "nhầm"})
        assert back.json()["changed"] == 1
        assert (await board_seat(board, room, attempt))["deadline_ms"] == started["deadline_ms"]
        kinds: list[str] = []
        while not {"notice_time", "notice_message"} <= set(kinds):  # written by the write-behind
            kinds = [one["kind"] for one in (await board.get(f"{room.path}/attempts/{attempt}/timeline")).json()]
        assert kinds.count("accommodate") == 2


async def test_only_who_manages_the_exam_reads_and_writes_them(house: House) -> None:
    async with house.staff("invigilator") as invigilator:
        assert (await invigilator.get(PATH)).status_code == 403
        body = {"candidate_number": "31000001", "time_factor": "2", "reason": "x"}
        assert (await invigilator.post(PATH, json=body)).status_code == 403
        page = await invigilator.get(f"/staff/exams/{EXAM}/accommodations", headers={"accept": "text/html"})
        assert page.status_code == 403


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"candidate_number": "31000001", "reason": "x"}, 422, "accommodation-empty"),
        ({"candidate_number": "31000001", "time_factor": "9", "reason": "x"}, 422, "time-factor-invalid"),
        ({"candidate_number": "39999999", "time_factor": "2", "reason": "x"}, 404, "candidate-unknown"),
        ({"candidate_number": "31000001", "time_factor": "2", "subject": "XX", "reason": "x"}, 404, "subject-unknown"),
        ({"candidate_number": "31000001", "extra_minutes": 241, "reason": "x"}, 400, "request-invalid"),
        ({"candidate_number": "31000001", "time_factor": "2"}, 400, "request-invalid"),
    ],
)
async def test_what_makes_no_sense_is_a_typed_refusal(
    house: House, body: dict[str, Any], status: int, code: str
) -> None:
    async with house.staff("board") as board:
        answer = await board.post(PATH, json=body)
        assert (answer.status_code, answer.json()["code"]) == (status, code)


async def test_a_file_is_checked_first_and_taken_whole(house: House) -> None:
    card = await house.card(EXAM, 8)
    text = f"SBD;Môn thi;Thêm phút\n{card.number};;10\n"
    async with house.staff("board") as board:
        file = {"file": ("ho-tro.csv", text.encode())}
        planned = (await board.post(f"{PATH}/import?dry_run=true", files=file)).json()
        assert (planned["report"]["created"], planned["report"]["is_dry_run"]) == (1, True)
        before = (await board.get(PATH)).json()
        assert card.number not in {one["candidate_number"] for one in before}
        done = (await board.post(f"{PATH}/import", files=file)).json()
        assert done["report"]["created"] == 1
        wrong = await board.post(f"{PATH}/import", files={"file": ("x.csv", b"SBD;minutes\n39999999;10\n")})
        assert wrong.status_code == 422
        assert wrong.json()["errors"]


@pytest.mark.parametrize("size", WIDTHS, ids=str)
async def test_the_page_grants_changes_imports_and_withdraws(
    house: House, browser: Browser, size: tuple[int, int]
) -> None:
    position = 5 + WIDTHS.index(size)
    card = await house.card(EXAM, position)
    name = (await house.candidates(EXAM))[position].full_name
    page = await open_staff_page(house, browser, f"/staff/exams/{EXAM}/accommodations", size)
    await page.fill("#number", card.number)
    await page.fill("#factor", "7")
    await page.fill("#reason", "Quyết định 12")
    await page.click("#grant button")
    await expect(page.locator(".alert--bad")).to_contain_text("hệ số thời gian")
    await expect(page.locator("#number")).to_have_value(card.number)
    await page.fill("#factor", "1,5")
    await page.fill("#note", "Màn hình lớn")
    await page.click("#grant button")
    row = page.locator("#accommodations tbody tr", has_text=name)
    await expect(row).to_contain_text("× 1,50")
    await expect(row).to_contain_text("Màn hình lớn")
    await require_sound(page, size[0])
    await row.get_by_role("link", name=re.compile("^Sửa")).click()
    await expect(page.locator("#factor")).to_have_value("1.50")
    await page.fill("#factor", "")
    await page.fill("#minutes", "20")
    await page.fill("#reason", "Quyết định 13")
    await page.click("#grant button")
    await expect(row).to_contain_text("+ 20 phút")
    content = f"SBD;Thêm phút\n{card.number};25\n".encode()
    await page.set_input_files("#accommodations-file", {"name": "a.csv", "mimeType": "text/csv", "buffer": content})
    await page.click("form[enctype] button")
    await expect(page.locator("main")).to_contain_text("25")
    await page.click("form[action$=confirm] button")
    await expect(row).to_contain_text("+ 25 phút")
    await row.get_by_role("button", name=re.compile("^Thu hồi")).click()
    await page.locator("dialog .button", has_text=re.compile("^Thu hồi$")).click()
    await expect(row).to_have_count(0)
    await page.context.close()


async def test_the_page_speaks_english_too(house: House, browser: Browser) -> None:
    page = await open_staff_page(house, browser, f"/staff/exams/{EXAM}/accommodations", WIDTHS[0], "en")
    await expect(page.locator("h1")).to_have_text("Accommodations")
    await require_sound(page, WIDTHS[0][0])
    await page.context.close()
