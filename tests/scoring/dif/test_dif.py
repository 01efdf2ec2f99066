"""Comparison of groups: published tables, laws, and items made to favour a group."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from scoring.dif import (
    EffectSize,
    EtsClass,
    adjusted,
    common_odds,
    fit_logistic,
    likelihood_ratio_dif,
    logistic_dif,
    mantel_haenszel,
)
from scoring.errors import GroupsUnusable
from scoring.irt.bank import bank_from_difficulties, category_probabilities
from scoring.irt.responses import ResponseMatrix, response_matrix

# Admissions to Berkeley by department: [[men admitted, rejected], [women admitted, rejected]].
# Bickel, Hammel & O'Connell (1975), Science 187, 398-403.
BERKELEY = np.array(
    [
        [[512, 313], [89, 19]],
        [[353, 207], [17, 8]],
        [[120, 205], [202, 391]],
        [[138, 279], [131, 244]],
        [[53, 138], [94, 299]],
        [[22, 351], [24, 317]],
    ],
    dtype=float,
)
# Penicillin in rabbits: [[cured at once, died], [cured later, died]] by dose. Agresti (1990), Categorical Data
# Analysis, p. 236.
RABBITS = np.array(
    [[[0, 6], [0, 5]], [[3, 3], [0, 6]], [[6, 0], [2, 4]], [[5, 1], [6, 0]], [[2, 0], [5, 0]]], dtype=float
)
seeds = st.integers(0, 2**32 - 1)


@pytest.mark.parametrize(
    ("tables", "odds_ratio", "x2", "interval"),
    [
        pytest.param(BERKELEY, 0.9046968, 1.4269, (0.7719074, 1.0603298), id="Berkeley"),
        pytest.param(RABBITS, 7.0, 3.9286, (1.026713, 47.725133), id="rabbits"),
    ],
)
def test_common_odds_are_those_that_r_prints(
    tables: NDArray[np.float64], odds_ratio: float, x2: float, interval: tuple[float, float]
) -> None:
    found = common_odds(tables)
    assert found.odds_ratio == pytest.approx(odds_ratio, abs=1e-6)
    assert found.x2 == pytest.approx(x2, abs=5e-5)
    half = 1.959964 * found.log_se
    assert np.exp(np.log(found.odds_ratio) + np.array([-half, half])) == pytest.approx(interval, rel=1e-5)


@settings(max_examples=50)
@given(seed=seeds)
def test_swapping_the_rows_inverts_the_odds_and_keeps_the_test(seed: int) -> None:
    tables = np.random.default_rng(seed).integers(1, 40, (5, 2, 2)).astype(float)
    one, other = common_odds(tables), common_odds(tables[:, ::-1])
    assert one.odds_ratio * other.odds_ratio == pytest.approx(1.0)
    assert (one.x2, one.log_se) == pytest.approx((other.x2, other.log_se))


def two_groups(
    seed: int, *, shift: float = 0.0, slope: float = 1.0, model: str = "2pl", n: int = 1500
) -> ResponseMatrix:
    """20 items; the focal group is half a logit weaker, and item 3 is `shift` harder and `slope` steeper for it."""
    rng = np.random.default_rng(seed)
    b = np.linspace(-1.5, 1.5, 20)[:, None] + (np.array([-0.6, 0.0, 0.6]) if model == "gpcm" else np.zeros(1))
    a = np.full(20, 1.2)
    banks = []
    for is_focal in (False, True):
        own_b, own_a = b.copy(), a.copy()
        own_b[3] += shift * is_focal
        own_a[3] *= slope if is_focal else 1.0
        banks.append(bank_from_difficulties([f"i{i}" for i in range(20)], [model] * 20, a=own_a, b=own_b))
    values = []
    for bank, mean in zip(banks, (0.0, -0.5), strict=True):
        p = category_probabilities(bank, rng.normal(mean, 1.0, n)).cumsum(axis=2)
        values.append((p < rng.random((n, 20, 1))).sum(axis=2))
    return response_matrix(np.concatenate(values), item_names=banks[0].names, groups=["reference"] * n + ["focal"] * n)


def test_an_item_that_is_harder_for_the_focal_group_is_of_class_c_and_the_others_are_not() -> None:
    found = mantel_haenszel(two_groups(1, shift=0.9), "focal")
    assert found.ets_class[3] is EtsClass.C
    assert found.delta[3] < -1.5
    assert found.mean_difference[3] < 0
    assert set(found.ets_class[:3] + found.ets_class[4:]) == {EtsClass.A}
    np.testing.assert_array_equal(np.flatnonzero(~found.is_anchor), [3])


def test_equal_items_are_flagged_no_more_often_than_by_chance_in_spite_of_unequal_groups() -> None:
    p = np.concatenate([mantel_haenszel(two_groups(seed), "focal").p for seed in range(5)])
    assert (p < 0.05).mean() < 0.12


def test_graded_items_are_compared_by_mantels_test() -> None:
    found = mantel_haenszel(two_groups(2, shift=0.8, model="gpcm"), "focal")
    assert found.ets_class[3] is EtsClass.C
    assert np.isnan(found.delta[3])
    assert found.standardised_difference[3] < -0.25
    assert set(found.ets_class[:3] + found.ets_class[4:]) == {EtsClass.A}


def test_logistic_regression_tells_uniform_from_crossing_differences() -> None:
    uniform = logistic_dif(two_groups(3, shift=0.9), "focal")
    assert uniform.p_uniform[3] < 1e-6
    assert uniform.group[3] < -0.5
    crossing = logistic_dif(two_groups(3, slope=0.3), "focal")
    assert crossing.p_nonuniform[3] < 1e-6
    assert np.argmin(crossing.p_nonuniform) == 3
    assert crossing.effect[4] is EffectSize.NEGLIGIBLE


def test_a_regression_on_one_group_indicator_is_the_closed_form() -> None:
    design = np.array([[1.0, 0.0], [1.0, 1.0]])
    fit = fit_logistic(design, np.array([30.0, 60.0]), np.array([100.0, 90.0]))
    assert fit.converged
    np.testing.assert_allclose(fit.coefficients, [np.log(30 / 70), np.log(60 / 30) - np.log(30 / 70)], atol=1e-9)


def test_the_likelihood_ratio_finds_the_item_and_its_size() -> None:
    responses = two_groups(4, shift=0.9, n=800)
    found = likelihood_ratio_dif(responses, "2pl", items=["i3", "i10"])
    odd, even = found.items
    assert (odd.name, odd.df, odd.converged) == ("i3", 2, True)
    assert odd.p < 1e-6
    assert odd.signed_difference < -0.1
    assert odd.unsigned_difference >= abs(odd.signed_difference)
    assert even.p > 0.01
    assert found.equal.means[1] == pytest.approx(-0.5, abs=0.15)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=30))
def test_adjusted_p_values_keep_their_order_and_never_fall(p: list[float]) -> None:
    given_p = np.array(p)
    found = adjusted(given_p)
    assert (found >= given_p - 1e-15).all()
    assert (found <= 1).all()
    assert (np.diff(found[np.argsort(given_p, kind="stable")]) >= -1e-15).all()


def test_p_values_are_adjusted_as_by_hand() -> None:
    np.testing.assert_allclose(adjusted(np.array([0.01, 0.04, 0.03, 0.5])), [0.04, 0.16 / 3, 0.16 / 3, 0.5])


@pytest.mark.parametrize(
    ("focal", "reason"),
    [
        pytest.param("nobody", "is not among", id="unknown group"),
        pytest.param("reference", "reference group itself", id="reference group"),
    ],
)
def test_groups_that_cannot_be_compared_are_refused(focal: str, reason: str) -> None:
    with pytest.raises(GroupsUnusable, match=reason):
        mantel_haenszel(two_groups(0, n=50), focal)


def test_graded_items_are_refused_by_the_logistic_comparison() -> None:
    with pytest.raises(GroupsUnusable, match="Mantel's test"):
        logistic_dif(two_groups(0, model="gpcm", n=50), "focal")


def test_a_category_that_a_group_never_gave_is_named() -> None:
    responses = two_groups(0, n=100)
    categories = np.array(responses.categories)
    categories[100:, 5] = 1
    lacking = response_matrix(categories, item_names=responses.item_names, groups=["reference"] * 100 + ["focal"] * 100)
    with pytest.raises(GroupsUnusable, match="nobody in group focal"):
        likelihood_ratio_dif(lacking, "2pl", items=["i5"])
