"""Calibration of simulated responses: recovery, laws, missing responses, groups, anchors, sparse data, refusals."""

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from scoring.calibration import (
    BetaPrior,
    CalibrationOptions,
    LogNormalPrior,
    NormalPrior,
    Precision,
    Priors,
    StandardErrors,
    calibrate,
)
from scoring.errors import CalibrationImpossible, ResponsesUnusable
from scoring.irt.responses import ResponseMatrix, SparseCategories, response_matrix
from scoring.irt.simulation import simulate_responses
from tests.scoring.irt.banks import mixed_bank

BANK = mixed_bank(16)
PRIORS = Priors(guess=BetaPrior(5.0, 17.0), slip=BetaPrior(20.0, 2.0))
INFORMED = msgspec.structs.replace(PRIORS, slope=LogNormalPrior(0.0, 0.5), intercept=NormalPrior(0.0, 3.0))
TIGHT = CalibrationOptions(priors=PRIORS, precision=Precision.TIGHT, standard_errors=StandardErrors.OBSERVED)


def drawn(n: int, seed: int, mean: float = 0.0, sd: float = 1.0) -> NDArray[np.int8]:
    rng = np.random.default_rng(seed)
    return simulate_responses(BANK, rng.normal(mean, sd, n), rng)


@pytest.fixture(scope="module")
def with_gaps() -> NDArray[np.float64]:
    values = drawn(2500, 11).astype(float)
    values[np.random.default_rng(12).random(values.shape) < 0.3] = np.nan
    return values


def test_a_mixed_test_is_recovered_within_its_standard_errors() -> None:
    found = calibrate(response_matrix(drawn(12_000, 3), item_names=BANK.names), BANK.models, TIGHT)
    assert found.converged
    assert found.errors is not None
    z = np.concatenate(
        [((found.bank.d - BANK.d) / found.errors.d).ravel(), ((found.bank.a - BANK.a) / found.errors.a).ravel()]
    )
    z = z[np.isfinite(z)]
    assert np.abs(z).max() < 4.5
    assert 0.7 < z.std() < 1.3
    assert found.gradient_norm < 1e-3


def test_the_default_mode_on_a_sample_first_reaches_the_tight_maximum() -> None:
    responses = response_matrix(drawn(12_000, 3), item_names=BANK.names)
    tight, quick = (
        calibrate(responses, BANK.models, TIGHT),
        calibrate(responses, BANK.models, CalibrationOptions(priors=PRIORS)),
    )
    assert quick.log_likelihood + quick.log_prior == pytest.approx(tight.log_likelihood + tight.log_prior, abs=1e-2)


def test_missing_responses_are_left_out_of_the_likelihood(with_gaps: NDArray[np.float64]) -> None:
    found = calibrate(response_matrix(with_gaps, item_names=BANK.names), BANK.models, TIGHT)
    assert found.converged
    assert found.errors is not None
    assert np.nanmax(np.abs((found.bank.d - BANK.d) / found.errors.d)) < 4.5


def test_sparse_and_dense_forms_give_the_same(with_gaps: NDArray[np.float64]) -> None:
    answered = ~np.isnan(with_gaps)
    sparse = SparseCategories(
        np.concatenate([[0], np.cumsum(answered.sum(axis=1))]),
        np.nonzero(answered)[1].astype(np.int32),
        with_gaps[answered].astype(np.int8),
        BANK.n_items,
    )
    options = msgspec.structs.replace(TIGHT, standard_errors=StandardErrors.CROSS_PRODUCT)
    one = calibrate(ResponseMatrix(categories=sparse, item_names=BANK.names), BANK.models, options)
    other = calibrate(response_matrix(with_gaps, item_names=BANK.names), BANK.models, options)
    assert one.converged
    assert one.log_likelihood == pytest.approx(other.log_likelihood, abs=1e-5)
    np.testing.assert_allclose(one.bank.d, other.bank.d, atol=1e-3)
    assert one.errors is not None
    assert other.errors is not None
    np.testing.assert_allclose(one.errors.d, other.errors.d, rtol=1e-3)


def test_cross_products_agree_with_the_observed_information_in_large_samples() -> None:
    responses = response_matrix(drawn(8000, 3), item_names=BANK.names)
    observed = calibrate(responses, BANK.models, TIGHT)
    crossed = calibrate(
        responses, BANK.models, msgspec.structs.replace(TIGHT, standard_errors=StandardErrors.CROSS_PRODUCT)
    )
    assert observed.errors is not None
    assert crossed.errors is not None
    ratio = crossed.errors.d / observed.errors.d
    assert np.nanmax(np.abs(ratio - 1.0)) < 0.2
    assert np.nanmax(np.abs(ratio - 1.0)) > 0.0


def test_moments_of_further_groups_are_estimated() -> None:
    values = np.concatenate([drawn(3000, 5), drawn(3000, 6, 0.6, 1.3)])
    groups = ["reference"] * 3000 + ["focal"] * 3000
    found = calibrate(response_matrix(values, item_names=BANK.names, groups=groups), BANK.models, TIGHT)
    assert found.group_names == ("reference", "focal")
    assert found.means[0] == 0.0
    assert found.variances[0] == 1.0
    assert found.errors is not None
    assert abs(found.means[1] - 0.6) < 4 * found.errors.means[1]
    assert abs(found.variances[1] - 1.69) < 4 * found.errors.variances[1]


