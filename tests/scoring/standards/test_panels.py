"""Angoff and bookmark panels: cut scores, their spread, and ratings that give none."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scoring.errors import RatingsUnusable
from scoring.irt.bank import bank_from_difficulties, category_probabilities, expected_scores
from scoring.standards import angoff_summary, bookmark_summary, ordered_booklet
from tests.scoring.irt.banks import mixed_bank

RASCH = bank_from_difficulties(["i1", "i2", "i3"], ["rasch"] * 3, b=[-1.0, 0.0, 1.0])


def test_the_angoff_cut_is_the_mean_of_the_judges_sums() -> None:
    found = angoff_summary([[0.6, 0.5, 0.4], [0.8, 0.7, 0.3], [0.7, 0.6, 0.2]])
    assert found.cut.judges.tolist() == pytest.approx([1.5, 1.8, 1.5])
    assert found.cut.mean == pytest.approx(1.6)
    assert found.cut.sd == pytest.approx(np.sqrt(0.03))
    assert found.cut.se == pytest.approx(np.sqrt(0.01))
    assert found.maximum == 3.0
    np.testing.assert_allclose(found.item_mean, [0.7, 0.6, 0.3])
    assert np.isnan(found.theta)


def test_a_judge_who_rates_as_the_model_says_is_found_at_the_ability_meant() -> None:
    bank = mixed_bank(24)
    ratings = expected_scores(bank, [-0.4, 0.3])
    found = angoff_summary(ratings, bank=bank)
    np.testing.assert_allclose(found.judge_theta, [-0.4, 0.3], atol=1e-8)
    np.testing.assert_allclose(found.judge_consistency, 1.0)
    assert -0.4 < found.theta < 0.3


@pytest.mark.parametrize(
    ("ratings", "place", "reason"),
    [
        pytest.param([[0.5, np.nan, 0.5]], "judge Lan, item i2", "nan is not between", id="missing"),
        pytest.param([[0.5, 0.5, 1.5]], "judge Lan, item i3", "1.5 is not between 0 and 1", id="beyond the maximum"),
        pytest.param([[0.5, 0.5]], "ratings", "have 2 items, but the parameters 3", id="other items"),
        pytest.param([], "ratings", "need judges in rows", id="no judges"),
    ],
)
def test_ratings_that_give_no_cut_are_refused(ratings: list[list[float]], place: str, reason: str) -> None:
    with pytest.raises(RatingsUnusable) as refused:
        angoff_summary(ratings, bank=RASCH, judges=["Lan"])
    assert refused.value.place == place
    assert reason in refused.value.reason


def test_a_page_stands_where_its_step_is_mastered_with_the_response_probability() -> None:
    booklet = ordered_booklet(RASCH)
    assert [page.item for page in booklet] == ["i1", "i2", "i3"]
    np.testing.assert_allclose([page.theta for page in booklet], np.array([-1.0, 0.0, 1.0]) + np.log(2.0))


@settings(deadline=None, max_examples=20)
@given(seed=st.integers(0, 1000), chance=st.floats(0.4, 0.9))
def test_every_page_has_the_chance_asked_for_and_pages_rise(seed: int, chance: float) -> None:
    bank = mixed_bank(16, seed)
    bank = bank.select([i for i, model in enumerate(bank.models) if model != "nominal"])
    booklet = ordered_booklet(bank, response_probability=chance)
    theta = np.array([page.theta for page in booklet])
    assert (np.diff(theta) >= 0).all()
    assert len(booklet) == int((bank.n_categories - 1).sum())
    for page in booklet:
        p = category_probabilities(bank.select([bank.names.index(page.item)]), page.theta)[0, 0]
        assert p[page.step :].sum() == pytest.approx(chance, abs=1e-6)


def test_bookmarks_become_cuts_at_the_last_page_mastered() -> None:
    found = bookmark_summary(ordered_booklet(RASCH), [[1, 2], [2, 3]], levels=["pass", "good"])
    np.testing.assert_allclose([cut.mean for cut in found.cuts], np.array([-0.5, 0.5]) + np.log(2.0))
    assert found.page_mean == (1.5, 2.5)


@pytest.mark.parametrize(
    ("bookmarks", "place", "reason"),
    [
        pytest.param([[1, 4]], "judge Minh, level good", "4 is no page from 1 to 3", id="no page"),
        pytest.param([[2, 1]], "judge Minh", "earlier bookmark", id="falling"),
        pytest.param([[1.5, 2]], "judge Minh, level pass", "1.5 is no page", id="half a page"),
        pytest.param([[1]], "bookmarks", "2 levels", id="a level left out"),
    ],
)
def test_bookmarks_that_mark_nothing_are_refused(bookmarks: list[list[float]], place: str, reason: str) -> None:
    with pytest.raises(RatingsUnusable) as refused:
        bookmark_summary(ordered_booklet(RASCH), bookmarks, levels=["pass", "good"], judges=["Minh"])
    assert refused.value.place == place
    assert reason in refused.value.reason


def test_a_step_that_guessing_alone_masters_cannot_hold_a_bookmark() -> None:
    bank = bank_from_difficulties(["easy"], ["3pl"], a=[1.0], b=[0.0], c=[0.7])
    booklet = ordered_booklet(bank)
    assert booklet[0].theta == -np.inf
    with pytest.raises(RatingsUnusable, match="no ability masters page 1"):
        bookmark_summary(booklet, [[1]], levels=["pass"])


def test_nominal_items_have_no_place_in_a_booklet() -> None:
    bank = mixed_bank(16)
    with pytest.raises(RatingsUnusable, match="is nominal"):
        ordered_booklet(bank)
