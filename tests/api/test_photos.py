"""Photos where people are compared with them: the seat's waiting room, and what is printed for the room."""

import io

import pypdfium2
import pytest
from PIL import Image
from playwright.async_api import Browser, expect

from exam_engine.enrolment import service as enrolment
from exam_engine.enrolment.photo_files import PhotoFile
from exam_engine.infra.database import transaction
from tests.api.conftest import House
from tests.api.rooms import room_of
from tests.api.test_pages import violations

EXAM = "thi-thu-tn-2027"
RED = (200, 30, 30)
WITH_PHOTO, WITHOUT = 6, 7


@pytest.fixture
async def photographed(house: House) -> str:
    """The number of a candidate whose photo is all red."""
    number = (await house.candidates(EXAM))[WITH_PHOTO].number or ""
    buffer = io.BytesIO()
    Image.new("RGB", (600, 800), RED).save(buffer, "JPEG")
    async with transaction(house.engine.sessions) as session:
        exam = await enrolment.require_exam(session, EXAM)
        files = [PhotoFile(f"{number}.jpg", number, buffer.getvalue())]
        await enrolment.import_photos(session, exam, files, "photos.zip", actor="test", now=house.engine.clock())
    return number


async def test_a_candidate_gets_the_own_photo_and_nobody_elses(house: House, photographed: str) -> None:
    async with house.seat(EXAM, WITH_PHOTO) as seat:
        answer = await seat.get("/api/candidate/photo")
        assert (answer.status_code, answer.headers["content-type"]) == (200, "image/jpeg")
        assert "no-store" in answer.headers["cache-control"]
        assert Image.open(io.BytesIO(answer.content)).format == "JPEG"
    async with house.seat(EXAM, WITHOUT) as seat:
        answer = await seat.get("/api/candidate/photo")
        assert (answer.status_code, answer.content) == (204, b"")
    async with house.browser() as stranger:
        assert (await stranger.get("/api/candidate/photo")).status_code == 401
        forged = {"Authorization": "Bearer x.y.z"}
        assert (await stranger.get("/api/candidate/photo", headers=forged)).status_code == 401


@pytest.mark.parametrize("size", [(1440, 900), (390, 844), (1024, 768)], ids=str)
async def test_the_waiting_room_asks_is_this_you_with_the_photo(
    house: House, browser: Browser, photographed: str, size: tuple[int, int]
) -> None:
    card = await house.card(EXAM, WITH_PHOTO)
    context = await browser.new_context(
        base_url=house.url, viewport={"width": size[0], "height": size[1]}, reduced_motion="reduce"
    )
    page = await context.new_page()
    refused: list[str] = []
    page.on("console", lambda said: refused.append(said.text) if "Content Security Policy" in said.text else None)
    await page.goto(f"/exam/?exam={EXAM}&lang=vi")
    await page.fill("#number", card.number)
    await page.fill("#code", card.sit_code)
    await page.keyboard.press("Enter")
    photo = page.locator(".identity__photo")
    await expect(photo).to_be_visible()
    name = (await house.candidates(EXAM))[WITH_PHOTO].full_name
    assert await photo.get_attribute("alt") == f"Ảnh của {name}"
    assert await photo.evaluate("image => image.decode().then(() => image.naturalWidth)") > 0
    assert refused == []
    assert await violations(page) == []
    assert await page.evaluate("document.documentElement.scrollWidth") <= size[0]
    await context.close()


async def test_the_printed_list_and_map_of_a_room_show_the_photos(house: House, photographed: str) -> None:
    room = await room_of(house, f"{EXAM}-toan")
    async with house.staff("board") as board:
        for sheet in ("list", "seats"):
            answer = await board.get(f"/staff/sittings/{room.sitting}/rooms/{room.room}/{sheet}.pdf")
            assert answer.status_code == 200
            document = pypdfium2.PdfDocument(answer.content)
            pages = [page.render(scale=2).to_pil().convert("RGB") for page in document]
            assert any(_has_red(page) for page in pages), sheet
            assert photographed in "".join(page.get_textpage().get_text_bounded() for page in document)


def _has_red(page: Image.Image) -> bool:
    colours = page.getcolors(page.width * page.height) or []
    return any(
        count > 400 and all(abs(found - wanted) < 12 for found, wanted in zip(colour, RED, strict=True))
        for count, colour in colours
    )
