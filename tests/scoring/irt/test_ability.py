"""Abilities against the reference software, and their laws."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scoring.errors import ResponsesUnusable
from scoring.irt.ability import (
    Weight,
    eap_estimates,
    map_estimates,
    ml_estimates,
    plausible_values,
    sum_score_distribution,
    sum_score_table,
    wle_estimates,
)
from scoring.irt.bank import category_probabilities, information
from scoring.irt.responses import response_matrix
from scoring.irt.simulation import simulate_responses
from tests.scoring.irt.banks import mixed_bank
from tests.scoring.irt.reference import CASES, column, reference_bank, responses_of, table

WITH_SCORES = [pytest.param(tag, id=tag) for tag in CASES if tag != "SAT12_3PL_noprior"]


@pytest.mark.parametrize("tag", WITH_SCORES)
@pytest.mark.parametrize("method", ["EAP", "MAP", "ML", "WLE"])
def test_abilities_are_those_of_the_reference_software(reference_dir: Path, tag: str, method: str) -> None:
    bank, variance = reference_bank(reference_dir, CASES[tag])
    responses = responses_of(reference_dir, CASES[tag])
    found = {
        "EAP": lambda: eap_estimates(responses, bank, variances=variance),
        "MAP": lambda: map_estimates(responses, bank, variance=variance),
        "ML": lambda: ml_estimates(responses, bank),
        "WLE": lambda: wle_estimates(responses, bank),
    }[method]()
    rows = table(reference_dir, f"{tag}_scores.csv")
    np.testing.assert_allclose(found.theta, column(rows, method), atol=1e-4)
    expected = column(rows, f"SE_{method}")
    # The reference differentiates its curvature numerically.
    np.testing.assert_allclose(found.se[np.isfinite(expected)], expected[np.isfinite(expected)], rtol=1e-3)


@pytest.mark.parametrize("tag", WITH_SCORES)
def test_sum_score_tables_are_those_of_the_reference_software(reference_dir: Path, tag: str) -> None:
    bank, variance = reference_bank(reference_dir, CASES[tag])
    rows = table(reference_dir, f"{tag}_eapsum.csv")
    found = sum_score_table(bank, variance=variance)
    n = responses_of(reference_dir, CASES[tag]).n_candidates
    np.testing.assert_allclose(found.theta, column(rows, "F1"), atol=1e-4)
    np.testing.assert_allclose(found.se, column(rows, "SE_F1"), atol=1e-4)
    np.testing.assert_allclose(found.probability * n, column(rows, "expected"), atol=1e-4)


@pytest.mark.parametrize("tag", WITH_SCORES)
def test_test_information_is_that_of_the_reference_software(reference_dir: Path, tag: str) -> None:
    bank, _ = reference_bank(reference_dir, CASES[tag])
    rows = table(reference_dir, f"{tag}_info.csv")
    found = information(bank, column(rows, "theta")).sum(axis=1)
    np.testing.assert_allclose(found, column(rows, "test_info"), atol=1e-7)


def test_without_guessing_both_weights_of_a_wle_are_one() -> None:
    bank = mixed_bank(16).select([0, 2, 3, 4, 6, 7, 8, 10])
    responses = drawn(bank, 60)
    jeffreys, warm = (wle_estimates(responses, bank, weight=weight).theta for weight in Weight)
    np.testing.assert_allclose(jeffreys, warm, atol=1e-6)


def test_with_guessing_warms_own_correction_differs() -> None:
    bank = mixed_bank(16)
    responses = drawn(bank, 60)
    jeffreys, warm = (wle_estimates(responses, bank, weight=weight).theta for weight in Weight)
    assert np.abs(jeffreys - warm).max() > 1e-3


def test_a_weighted_likelihood_estimate_is_finite_for_extreme_responses() -> None:
    bank = mixed_bank(16)
    responses = response_matrix(np.stack([np.zeros(16), bank.n_categories - 1.0]), item_names=bank.names)
    assert np.isfinite(wle_estimates(responses, bank).theta).all()
    assert ml_estimates(responses, bank).theta[1] == np.inf


@settings(deadline=None, max_examples=20)
@given(seed=st.integers(0, 1000))
def test_row_order_and_duplication_do_not_change_an_ability(seed: int) -> None:
    bank = mixed_bank(16)
    rng = np.random.default_rng(seed)
    values = simulate_responses(bank, rng.standard_normal(20), rng).astype(float)
    values[rng.random(values.shape) < 0.2] = np.nan
    order = rng.permutation(20)
    alone = eap_estimates(response_matrix(values, item_names=bank.names), bank)
    twice = np.concatenate([values[order], values[order]])
    together = eap_estimates(response_matrix(twice, item_names=bank.names), bank)
    np.testing.assert_allclose(together.theta, np.tile(alone.theta[order], 2), atol=1e-12)
    np.testing.assert_allclose(together.se, np.tile(alone.se[order], 2), atol=1e-12)


def test_an_unanswered_row_keeps_its_prior() -> None:
    bank = mixed_bank(8)
    nothing = response_matrix(np.full((1, 8), np.nan), item_names=bank.names)
    found = eap_estimates(nothing, bank, means=0.0, variances=1.0)
    assert abs(found.theta[0]) < 1e-12
    assert abs(found.se[0] - 1.0) < 1e-6


def test_plausible_values_have_the_moments_of_the_posterior() -> None:
    bank = mixed_bank(16)
    responses = drawn(bank, 50)
    values = plausible_values(responses, bank, 4000, np.random.default_rng(5))
    eap = eap_estimates(responses, bank)
    assert np.abs(values.mean(axis=1) - eap.theta).max() < 0.05
    assert np.abs(values.std(axis=1) - eap.se).max() < 0.05


def test_the_sum_score_has_the_mean_its_items_have() -> None:
    bank = mixed_bank(16)
    theta = np.linspace(-3, 3, 7)
    distribution = sum_score_distribution(bank, theta)
    np.testing.assert_allclose(distribution.sum(axis=1), 1.0)
    probability = category_probabilities(bank, theta)
    mean = (probability * np.arange(probability.shape[2])).sum(axis=(1, 2))
    np.testing.assert_allclose(distribution @ np.arange(distribution.shape[1]), mean)


def test_a_category_the_parameters_do_not_know_is_refused_by_name() -> None:
    bank = mixed_bank(8)
    values = np.zeros((3, 8))
    values[1, 0] = 2
    with pytest.raises(ResponsesUnusable) as refused:
        eap_estimates(response_matrix(values, item_names=bank.names), bank)
    assert refused.value.place == "item item0"


def drawn(bank, n: int):  # type: ignore[no-untyped-def]
    rng = np.random.default_rng(n)
    return response_matrix(simulate_responses(bank, rng.standard_normal(n), rng), item_names=bank.names)
