"""Blanks by choice, and categories that nobody gave."""

import numpy as np
import pytest

from scoring.calibration import calibrate
from scoring.errors import ResponsesUnusable
from scoring.irt.recoding import Blank, ClosedGap, with_blanks, without_gaps
from scoring.irt.responses import response_matrix, sparse_responses
from scoring.irt.simulation import simulate_responses
from tests.scoring.irt.banks import mixed_bank


@pytest.mark.parametrize(
    ("omitted", "not_reached", "row"),
    [
        pytest.param(Blank.LOWEST, Blank.MISSING, [1, 0, 1, -1, -1], id="omitted is wrong, not reached is missing"),
        pytest.param(Blank.MISSING, Blank.MISSING, [1, -1, 1, -1, -1], id="both missing"),
        pytest.param(Blank.LOWEST, Blank.LOWEST, [1, 0, 1, 0, 0], id="both wrong"),
        pytest.param(Blank.MISSING, Blank.LOWEST, [1, -1, 1, 0, 0], id="only not reached is wrong"),
    ],
)
def test_blanks_count_as_chosen(omitted: Blank, not_reached: Blank, row: list[int]) -> None:
    given = response_matrix([[1, np.nan, 1, np.nan, np.nan], [0, 1, 1, 0, 1]])
    found = with_blanks(given, omitted=omitted, not_reached=not_reached)
    assert np.asarray(found.categories).tolist() == [row, [0, 1, 1, 0, 1]]


def test_sparse_responses_have_no_blanks() -> None:
    with pytest.raises(ResponsesUnusable, match="one form at a time"):
        with_blanks(sparse_responses([0], [0], [1], n_candidates=1, item_names=["x"]))


def test_a_category_nobody_gave_is_closed_and_named() -> None:
    bank = mixed_bank(16)
    rng = np.random.default_rng(3)
    values = simulate_responses(bank, rng.standard_normal(900), rng).astype(float)
    item = next(i for i, k in enumerate(bank.n_categories) if k == 4)
    values[values[:, item] == 2, item] = 3
    values[::5, item] = np.nan
    row, column = np.nonzero(~np.isnan(values))
    for responses in (
        response_matrix(values, item_names=bank.names),
        sparse_responses(row, column, values[row, column], n_candidates=900, item_names=bank.names),
    ):
        with pytest.raises(ResponsesUnusable, match="no response in category 2"):
            calibrate(responses, bank.models)
        found, closed = without_gaps(responses)
        assert closed == (ClosedGap(bank.names[item], (0, 1, 3)),)
        assert np.asarray(found.dense().categories)[:, item].max() == 2
        assert calibrate(found, bank.models).bank.n_categories[item] == 3


def test_responses_without_a_gap_stay_as_they_are() -> None:
    given = response_matrix([[0, 1, 2], [1, 0, 1], [0, 1, 0]])
    assert without_gaps(given) == (given, ())
