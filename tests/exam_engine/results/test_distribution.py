"""Score distributions: figures by definition, hidden cells of small units, and a picture that can be read aloud."""

from collections import Counter
from decimal import Decimal
from fractions import Fraction
from statistics import mean, median, pstdev
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exam_engine.infra.i18n import translator
from exam_engine.results.chart import chart, describe
from exam_engine.results.distribution import HIDE_BELOW, SMALL_UNIT, distribute, subject_step

SVG = "{http://www.w3.org/2000/svg}"
on_grid = st.integers(0, 200).map(lambda steps: 5 * steps)
many = st.dictionaries(on_grid, st.integers(1, 300), min_size=1, max_size=40).map(
    lambda counts: [*Counter(counts).elements(), *[500] * (SMALL_UNIT - min(SMALL_UNIT, sum(counts.values())))]
)
few = st.lists(on_grid, min_size=0, max_size=120)


@given(many)
def test_the_figures_are_those_of_the_definitions(scores: list[int]) -> None:
    found = distribute(scores)
    assert found.n == len(scores)
    assert found.mean is not None
    assert found.standard_deviation is not None
    assert abs(Fraction(found.mean) - Fraction(sum(scores), 100 * len(scores))) <= Fraction(1, 20_000)
    assert float(found.standard_deviation) == pytest.approx(pstdev(scores) / 100, abs=0.00006)
    assert found.median is not None
    assert float(found.median) == median(scores) / 100
    counts = Counter(scores)
    assert found.mode == min(score for score, count in counts.items() if count == max(counts.values()))
    assert float(found.share_below_5 or 0) == pytest.approx(mean(score < 500 for score in scores), abs=1e-6)


@given(many)
def test_a_large_unit_hides_nothing_and_every_candidate_is_in_one_cell(scores: list[int]) -> None:
    found = distribute(scores)
    assert sum(cell.count or 0 for cell in found.cells) == len(scores)
    assert all(cell.count is not None for cell in found.cells)
    assert found.step == found.grid


@given(few)
def test_a_small_unit_never_shows_a_cell_of_a_few(scores: list[int]) -> None:
    found = distribute(scores)
    assert all(cell.count is None or cell.count == 0 or cell.count >= HIDE_BELOW for cell in found.cells)
    for share in (found.share_at_most_1, found.share_below_5, found.share_full):
        assert share is None or share == 0 or share * found.n > HIDE_BELOW - 1


@given(few)
def test_one_hidden_cell_never_stands_alone_where_the_sum_would_tell_it(scores: list[int]) -> None:
    found = distribute(scores)
    hidden = sum(cell.count is None for cell in found.cells)
    shown = sum(bool(cell.count) for cell in found.cells)
    assert hidden != 1 or shown == 0


@pytest.mark.parametrize("n", [0, 1, 9])
def test_fewer_than_ten_candidates_have_no_figures(n: int) -> None:
    found = distribute([650] * n)
    assert (found.n, found.mean, found.median, found.mode) == (n, None, None, None)
    assert all(cell.count is None if n else cell.count == 0 for cell in found.cells)


@pytest.mark.parametrize(
    ("scores", "step"),
    [
        pytest.param([5 * i for i in range(201)], 5, id="three-part papers"),
        pytest.param([25 * i for i in range(41)], 25, id="languages"),
        pytest.param([25 * i for i in range(41)] * 10 + [608, 692], 25, id="literature with means of three markings"),
        pytest.param([20 * i for i in range(51)], 20, id="mathematics until 2024"),
        pytest.param(list(range(0, 1001, 3)), 1, id="any hundredth"),
    ],
)
def test_the_step_of_a_subject_is_found_in_its_scores(scores: list[int], step: int) -> None:
    assert subject_step(Counter(scores)) == step


def test_scores_of_the_whole_and_of_nobody() -> None:
    found = distribute([1000] * 2000)
    assert (found.mean, found.standard_deviation, found.share_full) == (Decimal(10), Decimal(0), Decimal(1))


def test_a_picture_has_a_title_and_a_description() -> None:
    found = distribute([25 * (i % 41) for i in range(2000)])
    picture = ET.fromstring(
        chart(found, subject="Ngữ văn <2027>", chart_id="van", language="vi", translate=translator("vi"))
    )
    assert picture.get("role") == "img"
    assert picture.get("aria-labelledby") == "van-title van-description"
    assert picture.findtext(f"{SVG}title") == "Phổ điểm Ngữ văn <2027>"
    assert "2.000 thí sinh; trung bình 4,98" in (picture.findtext(f"{SVG}desc") or "")
    bars = [bar for bar in picture.iter(f"{SVG}rect") if bar.get("class") == "distribution-bar"]
    assert len(bars) == 41
    assert bars[26].findtext(f"{SVG}title") == "6,50: 49 thí sinh"


def test_a_picture_holds_no_script_and_no_style() -> None:
    picture = chart(distribute([500] * 20), subject="Toán", chart_id="t", language="en", translate=translator("en"))
    for word in ("<script", "style=", "onload", "javascript", "http://www.w3.org/1999/xlink"):
        assert word not in picture


def test_hidden_cells_are_drawn_without_their_count() -> None:
    scores = [500] * 40 + [600] * 30 + [700] * 3 + [800] * 2
    found = distribute(scores)
    picture = chart(found, subject="Toán", chart_id="t", language="en", translate=translator("en"))
    assert picture.count('class="distribution-hidden"') == 2
    assert "fewer than 10 candidates, not shown" in picture


def test_a_handful_of_candidates_is_described_by_their_number_alone() -> None:
    assert describe(distribute([500, 600]), "en", translator("en")) == (
        "2 candidates. So few that nothing more is shown."
    )


@given(st.one_of(few, many), st.sampled_from(["vi", "en"]))
def test_every_distribution_can_be_drawn(scores: list[int], language: str) -> None:
    found = distribute(scores)
    ET.fromstring(chart(found, subject="Toán", chart_id="t", language=language, translate=translator(language)))
