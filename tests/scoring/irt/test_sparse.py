"""Sparse responses: the same numbers as their dense form, and refusals by place and reason."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scoring.errors import ResponsesUnusable
from scoring.irt.ability import Weight, eap_estimates, map_estimates, ml_estimates, plausible_values, wle_estimates
from scoring.irt.responses import ResponseMatrix, response_matrix, sparse_responses
from scoring.irt.simulation import simulate_responses
from tests.scoring.irt.banks import mixed_bank

BANK = mixed_bank(40)


def both_forms(seed: int, n: int = 120, share: float = 0.3) -> tuple[ResponseMatrix, ResponseMatrix]:
    rng = np.random.default_rng(seed)
    values = simulate_responses(BANK, rng.standard_normal(n), rng).astype(float)
    values[rng.random(values.shape) > share] = np.nan
    row, column = np.nonzero(~np.isnan(values))
    shuffled = rng.permutation(row.size)
    row, column = row[shuffled], column[shuffled]
    sparse = sparse_responses(row, column, values[row, column], n_candidates=n, item_names=BANK.names)
    return sparse, response_matrix(values, item_names=BANK.names)


METHODS = {
    "EAP": lambda responses: eap_estimates(responses, BANK),
    "MAP": lambda responses: map_estimates(responses, BANK),
    "ML": lambda responses: ml_estimates(responses, BANK),
    "WLE": lambda responses: wle_estimates(responses, BANK),
    "WLE by Warm": lambda responses: wle_estimates(responses, BANK, weight=Weight.WARM),
}


@settings(deadline=None, max_examples=5)
@given(seed=st.integers(0, 10_000))
@pytest.mark.parametrize("method", METHODS)
def test_both_forms_give_the_same_ability(method: str, seed: int) -> None:
    sparse, dense = both_forms(seed)
    one, other = METHODS[method](sparse), METHODS[method](dense)
    np.testing.assert_allclose(one.theta, other.theta, atol=1e-7)
    np.testing.assert_allclose(one.se, other.se, atol=1e-6)


def test_both_forms_give_the_same_plausible_values() -> None:
    draws = [plausible_values(form, BANK, 3, np.random.default_rng(4)) for form in both_forms(1)]
    np.testing.assert_allclose(*draws, atol=1e-12)


def test_the_dense_form_of_sparse_responses_is_what_they_were_made_of() -> None:
    sparse, dense = both_forms(2)
    np.testing.assert_array_equal(sparse.dense().categories, dense.categories)
    np.testing.assert_array_equal(sparse.category_counts(), dense.category_counts())


@pytest.mark.parametrize("method", METHODS)
def test_who_answered_nothing_has_the_ability_of_the_population_or_none(method: str) -> None:
    values = np.full((2, BANK.n_items), np.nan)
    values[0] = 1.0
    sparse = sparse_responses(
        np.zeros(BANK.n_items, dtype=int), range(BANK.n_items), values[0], n_candidates=2, item_names=BANK.names
    )
    for form in (response_matrix(values, item_names=BANK.names), sparse):
        found = METHODS[method](form)
        if method in ("EAP", "MAP"):
            assert (found.theta[1], found.se[1]) == pytest.approx((0.0, 1.0), abs=1e-6)
        else:
            assert np.isnan([found.theta[1], found.se[1]]).all()


@pytest.mark.parametrize(
    ("candidates", "items", "values", "place", "reason"),
    [
        pytest.param([0, 0], [1, 1], [0, 1], "candidate 1, item y", "is answered more than once", id="twice"),
        pytest.param([0, 3], [0, 1], [0, 1], "response 2", "its candidate 3 is not in 0 to 1", id="candidate"),
        pytest.param([0, 1], [0, -1], [0, 1], "response 2", "its item -1 is not in 0 to 1", id="item"),
        pytest.param([0, 1], [0, 1], [0, 0.5], "response 2", "0.5 is no category", id="no category"),
        pytest.param([0], [0, 1], [0, 1], "responses", "1 candidates, 2 items and 2 values", id="lengths"),
    ],
)
def test_responses_that_contradict_themselves_are_refused(
    candidates: list[int], items: list[int], values: list[float], place: str, reason: str
) -> None:
    with pytest.raises(ResponsesUnusable) as refused:
        sparse_responses(candidates, items, values, n_candidates=2, item_names=["x", "y"])
    assert refused.value.place == place
    assert reason in refused.value.reason
