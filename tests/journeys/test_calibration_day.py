"""After an exam day: the room finds the parameters the candidates answered by, and people accept and use them."""

from collections.abc import AsyncIterator
from functools import partial

import msgspec
import numpy as np
import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect

from exam_engine.calibration import service as calibration
from exam_engine.calibration.findings import ItemReport
from exam_engine.cli.rehearsal.bot import Habits
from exam_engine.cli.rehearsal.day import PASSWORD, Day, ExamOfDay
from exam_engine.cli.rehearsal.stack import own_installation
from exam_engine.enrolment import service as enrolment
from exam_engine.infra.database import transaction
from exam_engine.sample import population
from exam_engine.sample.loader import Populations, load_sample
from exam_engine.sample.true_items import true_parameters
from exam_engine.wiring import Engine, open_engine
from tests.proctor_client.conftest import AXE

pytestmark = pytest.mark.timeout(600)

SEED = 2027
GRADUATES = 520
SUBJECT = "/staff/calibration/thi-thu-tn-2027/TOAN"
LONGEST_RUN_MS = 60_000


class AfterTheDay(msgspec.Struct, frozen=True):
    """An installation on which the mathematics paper was sat, and who could what."""

    engine: Engine
    abilities: np.ndarray

    @property
    def url(self) -> str:
        return self.engine.settings.base_url


@pytest_asyncio.fixture(scope="module")
async def day() -> AsyncIterator[AfterTheDay]:
    graduates = population.mock_graduation(GRADUATES, SEED)
    populations: Populations = {
        population.GRADUATION: lambda: graduates,
        population.INTAKE: partial(population.grade_10_intake, 2, SEED),
        population.PRACTICE: partial(population.practice, 2, SEED),
    }
    with own_installation() as settings:
        async with open_engine(settings) as engine:
            await load_sample(engine, populations=populations)
            exam = ExamOfDay(graduates.exam, graduates.abilities)
            statement = await Day(engine, settings.base_url, SEED, Habits(batch=22), lambda *_: None).run(
                [exam], looks_up=False
            )
            assert statement.differences == ()
            yield AfterTheDay(engine, np.array(list(graduates.abilities.values())))


async def signed_in(browser: Browser, day: AfterTheDay, user_name: str, width: int = 1440, height: int = 900) -> Page:
    context = await browser.new_context(base_url=day.url, viewport={"width": width, "height": height}, locale="vi-VN")
    context.set_default_timeout(30_000)
    page = await context.new_page()
    await page.goto("/staff/sign-in")
    await page.fill("[name=user_name]", user_name)
    await page.fill("[name=password]", PASSWORD)
    await page.click("main button.button--primary")
    await page.wait_for_url("**/staff")
    return page


async def newest_reports(day: AfterTheDay) -> list[ItemReport]:
    async with transaction(day.engine.sessions) as session:
        exam = await enrolment.require_exam(session, "thi-thu-tn-2027")
        subject = await enrolment.require_subject(session, exam.id, "TOAN")
        run = await calibration.load_run_numbered(session, subject.id, None)
        return [item.report for item in await calibration.load_items(session, run.id)]


