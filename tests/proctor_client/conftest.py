"""Fixtures of the browser tests: a peer with a port of its own, a fresh browser context, errors that fail the test."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, Page

from tests.proctor_client import papers
from tests.proctor_client.peer import DIST, ExamPeer, PeerServer

CODE = "7k3m 9qxa 2b4d"
AXE = Path(__file__).resolve().parents[2] / "proctor_client" / "node_modules" / "axe-core" / "axe.min.js"

OpenContext = Callable[..., Awaitable[BrowserContext]]
Check = Callable[[Page], Awaitable[None]]


@pytest.fixture
def peer() -> ExamPeer:
    return ExamPeer(papers.mathematics())


@pytest.fixture
def server(peer: ExamPeer) -> Iterator[PeerServer]:
    assert (DIST / "exam.html").exists(), "the front end is not built: run npm run build in proctor_client"
    server = PeerServer(peer)
    yield server
    server.stop()


@pytest.fixture
def complaints() -> list[str]:
    """Errors the pages wrote to the console, the content policy's refusals among them."""
    return []


@pytest_asyncio.fixture
async def open_context(browser: Browser, server: PeerServer, complaints: list[str]) -> AsyncIterator[OpenContext]:
    """Open contexts whose pages may not complain."""
    opened: list[BrowserContext] = []

    def watch(page: Page) -> None:
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda message: _note(complaints, message.type, message.text))

    async def open_one(**options: Any) -> BrowserContext:
        context = await browser.new_context(base_url=server.address, **options)
        context.set_default_timeout(15_000)
        context.on("page", watch)
        opened.append(context)
        return context

    yield open_one
    for context in opened:
        await context.close()
    assert complaints == []


def _note(complaints: list[str], kind: str, text: str) -> None:
    # The browser itself writes a line for every request that fails; those are what these tests are about.
    if kind == "error" and "Failed to load resource" not in text:
        complaints.append(text)


@pytest_asyncio.fixture
async def page(open_context: OpenContext) -> Page:
    context = await open_context(viewport={"width": 1440, "height": 900})
    return await context.new_page()


@pytest.fixture
def check_accessible() -> Check:
    """Fail on any violation of WCAG 2.2 A and AA that axe-core finds."""
    source = AXE.read_text()

    async def check(page: Page) -> None:
        await page.evaluate(source + ";0")
        found = await page.evaluate(
            """async () => (await axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa',
            'wcag22aa', 'best-practice']}))
            .violations.map(v => v.id + ': ' + v.nodes.map(n => n.target.join(' ') + ' ' + (n.any[0]?.message ??
            '')).join(' | '))"""
        )
        assert found == []

    return check


async def sign_in(page: Page, *, language: str = "vi") -> None:
    """From the address on the card to the waiting room."""
    await page.goto(f"/exam/?exam=thi-thu-tn-2027&lang={language}")
    await page.fill("#number", "31 000 123")
    await page.fill("#code", CODE)
    await page.keyboard.press("Enter")
    await page.wait_for_selector(".waiting")


async def start(page: Page, *, language: str = "vi") -> None:
    """From the card to the first item."""
    await sign_in(page, language=language)
    await page.click(".attempt .button:not([disabled])")
    await page.wait_for_selector(".item")


async def go_to(page: Page, position: int) -> None:
    """Open an item by the palette."""
    await page.click(f".desk__side .cell >> nth={position - 1}")
    await page.wait_for_selector(f".item__number:text-is('Câu {position}')")


async def saved(page: Page) -> None:
    """Wait until the screen says so."""
    await page.wait_for_selector(".save--saved")
