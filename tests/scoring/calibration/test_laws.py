"""Laws of calibration: EM never leads down, and names of groups say nothing."""

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scoring.calibration import BetaPrior, CalibrationOptions, Precision, Priors, calibrate
from scoring.calibration.features import features_of
from scoring.calibration.layout import LatentParameter, layout_of
from scoring.calibration.objective import Problem, em_step, evaluate
from scoring.irt.quadrature import STANDARD_QUADRATURE
from scoring.irt.responses import ResponseMatrix, response_matrix
from scoring.irt.simulation import simulate_responses
from tests.scoring.irt.banks import mixed_bank

PRIORS = Priors(guess=BetaPrior(5.0, 17.0), slip=BetaPrior(20.0, 2.0))
BANK = mixed_bank(16)


def two_groups(seed: int, names: tuple[str, str], order: tuple[int, int] = (0, 1), n: int = 400) -> ResponseMatrix:
    """Responses of two groups whose names and order of appearance are given."""
    rng = np.random.default_rng(seed)
    parts = [simulate_responses(BANK, rng.normal(mean, sd, n), rng) for mean, sd in ((0.0, 1.0), (0.5, 1.2))]
    values = np.concatenate([parts[at] for at in order])[:, [0, 8, 2, 10, 3]]
    return response_matrix(values, groups=[names[at] for at in order for _ in range(n)])


@settings(deadline=None, max_examples=15)
@given(seed=st.integers(0, 10_000), is_missing=st.booleans())
def test_an_em_step_from_anywhere_never_lowers_the_objective(seed: int, is_missing: bool) -> None:
    rng = np.random.default_rng(seed)
    values = simulate_responses(BANK, rng.standard_normal(200), rng).astype(float)
    if is_missing:
        values[rng.random(values.shape) < 0.5] = np.nan
    responses = response_matrix(values, item_names=BANK.names)
    nothing, everything = np.zeros(BANK.n_items, dtype=bool), np.full(BANK.n_items, not is_missing)
    start = mixed_bank(16, seed)
    latent = (LatentParameter(0, "log_variance"),)
    layout = layout_of(start, everything, nothing, ("all",), latent, np.zeros(1), np.array([rng.uniform(0.5, 2.0)]))
    problem = Problem(layout, features_of(layout, responses), STANDARD_QUADRATURE, PRIORS)
    at = evaluate(problem, layout.start())
    for _ in range(4):
        reached = evaluate(problem, em_step(problem, at))
        assert reached.value >= at.value - 1e-9 * abs(at.value)
        at = reached


TIGHT = CalibrationOptions(precision=Precision.TIGHT)


def models_of() -> list[str]:
    return [str(BANK.models[item]) if BANK.models[item] not in ("3pl", "4pl") else "2pl" for item in (0, 8, 2, 10, 3)]


@settings(deadline=None, max_examples=5)
@given(
    seed=st.integers(0, 1000), names=st.tuples(st.text(min_size=1), st.text(min_size=1)).filter(lambda n: n[0] != n[1])
)
def test_names_of_groups_do_not_matter(seed: int, names: tuple[str, str]) -> None:
    plain = calibrate(two_groups(seed, ("a", "b")), models_of(), TIGHT)
    named = calibrate(two_groups(seed, names), models_of(), TIGHT)
    assert named.group_names == names
    np.testing.assert_array_equal(named.bank.d, plain.bank.d)
    np.testing.assert_array_equal(named.means, plain.means)


@settings(deadline=None, max_examples=3)
@given(seed=st.integers(0, 1000))
def test_another_reference_group_moves_the_scale_and_nothing_else(seed: int) -> None:
    # Points far out, so that both scales see the same density.
    options = msgspec.structs.replace(
        TIGHT, quadrature=msgspec.structs.replace(STANDARD_QUADRATURE, n_points=161, limit=8.0)
    )
    one = calibrate(two_groups(seed, ("a", "b")), models_of(), options)
    other = calibrate(two_groups(seed, ("a", "b"), (1, 0)), models_of(), options)
    assert other.log_likelihood == pytest.approx(one.log_likelihood, abs=1e-3)
    assert other.means[1] == pytest.approx(-one.means[1] / np.sqrt(one.variances[1]), abs=1e-3)
    assert other.variances[1] == pytest.approx(1.0 / one.variances[1], rel=1e-3)
    np.testing.assert_allclose(other.bank.a, one.bank.a * np.sqrt(one.variances[1]), rtol=1e-3)