def test_fixed_items_stay_and_carry_the_scale() -> None:
    anchors = BANK.select(range(8))
    found = calibrate(
        response_matrix(drawn(3000, 7, 0.6, 1.3), item_names=BANK.names), BANK.models, TIGHT, anchors=anchors
    )
    np.testing.assert_array_equal(found.bank.d[:8], anchors.d)
    assert found.means[0] == pytest.approx(0.6, abs=0.12)
    assert found.errors is not None
    assert np.isnan(found.errors.a[0])
    assert np.nanmax(np.abs((found.bank.d - BANK.d) / found.errors.d)) < 4.5


def test_one_slope_is_a_rasch_model_with_the_spread_in_the_slope() -> None:
    values = drawn(1500, 8)[:, [0, 1, 5, 6, 8, 9]]
    rasch = calibrate(response_matrix(values), "rasch", TIGHT)
    one = calibrate(response_matrix(values), "1pl", TIGHT)
    assert one.log_likelihood == pytest.approx(rasch.log_likelihood, abs=1e-8)
    assert one.bank.a[0] == pytest.approx(np.sqrt(rasch.variances[0]))
    assert one.variances[0] == 1.0


@pytest.mark.parametrize(
    "priors",
    [
        pytest.param(Priors(slope=LogNormalPrior(0.0, 0.5)), id="lognormal slope"),
        pytest.param(
            Priors(slope=NormalPrior(1.0, 0.5), intercept=NormalPrior(0.0, 2.0)), id="normal slope and intercept"
        ),
        pytest.param(Priors(difficulty=NormalPrior(0.0, 1.0)), id="normal difficulty"),
    ],
)
def test_at_a_maximum_with_priors_the_gradient_is_zero(priors: Priors) -> None:
    options = CalibrationOptions(priors=priors, precision=Precision.TIGHT)
    found = calibrate(response_matrix(drawn(800, 9)[:, [0, 6, 8, 14]]), "2pl", options)
    assert found.converged
    assert found.gradient_norm < 1e-3
    assert found.log_prior != 0.0


@settings(deadline=None, max_examples=10)
@given(seed=st.integers(0, 1000))
def test_a_step_never_lowers_the_objective(seed: int) -> None:
    found = calibrate(
        response_matrix(drawn(400, seed), item_names=BANK.names), BANK.models,
        CalibrationOptions(priors=INFORMED),
    )  # fmt: skip
    assert (np.diff(found.history) > -1e-8).all()


@settings(deadline=None, max_examples=5)
@given(seed=st.integers(0, 1000))
def test_row_order_and_duplication_do_not_matter(seed: int) -> None:
    rng = np.random.default_rng(seed)
    values = drawn(300, seed)[:, [0, 6, 8, 14, 2]]
    models = ["2pl", "2pl", "2pl", "2pl", "gpcm"]
    options = CalibrationOptions(precision=Precision.TIGHT, priors=Priors(intercept=NormalPrior(0.0, 2.0)))
    plain = calibrate(response_matrix(values), models, options)
    shuffled = calibrate(response_matrix(values[rng.permutation(300)]), models, options)
    np.testing.assert_allclose(shuffled.bank.d, plain.bank.d, atol=1e-5)
    free = msgspec.structs.replace(options, priors=Priors())
    weighted = calibrate(response_matrix(values, frequencies=np.full(300, 2.0)), models, free)
    doubled = calibrate(response_matrix(np.concatenate([values, values])), models, free)
    assert doubled.log_likelihood == pytest.approx(weighted.log_likelihood, abs=1e-6)


REFUSED = {
    "never answered": (lambda v: v[:, 0].fill(np.nan), "item item1", "was never answered"),
    "one category": (lambda v: v[:, 1].fill(1.0), "item item2", "has one category only"),
    "too few answers": (lambda v: v[5:, 2].fill(np.nan), "item item3", "fewer than the 30 required"),
    "a category too many": (lambda v: v[:9, 0].fill(2.0), "item item1", "its model 2pl knows 0 and 1"),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_data_that_cannot_be_calibrated_are_refused_by_place_and_reason(kind: str) -> None:
    spoil, place, reason = REFUSED[kind]
    values = drawn(200, 1)[:, [0, 6, 8, 14]].astype(float)
    spoil(values)
    with pytest.raises(ResponsesUnusable) as refused:
        calibrate(response_matrix(values), "2pl")
    assert refused.value.place == place
    assert reason in refused.value.reason


def test_a_gap_in_the_categories_is_refused() -> None:
    values = np.array([[0, 1], [2, 0], [2, 1], [0, 0]] * 20)
    with pytest.raises(ResponsesUnusable, match="no response in category 1"):
        calibrate(response_matrix(values), ["gpcm", "2pl"])


def test_too_few_candidates_are_refused() -> None:
    with pytest.raises(ResponsesUnusable, match="fewer than the 30 required"):
        calibrate(response_matrix(drawn(20, 1)), BANK.models)


def test_what_is_no_category_is_refused_by_row_and_item() -> None:
    with pytest.raises(ResponsesUnusable) as refused:
        response_matrix([[0.0, 1.0], [0.5, 1.0]], item_names=["x", "y"])
    assert refused.value.place == "row 2, item x"


def test_one_slope_items_cannot_be_mixed() -> None:
    with pytest.raises(CalibrationImpossible, match="cannot be mixed"):
        calibrate(response_matrix(drawn(200, 1)[:, [0, 6]]), ["1pl", "2pl"])
