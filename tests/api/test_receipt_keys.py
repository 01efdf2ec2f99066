"""The published keys: as JSON with dates, and as a page anybody reads, in both languages and on a phone."""

import json

import httpx
import pytest
from playwright.async_api import Browser, expect

from exam_engine.delivery.signing import SigningKey
from tests.api.conftest import House
from tests.api.test_pages import violations


async def test_the_key_in_use_is_published_from_the_first_start_on(house: House, visitor: httpx.AsyncClient) -> None:
    answer = await visitor.get("/.well-known/receipt-keys.json")
    found = answer.json()
    own = SigningKey(house.engine.master_secret).public.id
    (key,) = [one for one in found["keys"] if one["kid"] == own]
    assert (key["kty"], key["crv"], key["used_until"]) == ("OKP", "Ed25519", None)
    assert key["used_from"]
    assert found["time_zone"] == house.settings.time_zone
    assert json.dumps(found) == json.dumps((await visitor.get("/.well-known/receipt-keys.json")).json())


@pytest.mark.parametrize("size", [(1440, 900), (390, 844), (1024, 768)], ids=str)
@pytest.mark.parametrize(("language", "title"), [("vi", "Khóa kiểm tra biên nhận"), ("en", "Keys of receipts")])
async def test_the_page_shows_every_key(
    house: House, browser: Browser, size: tuple[int, int], language: str, title: str
) -> None:
    context = await browser.new_context(
        base_url=house.url, viewport={"width": size[0], "height": size[1]}, reduced_motion="reduce"
    )
    page = await context.new_page()
    await page.goto(f"/?lang={language}")
    await page.click("footer a")
    await expect(page.locator("h1")).to_have_text(title)
    await expect(page.locator("tbody")).to_contain_text(SigningKey(house.engine.master_secret).public.id)
    assert await violations(page) == []
    assert await page.evaluate("document.documentElement.scrollWidth") <= size[0]
    await context.close()
