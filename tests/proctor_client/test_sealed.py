"""Sealed papers in a real browser: fetched while waiting, opened by the start or by the release code, handed over."""

import re
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Page, expect

from tests.proctor_client import papers
from tests.proctor_client.conftest import Check, OpenContext, go_to, saved, sign_in
from tests.proctor_client.peer import ExamPeer
from tests.proctor_client.seals import PeerSeal
from tests.proctor_client.test_trouble import ready_for_offline

FETCHED = ".waiting__status >> text=Đề thi đã có trên máy này"


@pytest.fixture
def peer() -> ExamPeer:
    peer = ExamPeer(papers.mathematics())
    peer.seal = PeerSeal(peer.form)
    peer.starts_ms = peer.now_ms() + 20_000
    return peer


async def _pass(page: Page, peer: ExamPeer, milliseconds: int) -> None:
    """Let time pass on both sides."""
    peer.ahead_ms += milliseconds
    await page.clock.fast_forward(milliseconds)


def _values(peer: ExamPeer) -> dict[int, Any]:
    return {slot: held["value"] for slot, held in sorted(peer.responses.items())}


def _seal(peer: ExamPeer) -> PeerSeal:
    assert peer.seal is not None
    return peer.seal


async def _fetch(page: Page, peer: ExamPeer) -> None:
    """Wait in the waiting room until the paper is on the computer."""
    await page.clock.install()
    await sign_in(page)
    await _pass(page, peer, 8_000)
    await page.wait_for_selector(FETCHED)


async def _network_out_at_the_start(page: Page, peer: ExamPeer) -> None:
    await ready_for_offline(page)
    peer.is_dark = True
    await page.context.set_offline(True)
    await _pass(page, peer, 30_000)
    await page.wait_for_selector(".code-start:visible")


async def test_the_waiting_room_proves_that_the_paper_is_on_the_computer_and_unreadable(
    page: Page, peer: ExamPeer
) -> None:
    await _fetch(page, peer)
    check = f"{_seal(peer).hash[:4]} {_seal(peer).hash[4:8]}"
    await expect(page.locator(".waiting__status")).to_contain_text(check)
    stored = await page.evaluate(
        """new Promise(done => { const open = indexedDB.open('exam-vault'); open.onsuccess = () => {
        const all = open.result.transaction('sealed').objectStore('sealed').getAll();
        all.onsuccess = () => done(all.result.map(row => new TextDecoder('latin1').decode(row.bytes))) } })"""
    )
    assert len(stored) == 1
    assert "stem" not in stored[0]


async def test_the_start_opens_the_fetched_paper_without_another_download(page: Page, peer: ExamPeer) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    await _fetch(page, peer)
    await _pass(page, peer, 20_000)
    await page.click(".attempt .button--primary:not([disabled])")
    await page.wait_for_selector(".item")
    assert not [url for url in asked if "/api/forms/" in url]
    await go_to(page, 13)
    assert await page.locator(".item__stem img").evaluate("image => image.decode().then(() => image.naturalWidth > 0)")


async def test_a_paper_changed_on_its_way_is_not_kept_and_the_start_still_works(page: Page, peer: ExamPeer) -> None:
    seal = _seal(peer)
    good, seal.paper = seal.paper, seal.paper[:-1] + bytes([seal.paper[-1] ^ 1])
    await page.clock.install()
    await sign_in(page)
    async with page.expect_response("**/api/papers/*"):
        await _pass(page, peer, 8_000)
    await expect(page.locator(FETCHED)).to_have_count(0)
    await _pass(page, peer, 20_000)
    await page.click(".attempt .button--primary:not([disabled])")
    await page.wait_for_selector(".item")
    assert good != seal.paper


async def test_a_candidate_starts_and_works_with_the_network_out_by_the_release_code(
    page: Page, peer: ExamPeer, check_accessible: Check
) -> None:
    await _fetch(page, peer)
    await _network_out_at_the_start(page, peer)
    await check_accessible(page)
    await page.fill(".code-start input", "0000 0000 0000")
    await page.click(".code-start button")
    await expect(page.locator(".code-start .field__error")).to_contain_text("không mở được đề")
    await page.fill(".code-start input", _seal(peer).code.lower())
    await page.keyboard.press("Enter")
    await page.wait_for_selector(".item")
    await page.keyboard.press("a")
    await go_to(page, 13)
    for key in "0,5":
        await page.keyboard.press(key)
    await expect(page.locator(".item__stem img")).to_be_visible()
    await _pass(page, peer, 10 * 60_000)
    await go_to(page, 2)
    await page.keyboard.press("b")
    await page.reload()
    await page.wait_for_selector(".item")
    assert (peer.state, _values(peer)) == ("ready", {})
    peer.is_dark = False
    await page.context.set_offline(False)
    await saved(page)
    assert _values(peer) == {1: "A", 2: "C", 13: "0,5"}
    assert peer.claimed_ms > 0
    assert peer.started_ms == peer.claimed_ms


async def test_the_hand_over_file_brings_every_answer_and_shows_none(
    page: Page, peer: ExamPeer, tmp_path: Path
) -> None:
    await _fetch(page, peer)
    await _network_out_at_the_start(page, peer)
    await page.fill(".code-start input", _seal(peer).code)
    await page.keyboard.press("Enter")
    await page.wait_for_selector(".item")
    await page.keyboard.press("a")
    await go_to(page, 17)
    await page.fill("textarea", "Tự học là con đường ngắn nhất.")
    await expect(page.locator(".hand-over")).to_be_hidden()
    await _pass(page, peer, 121_000)
    async with page.expect_download() as coming:
        await page.click(".hand-over .button")
    download = await coming.value
    assert re.fullmatch(r"ban-giao-31000123-3f2a91bc\.exam\.json", download.suggested_filename)
    content = Path(await download.path()).read_bytes()
    assert "Tự học" not in content.decode()
    handed = _seal(peer).open_hand_over(content)
    assert {r.slot: r.value for r in handed.responses} == {1: "A", 17: "Tự học là con đường ngắn nhất."}
    assert handed.started_at_ms > 0
    assert "." in handed.client_id


async def test_without_web_crypto_nothing_is_fetched_and_the_paper_still_opens(
    open_context: OpenContext, peer: ExamPeer
) -> None:
    peer.starts_ms = peer.now_ms() - 1_000
    context = await open_context()
    await context.add_init_script("Object.defineProperty(Crypto.prototype, 'subtle', { get: () => undefined })")
    page = await context.new_page()
    await sign_in(page)
    await expect(page.locator(".waiting__status")).not_to_contain_text("Đề thi đã có")
    await page.click(".attempt .button--primary:not([disabled])")
    await page.wait_for_selector(".item")
    await page.keyboard.press("a")
    await saved(page)
    assert _values(peer) == {1: "A"}
