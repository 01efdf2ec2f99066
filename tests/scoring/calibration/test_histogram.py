"""Calibration with a histogram for the density of ability."""

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from scoring.calibration import CalibrationOptions, Density, StandardErrors, calibrate
from scoring.calibration.histogram import Constraint, held_weights
from scoring.errors import CalibrationImpossible, ResponsesUnusable
from scoring.irt.ability import eap_estimates
from scoring.irt.bank import ItemBank, bank_from_difficulties
from scoring.irt.responses import ResponseMatrix, response_matrix
from scoring.irt.simulation import simulate_responses

POINTS = CalibrationOptions().quadrature.points
NORMAL, HISTOGRAM = CalibrationOptions(), CalibrationOptions(density=Density.HISTOGRAM)


def bank_of(model: str, n_items: int = 30) -> ItemBank:
    rng = np.random.default_rng(1)
    a = rng.lognormal(0.3, 0.2, n_items)
    return bank_from_difficulties([f"i{i}" for i in range(n_items)], [model] * n_items, a=a, b=rng.normal(size=n_items))


def two_humps(n: int, seed: int) -> NDArray[np.float64]:
    """Abilities of two schools far apart: mean 0, variance 1."""
    rng = np.random.default_rng(seed)
    return np.where(rng.random(n) < 0.7, -0.55, 0.55 * 0.7 / 0.3) + rng.normal(0.0, np.sqrt(1 - 0.55**2 * 0.7 / 0.3), n)


def drawn(bank: ItemBank, theta: NDArray[np.float64], seed: int) -> ResponseMatrix:
    return response_matrix(simulate_responses(bank, theta, np.random.default_rng(seed)), item_names=bank.names)


def test_a_density_of_two_humps_is_found_and_the_items_are_nearer_the_truth() -> None:
    bank = bank_of("2pl")
    responses = drawn(bank, two_humps(20_000, 2), 3)
    normal, free = calibrate(responses, "2pl"), calibrate(responses, "2pl", HISTOGRAM)
    assert free.converged
    assert free.log_likelihood > normal.log_likelihood + 100.0
    assert free.density is not None
    assert free.density.sum() == pytest.approx(1.0)
    assert (free.means[0], free.variances[0]) == pytest.approx((0.0, 1.0), abs=1e-8)
    left, between, right = (free.density[0, np.abs(POINTS - at) < 0.15].sum() for at in (-0.5, 0.5, 1.3))
    assert left > 1.5 * between
    assert right > 1.1 * between

    def apart(found: ItemBank) -> float:
        return float(np.sqrt(np.mean((found.difficulties() - bank.difficulties()) ** 2)))

    assert apart(free.bank) < 0.6 * apart(normal.bank)


def test_where_ability_is_normal_both_densities_agree() -> None:
    bank = bank_of("2pl")
    responses = drawn(bank, np.random.default_rng(4).standard_normal(8000), 5)
    normal, free = calibrate(responses, "2pl"), calibrate(responses, "2pl", HISTOGRAM)
    assert 0.0 <= free.log_likelihood - normal.log_likelihood < 30.0
    np.testing.assert_allclose(free.bank.a, normal.bank.a, rtol=0.06)
    np.testing.assert_allclose(free.bank.d, normal.bank.d, atol=0.06)


def test_a_rasch_test_keeps_the_mean_at_zero_and_finds_the_variance() -> None:
    bank = bank_of("rasch")
    found = calibrate(drawn(bank, 1.3 * two_humps(8000, 6), 7), "rasch", HISTOGRAM)
    assert found.means[0] == pytest.approx(0.0, abs=1e-8)
    assert found.variances[0] == pytest.approx(1.69, rel=0.1)


def test_each_group_has_a_histogram_of_its_own_and_only_the_reference_is_held() -> None:
    bank = bank_of("2pl")
    theta = np.concatenate([two_humps(6000, 8), 0.5 + 0.8 * two_humps(6000, 9)])
    categories = simulate_responses(bank, theta, np.random.default_rng(10))
    responses = response_matrix(categories, item_names=bank.names, groups=["a"] * 6000 + ["b"] * 6000)
    found = calibrate(responses, "2pl", msgspec.structs.replace(HISTOGRAM, standard_errors=StandardErrors.OBSERVED))
    assert found.density is not None
    assert found.density.shape == (2, POINTS.size)
    assert (found.means[0], found.variances[0]) == pytest.approx((0.0, 1.0), abs=1e-8)
    assert (found.means[1], found.variances[1]) == pytest.approx((0.5, 0.64), abs=0.08)
    assert found.errors is not None
    assert np.isfinite(found.errors.a).all()


def test_fixed_items_leave_the_histogram_free() -> None:
    bank = bank_of("2pl")
    responses = drawn(bank, 0.4 + 1.2 * two_humps(6000, 11), 12)
    found = calibrate(responses, "2pl", HISTOGRAM, anchors=bank.select(range(15)))
    assert found.means[0] == pytest.approx(0.4, abs=0.06)
    assert found.variances[0] == pytest.approx(1.44, abs=0.15)


@settings(deadline=None, max_examples=3)
@given(seed=st.integers(0, 1000))
def test_the_climb_never_leads_down(seed: int) -> None:
    responses = drawn(bank_of("2pl", 8), two_humps(500, seed), seed)
    found = calibrate(responses, "2pl", msgspec.structs.replace(HISTOGRAM, most_iterations=60))
    assert (np.diff(found.history) >= -1e-8).all()


@settings(deadline=None, max_examples=30)
@given(seed=st.integers(0, 10_000), centre=st.floats(-2.0, 2.0), spread=st.floats(0.5, 2.0))
def test_held_weights_have_the_moments_they_are_held_at(seed: int, centre: float, spread: float) -> None:
    rng = np.random.default_rng(seed)
    counts = 1000.0 * np.exp(-0.5 * ((POINTS - centre) / spread) ** 2) * rng.gamma(1.0, size=POINTS.size)
    weights = held_weights(counts, Constraint(has_mean=True, has_variance=True).functions(POINTS))
    assert (weights > 0).all()
    assert weights.sum() == pytest.approx(1.0)
    assert weights @ POINTS == pytest.approx(0.0, abs=1e-8)
    assert weights @ POINTS**2 == pytest.approx(1.0, abs=1e-8)


def test_abilities_take_the_histogram_as_their_prior() -> None:
    bank = bank_of("2pl", 6)
    theta = two_humps(8000, 13)
    responses = drawn(bank, theta, 14)
    found = calibrate(responses, "2pl", HISTOGRAM)
    own, normal = eap_estimates(responses, bank, density=found.density), eap_estimates(responses, bank)
    assert np.mean((own.theta - theta) ** 2) < np.mean((normal.theta - theta) ** 2)
    with pytest.raises(ResponsesUnusable, match="1 × 61 weights"):
        eap_estimates(responses, bank, density=[[1.0, 2.0]])


def test_one_slope_items_need_a_normal_density() -> None:
    with pytest.raises(CalibrationImpossible, match="normal density"):
        calibrate(drawn(bank_of("1pl"), np.zeros(100), 1), "1pl", HISTOGRAM)
