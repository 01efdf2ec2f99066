"""How soon a candidate can begin on a slow machine: a real browser, cold cache, its processor slowed down.

    python -m loadtests.bench_player --rounds 7 --slower 6

Starts an installation of its own. Each round is a candidate with a browser profile of their own: the door is ready once
the fields of the card can be typed into, the paper once the first item stands on the screen. Both are taken inside the
page, from its navigation or the pressed button to the first frame that shows them.
"""

import argparse
import asyncio
import shutil
import statistics
import sys

import msgspec
from playwright.async_api import Browser, Page, async_playwright

from loadtests.benchmark_page import machine_line, write_section
from loadtests.candidate_bot.seat import Card
from loadtests.stage import open_stage

BAR_MS = 1500.0
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
START = ".attempt .button--primary:not([disabled])"
# Notes the first frame after a selector matches; a frame later, what matched has been painted.
WATCH = """
window.shown = {}
for (const [name, selector] of [['door', '#number:not([disabled])'], ['paper', '.item']]) {
  const look = () => {
    if (document.querySelector(selector)) requestAnimationFrame(() => { window.shown[name] = performance.now() })
    else requestAnimationFrame(look)
  }
  requestAnimationFrame(look)
}
addEventListener('click', () => { window.pressed = performance.now() }, { capture: true })
"""


class Ready(msgspec.Struct, frozen=True):
    """Milliseconds of one round."""

    door: float
    paper: float


async def run(rounds: int, slower: float, executable: str) -> list[Ready]:
    """Let one candidate after the other come in."""

    def tell(text: str) -> None:
        sys.stderr.write(text + "\n")

    async with open_stage(rounds + 1, 1, tell) as stage, async_playwright() as driver:
        browser = await driver.chromium.launch(executable_path=executable, args=["--disable-dev-shm-usage"])
        try:
            await _come_in(browser, stage.base_url, stage.cards[0], slower)  # the server's first, not the browser's
            return [await _come_in(browser, stage.base_url, card, slower) for card in stage.cards[1 : rounds + 1]]
        finally:
            await browser.close()


async def _come_in(browser: Browser, base_url: str, card: Card, slower: float) -> Ready:
    context = await browser.new_context(base_url=base_url, viewport={"width": 1024, "height": 768})
    try:
        page = await context.new_page()
        devtools = await context.new_cdp_session(page)
        await devtools.send("Emulation.setCPUThrottlingRate", {"rate": slower})
        await page.add_init_script(WATCH)
        await page.goto(f"/exam/?exam={card.exam}", wait_until="commit")
        door = await _shown(page, "door")
        await page.fill("#number", card.number)
        await page.fill("#code", card.sit_code)
        await page.keyboard.press("Enter")
        await page.locator(START).click()
        return Ready(door, await _shown(page, "paper") - float(await page.evaluate("window.pressed")))
    finally:
        await context.close()


async def _shown(page: Page, name: str) -> float:
    await page.wait_for_function("name => window.shown?.[name]", arg=name)
    return float(await page.evaluate("name => window.shown[name]", name))


def _section(found: list[Ready], slower: float) -> str:
    rows = "\n".join(
        f"| {label} | {statistics.median(values):.0f} | {max(values):.0f} | < {BAR_MS:.0f} |"
        for label, values in (
            ("address entered → the card can be typed in", [one.door for one in found]),
            ("“start” pressed → the first item stands there", [one.paper for one in found]),
        )
    )
    return (
        f"| what | median ms | worst ms | bar |\n|---|---|---|---|\n{rows}\n\n"
        f"Chromium, {len(found)} candidates one after the other, each with an empty profile, processor slowed down "
        f"{slower:g} times; server and browser on the same machine.\n\n{machine_line()}"
    )


def main() -> int:
    """Run, write the section of docs/benchmarks.md, and tell by the exit code whether the bar was met."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--slower", type=float, default=6.0, help="how many times slower the browser's processor is")
    options = parser.parse_args()
    executable = next(filter(None, map(shutil.which, BROWSERS)), None)
    if executable is None:
        sys.stderr.write("no Chromium was found: sh .ci/chromium installs it\n")
        return 2
    found = asyncio.run(run(options.rounds, options.slower, executable))
    text = _section(found, options.slower)
    sys.stdout.write(text + "\n")
    write_section("bench-player", "How soon a candidate can begin (`make bench`)", text)
    slowest = max(statistics.median(one.door for one in found), statistics.median(one.paper for one in found))
    return 0 if slowest < BAR_MS else 1


if __name__ == "__main__":
    raise SystemExit(main())
