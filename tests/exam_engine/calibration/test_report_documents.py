"""The report: one self-contained page and a PDF of the same content, in both languages, that a browser opens."""

import re
from html import unescape
from pathlib import Path

import numpy as np
import pypdfium2
import pytest
from lxml import etree
from playwright.async_api import Browser

from exam_engine.calibration import plots
from exam_engine.calibration.axes import number, round_ticks
from exam_engine.calibration.figures import svg
from exam_engine.calibration.report.markup import tag
from exam_engine.calibration.wright_map import wright_map
from tests.exam_engine.calibration.files import answers, run, write

HOSTILE = "<script>alert(1)</script>"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A test whose second item is an easy one with a wrong key, its page and its PDF."""
    made = tmp_path_factory.mktemp("reports")
    rows = [[line[0], 1 - line[1], *line[2:]] for line in answers(400, 9)]
    responses = write(made / "r.csv", [HOSTILE, "Câu 2", *(f"q{i}" for i in range(7))], rows)
    for language, names in (("vi", ("vi.html", "vi.pdf")), ("en", ("en.html",))):
        reports = [word for name in names for word in ("--report", made / name)]
        result = run("irt", "calibrate", responses, "--quiet", "--language", language, *reports)
        assert result.exit_code == 0, result.output
    return made


def test_the_page_loads_nothing_and_runs_nothing(folder: Path) -> None:
    page = (folder / "vi.html").read_text("utf-8")
    assert '<html lang="vi">' in page
    assert "default-src 'none'" in unescape(page)
    assert re.search(r"<script|src=|@import|url\(|https?://(?!www\.w3\.org/2000/svg)", page) is None
    assert "&lt;script&gt;" in page


def test_the_worst_item_stands_first_with_a_sentence(folder: Path) -> None:
    rows = (folder / "en.html").read_text("utf-8").split("<tbody>")[-1].split("</tr>")
    assert "Câu 2" in rows[0]
    assert "Check the key" in rows[0]


def test_page_and_pdf_say_the_same(folder: Path) -> None:
    document = pypdfium2.PdfDocument(folder / "vi.pdf")
    text = "\n".join(page.get_textpage().get_text_range() for page in document)
    page = (folder / "vi.html").read_text("utf-8")
    for heading in re.findall(r"<h2[^>]*>([^<]+)</h2>", page):
        assert heading.replace("  ", " ") in text
    fonts = set(re.findall(rb"/BaseFont /([^\s/]+)", (folder / "vi.pdf").read_bytes()))
    assert all(b"BeVietnam" in font for font in fonts)


def test_the_same_data_give_the_same_report(folder: Path, tmp_path: Path) -> None:
    again = [tmp_path / "vi.html", tmp_path / "vi.pdf"]
    result = run("irt", "calibrate", folder / "r.csv", "--quiet", "--report", again[0], "--report", again[1])
    assert result.exit_code == 0
    assert again[0].read_bytes() == (folder / "vi.html").read_bytes()
    assert again[1].read_bytes() == (folder / "vi.pdf").read_bytes()


@pytest.mark.parametrize("width", [390, 1024, 1280])
async def test_the_page_opens_from_a_file_at_every_width(folder: Path, browser: Browser, width: int) -> None:
    page = await browser.new_page(viewport={"width": width, "height": 800}, color_scheme="dark")
    trouble: list[str] = []
    page.on("console", lambda message: trouble.append(message.text))
    page.on("request", lambda request: trouble.append(request.url) if not request.url.startswith("file:") else None)
    await page.goto((folder / "vi.html").as_uri())
    assert await page.evaluate("document.documentElement.scrollWidth") <= width
    assert await page.locator("svg").count() == 2 + 3 * 9
    await page.close()
    assert trouble == []


def test_every_figure_is_well_formed_and_says_what_it_shows() -> None:
    theta = np.linspace(-4, 4, 41)
    curve = 1.0 / (1.0 + np.exp(-theta))
    both = np.stack([1 - curve, curve], axis=1)
    three = np.stack([(1 - curve) ** 2, 2 * curve * (1 - curve), curve**2], axis=1)
    figures = [
        plots.characteristic_curves(theta, both, name=HOSTILE, language="vi", difficulty=0.0),
        plots.characteristic_curves(theta, three, name="q", language="en"),
        plots.item_information(theta, curve * (1 - curve), name="q", language="vi"),
        plots.information_of_test(theta, 9 * curve * (1 - curve), language="vi"),
        plots.observed_against_expected(
            theta,
            curve,
            group_theta=[-1.0, 1.0],
            group_observed=[0.9, 0.7],
            group_se=[0.05, 0.05],
            group_size=[40, 60],
            highest=1.0,
            name="q",
            language="en",
        ),
        plots.options_by_group(
            [[0.5, 0.5], [0.2, 0.8]], options=["A", "B"], is_key=[False, True], name="q", language="vi"
        ),
        wright_map([-1.0, 0.5, np.inf], [1, 2, 1], names=["q", "far"], difficulties=[0.0, 30.0], language="vi"),
    ]
    for i, figure in enumerate(figures):
        root = etree.fromstring(svg(figure, f"f{i}").encode())
        names = {child.tag.rsplit("}", 1)[-1]: child.text for child in root}
        assert names["title"]
        assert names["desc"]
        numbers = [float(n) for child in root for n in re.findall(r"-?\d+\.\d+", child.get("points") or "")]
        assert all(-50 < n < 900 for n in numbers)
    assert "1 of them" in figures[4].description


def test_numbers_are_written_as_the_language_does() -> None:
    assert number(-1234.5, "vi") == "−1.234,5"
    assert number(-0.0, "en", 2) == "0.00"
    assert number(-0.001, "en", 2) == "0.00"
    assert round_ticks(-4.0, 4.0, 8) == (-4.0, -3.0, -2.0, -1.0, 0.0, 1.0, 2.0, 3.0, 4.0)


def test_text_is_escaped_unless_it_is_markup() -> None:
    assert tag("p", "<b>", tag("i", "&"), title='"') == '<p title="&quot;">&lt;b&gt;<i>&amp;</i></p>'
