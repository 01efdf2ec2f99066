"""Laws of the measures of fit: what no data set may break, and what a model that holds must give."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from scoring.errors import FitUndefined
from scoring.fit import (
    AbilityMethod,
    Population,
    complete_rows,
    ld_x2,
    lz,
    lz_star,
    marginal_reliability,
    model_fit,
    precision_at,
    q3,
    residual_fit,
    rmsea_interval,
    s_x2,
)
from scoring.irt.ability import map_estimates, ml_estimates, wle_estimates
from scoring.irt.bank import ItemBank, bank_from_difficulties, category_probabilities
from scoring.irt.responses import ResponseMatrix, response_matrix

seeds = st.integers(0, 2**32 - 1)


def mixed_bank(n_items: int, rng: np.random.Generator) -> ItemBank:
    """Right-or-wrong items with guessing, and every fourth a true/false cluster of five categories."""
    is_cluster = np.arange(n_items) % 4 == 3
    b = np.full((n_items, 4), np.nan)
    b[:, 0] = rng.normal(size=n_items)
    b[is_cluster] = b[is_cluster, :1] + np.array([-1.0, -0.3, 0.3, 1.0])
    return bank_from_difficulties(
        [f"i{i}" for i in range(n_items)],
        ["gpcm" if cluster else "3pl" for cluster in is_cluster],
        a=rng.uniform(0.7, 1.8, n_items),
        b=b,
        c=np.where(is_cluster, 0.0, 0.2),
    )


def simulated(bank: ItemBank, theta: NDArray[np.float64], rng: np.random.Generator) -> ResponseMatrix:
    cumulative = category_probabilities(bank, theta).cumsum(axis=2)
    chance = rng.random((theta.size, bank.n_items, 1))
    return response_matrix((cumulative < chance).sum(axis=2), item_names=bank.names)


def test_a_model_that_holds_is_not_rejected_more_often_than_it_should_be() -> None:
    rng = np.random.default_rng(11)
    bank = mixed_bank(12, rng)
    p = [model_fit(simulated(bank, rng.normal(size=1500), rng), bank, is_fixed=np.ones(12, bool)).p for _ in range(40)]
    assert 0.3 < np.mean(p) < 0.7


def test_lz_star_is_standard_normal_where_lz_is_too_narrow() -> None:
    rng = np.random.default_rng(3)
    bank = mixed_bank(40, rng)
    responses = simulated(bank, rng.normal(size=4000), rng)
    for method, estimate in (
        (AbilityMethod.ML, ml_estimates(responses, bank)),
        (AbilityMethod.MAP, map_estimates(responses, bank)),
        (AbilityMethod.WLE, wle_estimates(responses, bank)),
    ):
        z = lz_star(responses, bank, estimate.theta, method=method).z
        narrow = lz(responses, bank, estimate.theta).z
        assert np.nanstd(z) == pytest.approx(1.0, abs=0.06)
        assert abs(np.nanmean(z)) < 0.15
        assert np.nanstd(narrow) < np.nanstd(z)


def test_a_pair_that_copies_is_found() -> None:
    rng = np.random.default_rng(5)
    bank = mixed_bank(10, rng)
    theta = rng.normal(size=2000)
    categories = np.array(simulated(bank, theta, rng).categories)
    categories[:, 1] = np.where(rng.random(2000) < 0.8, categories[:, 0], categories[:, 1])
    responses = response_matrix(categories, item_names=bank.names)
    upper = np.triu_indices(10, 1)
    for table in (q3(responses, bank, theta).adjusted, ld_x2(responses, bank).standardised):
        worst = np.nanargmax(table[upper])
        assert (upper[0][worst], upper[1][worst]) == (0, 1)
    assert ld_x2(responses, bank).sign[0, 1] == 1


def test_an_item_that_follows_another_curve_stands_out_in_the_sum_score_fit() -> None:
    rng = np.random.default_rng(6)
    bank = mixed_bank(20, rng)
    categories = np.array(simulated(bank, rng.normal(size=3000), rng).categories)
    categories[:, 0] = rng.random(3000) < 0.5
    fit = s_x2(response_matrix(categories, item_names=bank.names), bank)
    assert np.nanargmin(fit.p) == 0
    assert fit.p[0] < 1e-6


@settings(max_examples=15, deadline=None)
@given(seed=seeds)
def test_weights_count_as_repeated_rows_and_row_order_does_not_matter(seed: int) -> None:
    rng = np.random.default_rng(seed)
    bank = mixed_bank(6, rng)
    theta = rng.normal(size=60)
    once = simulated(bank, theta, rng)
    counts = rng.integers(1, 4, 60)
    order = rng.permutation(np.repeat(np.arange(60), counts))
    weighted = response_matrix(np.array(once.categories), item_names=bank.names, frequencies=counts)
    repeated = once.rows(order)
    np.testing.assert_allclose(s_x2(weighted, bank).x2, s_x2(repeated, bank).x2)
    np.testing.assert_allclose(ld_x2(weighted, bank).x2, ld_x2(repeated, bank).x2)
    np.testing.assert_allclose(q3(weighted, bank, theta).q3, q3(repeated, bank, theta[order]).q3, atol=1e-9)
    np.testing.assert_allclose(
        residual_fit(weighted, bank, theta).items.infit, residual_fit(repeated, bank, theta[order]).items.infit
    )
    assert model_fit(weighted, bank, is_fixed=np.ones(6, bool)).x2 == pytest.approx(
        model_fit(repeated, bank, is_fixed=np.ones(6, bool)).x2
    )


@settings(max_examples=25, deadline=None)
@given(seed=seeds, mean=st.floats(-2, 2), variance=st.floats(0.2, 3))
def test_reliability_stays_between_zero_and_one_and_grows_with_the_test(
    seed: int, mean: float, variance: float
) -> None:
    bank = mixed_bank(12, np.random.default_rng(seed))
    population = Population(mean=mean, variance=variance)
    whole, half = marginal_reliability(bank, population), marginal_reliability(bank.select(range(6)), population)
    assert 0.0 < half < whole < 1.0


@given(x2=st.floats(0.01, 500), df=st.integers(1, 200), n=st.integers(50, 10_000))
def test_the_rmsea_interval_is_in_order(x2: float, df: int, n: int) -> None:
    lower, upper = rmsea_interval(x2, df, n)
    assert 0.0 <= lower <= upper


def test_an_item_that_all_answered_alike_leaves_the_model_fit_without_a_baseline_only() -> None:
    rng = np.random.default_rng(7)
    bank = mixed_bank(6, rng)
    categories = np.array(simulated(bank, rng.normal(size=300), rng).categories)
    categories[:, 0] = 1
    fit = model_fit(response_matrix(categories, item_names=bank.names), bank, is_fixed=np.ones(6, bool))
    assert np.isfinite([fit.x2, fit.rmsea, fit.srmsr]).all()
    assert np.isnan([fit.tli, fit.cfi]).all()


@pytest.mark.parametrize("theta", [-40.0, 40.0])
def test_extreme_abilities_overflow_nowhere(theta: float) -> None:
    bank = mixed_bank(8, np.random.default_rng(1))
    responses = response_matrix(np.zeros((3, 8)), item_names=bank.names)
    at = np.full(3, theta)
    fit = residual_fit(responses, bank, at)
    assert np.isfinite(fit.candidates.outfit).all()
    assert not np.isinf(lz(responses, bank, at).z).any()
    assert np.isfinite(precision_at(bank, at).score_sem).all()


def test_missing_responses_are_refused_where_the_statistic_has_no_sense_and_left_out_elsewhere() -> None:
    bank = mixed_bank(5, np.random.default_rng(2))
    values = np.array([[1, 0, 1, 2, 1], [0, 1, -1, 0, 0], [1, 1, 1, 4, 0], [0, 0, 1, 1, 1]])
    responses = response_matrix(values, item_names=bank.names)
    with pytest.raises(FitUndefined, match="missing"):
        model_fit(responses, bank)
    assert complete_rows(responses).n_rows == 3
    assert s_x2(responses, bank).n_candidates == 3
    without = residual_fit(complete_rows(responses), bank, np.zeros(3)).items.outfit[2]
    assert residual_fit(responses, bank, np.zeros(4)).items.outfit[2] == pytest.approx(without)


@pytest.mark.parametrize(
    ("names", "values", "reason"),
    [
        pytest.param(["x", "y"], [[0, 1]], "items are not those", id="other items"),
        pytest.param(["i0", "i1"], [[0, 3]], "has category 3", id="unknown category"),
    ],
)
def test_responses_that_do_not_fit_the_parameters_are_refused(
    names: list[str], values: list[list[int]], reason: str
) -> None:
    bank = mixed_bank(2, np.random.default_rng(2))
    with pytest.raises(FitUndefined, match=reason):
        ld_x2(response_matrix(values, item_names=names), bank)
