"""The reporting scale and cut scores: rounding, ends, levels, and how surely a level is the true one."""

from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scoring.errors import ScaleInvalid
from scoring.standards import CutScores, ReportingScale, classify, scale_of_population, scale_through

SCALE = ReportingScale(slope=100.0, intercept=500.0, lowest=200.0, highest=800.0)
TENTHS = ReportingScale(slope=1.5, intercept=5.0, lowest=0.0, highest=10.0, decimals=2)


@pytest.mark.parametrize(
    ("scale", "theta", "score"),
    [
        pytest.param(SCALE, 0.0, "500", id="the middle"),
        pytest.param(SCALE, -0.005, "500", id="a half goes up below the middle"),
        pytest.param(SCALE, 0.005, "501", id="a half goes up above the middle"),
        pytest.param(SCALE, 0.00499, "500", id="less than a half goes down"),
        pytest.param(SCALE, 2.675, "768", id="a half that binary fractions put below"),
        pytest.param(TENTHS, -0.01, "4.99", id="two decimals: 4.985"),
        pytest.param(SCALE, 9.0, "800", id="beyond the end"),
        pytest.param(SCALE, np.inf, "800", id="infinite"),
        pytest.param(SCALE, -np.inf, "200", id="infinite below"),
    ],
)
def test_scores_are_rounded_by_the_stated_rule(scale: ReportingScale, theta: float, score: str) -> None:
    assert scale.reported(theta).score(0) == Decimal(score)


def test_a_standard_error_is_scaled_and_not_held() -> None:
    found = SCALE.reported([0.0, np.inf, np.nan, 5.0], [0.305, np.nan, np.nan, 4.0])
    assert [found.se(i) for i in range(4)] == [Decimal(31), None, None, Decimal(400)]
    assert [found.score(i) for i in range(4)] == [Decimal(500), Decimal(800), None, Decimal(800)]
    assert found.is_at_end.tolist() == [False, True, False, True]


@given(st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=20))
def test_more_ability_never_prints_less_and_stays_on_the_scale(theta: list[float]) -> None:
    units = TENTHS.reported(np.sort(theta)).units
    assert (np.diff(units) >= 0).all()
    assert ((units >= 0) & (units <= 1000)).all()


@given(st.floats(1.0, 500.0), st.floats(-1000.0, 1000.0), st.floats(-4.0, 4.0))
def test_a_printed_score_is_within_half_a_unit_of_the_line(slope: float, intercept: float, theta: float) -> None:
    scale = ReportingScale(slope=slope, intercept=intercept, lowest=-1e5, highest=1e5, decimals=1)
    printed = scale.reported(theta).units[0] / 10.0
    assert abs(printed - (intercept + slope * theta)) <= 0.05 + 1e-6
    assert scale.theta(intercept + slope * theta) == pytest.approx(theta, abs=1e-6)


def test_a_population_gets_the_mean_and_spread_asked_for() -> None:
    scale = scale_of_population(500, 100, lowest=0, highest=1000, theta_mean=0.4, theta_sd=1.25)
    theta = np.random.default_rng(1).normal(0.4, 1.25, 100_000)
    units = scale.reported(theta).units
    assert units.mean() == pytest.approx(500, abs=1.5)
    assert units.std() == pytest.approx(100, abs=1.5)


def test_two_cut_scores_print_as_the_numbers_chosen_for_them() -> None:
    scale = scale_through((-0.37, 400), (0.91, 550), lowest=200, highest=800)
    assert scale.reported([-0.37, 0.91]).units.tolist() == [400, 550]


@pytest.mark.parametrize(
    ("change", "place"),
    [
        pytest.param({"slope": 0.0}, "slope", id="flat"),
        pytest.param({"slope": float("nan")}, "slope", id="no number"),
        pytest.param({"intercept": float("inf")}, "intercept", id="infinite intercept"),
        pytest.param({"lowest": 800.0}, "ends", id="ends alike"),
        pytest.param({"decimals": 9}, "decimals", id="too many decimals"),
        pytest.param({"highest": 800.5}, "highest", id="an end that cannot be printed"),
    ],
)
def test_a_scale_that_contradicts_itself_is_refused(change: dict[str, float], place: str) -> None:
    with pytest.raises(ScaleInvalid) as refused:
        ReportingScale(**{"slope": 100.0, "intercept": 500.0, "lowest": 200.0, "highest": 800.0, **change})  # type: ignore[arg-type]
    assert refused.value.place == place


CUTS = CutScores(("below", "pass", "good"), (500.0, 650.0))


def test_who_prints_the_cut_has_reached_the_level() -> None:
    found = classify([-0.00501, -0.005, 1.494, 1.495, np.nan], np.full(5, 0.3), SCALE, CUTS)
    assert found.level.tolist() == [0, 1, 1, 2, -1]
    np.testing.assert_allclose(found.probability[:4].sum(axis=1), 1.0)
    assert np.isnan(found.probability[4]).all()
    np.testing.assert_allclose(found.share, [0.25, 0.5, 0.25])


def test_accuracy_is_the_share_whose_level_is_the_true_one() -> None:
    rng = np.random.default_rng(2)
    estimate, se = rng.normal(0.0, 0.9, 40_000), 0.35
    truth, again = estimate + rng.normal(0.0, se, (2, 40_000))
    found = classify(estimate, np.full(40_000, se), SCALE, CUTS)
    of_truth = classify(truth, np.full(40_000, se), SCALE, CUTS).level
    other = classify(again, np.full(40_000, se), SCALE, CUTS).level
    assert found.accuracy == pytest.approx(np.mean(found.level == of_truth), abs=0.01)
    assert found.consistency == pytest.approx(np.mean(of_truth == other), abs=0.01)


@pytest.mark.parametrize(
    ("levels", "cuts", "place"),
    [
        pytest.param(("a", "b"), (1.0, 2.0), "cut scores", id="too many cuts"),
        pytest.param(("a", "b", "c"), (2.0, 1.0), "cut scores", id="falling"),
        pytest.param(("a", "a"), (1.0,), "levels", id="a name twice"),
    ],
)
def test_cuts_that_part_no_levels_are_refused(levels: tuple[str, ...], cuts: tuple[float, ...], place: str) -> None:
    with pytest.raises(ScaleInvalid) as refused:
        CutScores(levels, cuts)
    assert refused.value.place == place
