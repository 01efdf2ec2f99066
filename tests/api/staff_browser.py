"""A staff page in a real browser, signed in as the board, and what must hold on it at every width."""

import re

from playwright.async_api import Browser, Page

from tests.api.conftest import PASSWORDS, House
from tests.api.test_pages import violations

Size = tuple[int, int]


async def open_staff_page(house: House, browser: Browser, path: str, size: Size, language: str = "vi") -> Page:
    """Open a page as the board."""
    context = await browser.new_context(
        base_url=house.url, viewport={"width": size[0], "height": size[1]}, reduced_motion="reduce"
    )
    context.set_default_timeout(15_000)
    page = await context.new_page()
    await page.goto(f"/staff/sign-in?lang={language}")
    await page.fill("input[name=user_name]", "board")
    await page.fill("input[name=password]", PASSWORDS["board"])
    await page.keyboard.press("Enter")
    await page.wait_for_url(re.compile(r"/staff/?$"))
    await page.goto(path)
    return page


async def require_sound(page: Page, width: int) -> None:
    """Nothing violates WCAG, and nothing is cut off at the side."""
    assert await violations(page) == []
    assert await page.evaluate("document.documentElement.scrollWidth") <= width