@pytest.mark.browser
async def test_the_room_recovers_the_simulated_bank_and_its_parameters_score_the_sitting(
    day: AfterTheDay, browser: Browser
) -> None:
    page = await signed_in(browser, day, "psychometrician")
    await page.click("nav.shell__nav a[href='/staff/calibration']")
    await page.click("a[href$='/thi-thu-tn-2027/TOAN']")
    await expect(page.locator("main")).to_contain_text("520 bài đã nộp")
    await expect(page.locator("main")).to_contain_text("2PL hợp với mẫu này")
    await page.select_option("#family", "3pl")
    await page.click("main form button.button--primary")
    # The page watches the run by itself and shows the result without a click.
    await expect(page.locator("#items")).to_be_visible(timeout=LONGEST_RUN_MS)
    await expect(page.locator("main")).to_contain_text("đạt")
    await expect(page.locator(".alert--warn")).to_contain_text("2PL sẽ vững hơn")

    reports = await newest_reports(day)
    require_recovered(reports, day.abilities)

    await page.click("#items th[scope=row] a >> nth=0")
    for figure in ("figure-fit", "figure-curves", "figure-information"):
        await expect(page.locator(f"[aria-labelledby^='{figure}-title']")).to_be_visible()
    await page.go_back()
    await page.click("button:has-text('câu không có vấn đề nặng')")
    await page.click("dialog button.button--primary")
    await expect(page.locator("#items")).to_contain_text("đã chấp nhận")

    board = await signed_in(browser, day, "board")
    await board.goto("/staff/results/thi-thu-tn-2027")
    card = board.locator("form[action$='/score-irt']")
    await card.locator("summary").click()
    await card.locator("[name=is_partial]").check()
    await card.locator("button").click()
    await expect(board.locator("main")).to_contain_text("Điểm theo lí thuyết ứng đáp câu hỏi")
    await board.click("a[href*='/irt-runs/']")
    await expect(board.locator("#scores tbody tr")).to_have_count(GRADUATES)


def require_recovered(reports: list[ItemReport], abilities: np.ndarray) -> None:
    """Estimates stand on the scale of these candidates: mean 0, variance 1; the truth is moved there first."""
    mean, sd = float(abilities.mean()), float(abilities.std())
    truth = true_parameters([report.code for report in reports], SEED)
    single = [report for report in reports if len(report.parameters.b) == 1]
    assert len(single) == 18
    b = np.array([report.parameters.b[0] for report in single], dtype=float)
    a = np.array([report.parameters.a for report in single])
    se = np.array([report.errors.b[0] for report in single if report.errors is not None], dtype=float)
    true_b = np.array([(truth[report.code].b - mean) / sd for report in single])
    true_a = np.array([truth[report.code].a * sd for report in single])
    assert np.corrcoef(b, true_b)[0, 1] > 0.9
    assert np.corrcoef(np.log(a), np.log(true_a))[0, 1] > 0.4
    # The mean square of 18 standardised errors has standard deviation sqrt(2/18): three of them above 1 is 2.
    assert np.mean(((b - true_b) / se) ** 2) < 2.0
    assert np.sqrt(np.mean((b - true_b) ** 2)) < 1.5 * np.sqrt(np.mean(se**2))
    clusters = [report for report in reports if report.code.split("-")[1] == "TF"]
    assert {report.parameters.model for report in clusters} == {"gpcm"}


@pytest.mark.browser
@pytest.mark.parametrize(("width", "height"), [(390, 844), (1024, 768), (1440, 900)], ids=["phone", "old", "desktop"])
async def test_the_pages_fit_the_screen_and_everybody_can_use_them(
    day: AfterTheDay, browser: Browser, width: int, height: int
) -> None:
    page = await signed_in(browser, day, "psychometrician", width, height)
    await page.goto(SUBJECT)
    if await page.locator("th[scope=row] a").count() == 0:
        await page.click("main form button.button--primary")
        await expect(page.locator("#items")).to_be_visible(timeout=LONGEST_RUN_MS)
        await page.goto(SUBJECT)
    seen = ["/staff/calibration", SUBJECT]
    await page.click("th[scope=row] a >> nth=0")
    seen.append(page.url)
    await page.click("#items th[scope=row] a >> nth=0")
    seen.append(page.url)
    source = AXE.read_text()
    for address in seen:
        await page.goto(address)
        await page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
        assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth"), address
        await page.evaluate(source + ";0")
        found = await page.evaluate(
            "async () => (await axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa']}))"
            ".violations.map(v => v.id + ': ' + v.nodes.map(n => n.target.join(' ')).join(' | '))"
        )
        assert found == [], address
