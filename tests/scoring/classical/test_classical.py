"""Classical statistics: published numbers, textbook identities, and verdicts on items that are made to deserve them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import ArrayLike, NDArray

from scoring.classical import (
    Finding,
    ability_groups,
    distractor_table,
    extreme_shares,
    item_statistics,
    item_times,
    omega_total,
    reliability,
    score_table,
    verdicts,
)
from scoring.errors import ResponsesUnusable

# LSAT section 6, Bock & Lieberman (1970), Psychometrika 35, 179-197: how often each pattern 00000 … 11111 occurred.
LSAT6 = [
    3,
    6,
    2,
    11,
    1,
    1,
    3,
    4,
    1,
    8,
    0,
    16,
    0,
    3,
    2,
    15,
    10,
    29,
    14,
    81,
    3,
    28,
    15,
    80,
    16,
    56,
    21,
    173,
    11,
    61,
    28,
    298,
]
PATTERNS = np.array([[int(bit) for bit in f"{i:05b}"] for i in range(32)], dtype=float)
seeds = st.integers(0, 2**32 - 1)


def test_lsat6_has_its_published_facilities() -> None:
    statistics = item_statistics(score_table(PATTERNS, frequencies=LSAT6))
    np.testing.assert_allclose(statistics.facility, [0.924, 0.709, 0.553, 0.763, 0.870])


def test_lsat6_has_the_correlations_that_the_package_ltm_prints() -> None:
    statistics = item_statistics(score_table(PATTERNS, frequencies=LSAT6))
    # In its column "included" ltm divides a population's standard deviation by a sample's: sqrt(999 / 1000) smaller.
    included = statistics.r_total * np.sqrt(0.999)
    np.testing.assert_allclose(included, [0.3618, 0.5665, 0.6181, 0.5342, 0.4351], atol=1e-4)
    np.testing.assert_allclose(statistics.r_pb, [0.1128, 0.1532, 0.1728, 0.1444, 0.1216], atol=5e-5)


def test_lsat6_has_the_alphas_that_the_package_ltm_prints() -> None:
    found = reliability(score_table(PATTERNS, frequencies=LSAT6))
    assert found.alpha == pytest.approx(0.2950, abs=5e-5)
    np.testing.assert_allclose(found.alpha_without, [0.2754, 0.2376, 0.2168, 0.2459, 0.2663], atol=1e-4)
    assert found.sem == pytest.approx(found.sd * np.sqrt(1 - found.alpha))


def test_the_biserial_is_the_point_biserial_over_the_ordinate() -> None:
    statistics = item_statistics(score_table(PATTERNS, frequencies=LSAT6))
    # Item 3: p = 0.553, whose ordinate is 0.39540.
    expected = statistics.r_pb[2] * np.sqrt(0.553 * 0.447) / 0.395401
    assert statistics.r_bis[2] == pytest.approx(expected, abs=1e-5)


def test_the_polyserial_recovers_the_correlation_of_the_trait() -> None:
    rng = np.random.default_rng(2)
    trait = rng.multivariate_normal([0, 0], [[1, 0.6], [0.6, 1]], size=200_000)
    scores = np.column_stack([np.digitize(trait[:, 0], [-0.7, 0.2, 1.0]), 10 + trait[:, 1]])
    scores[:, 1] = np.clip(scores[:, 1], 0, 20)
    assert item_statistics(score_table(scores, maximum=[3, 20])).r_bis[0] == pytest.approx(0.6, abs=0.01)


def test_omega_of_a_congeneric_covariance_is_its_closed_form() -> None:
    loading, unique = np.array([0.4, 0.8, 1.2, 0.6]), np.array([0.5, 0.3, 0.9, 1.0])
    covariance = np.outer(loading, loading) + np.diag(unique)
    assert omega_total(covariance) == pytest.approx(9.0 / (9.0 + 2.7), abs=1e-6)


def test_omega_is_alpha_where_all_items_measure_alike() -> None:
    covariance = np.full((6, 6), 0.3) + np.diag([0.2, 0.4, 0.6, 0.8, 1.0, 1.2])
    alpha = 6 / 5 * (1 - np.trace(covariance) / covariance.sum())
    assert omega_total(covariance) == pytest.approx(alpha, abs=1e-6)


@settings(max_examples=30, deadline=None)
@given(seed=seeds)
def test_statistics_stay_in_range_and_do_not_know_the_order_of_the_rows(seed: int) -> None:
    rng = np.random.default_rng(seed)
    ability = rng.normal(size=(80, 1))
    scores = (ability + rng.normal(size=(80, 7)) > rng.normal(size=7)).astype(float)
    scores[rng.random((80, 7)) < 0.05] = np.nan
    scores[0] = 1
    counts = rng.integers(1, 4, 80)
    repeated = np.repeat(np.arange(80), counts)
    weighted = score_table(scores, frequencies=counts)
    plain = score_table(scores[rng.permutation(repeated)])
    found, other = item_statistics(weighted), item_statistics(plain)
    for name in ("facility", "r_pb", "r_bis", "r_total", "discrimination", "omitted", "not_reached"):
        np.testing.assert_allclose(getattr(found, name), getattr(other, name), atol=1e-9)
    assert ((found.facility >= 0) & (found.facility <= 1)).all()
    assert (np.abs(found.discrimination) <= 1 + 1e-12).all()
    assert (np.abs(np.nan_to_num(found.r_pb)) <= 1 + 1e-12).all()
    assert reliability(weighted).alpha <= 1


@given(seed=seeds, part=st.floats(0.05, 0.5))
def test_extreme_groups_have_exactly_their_share(seed: int, part: float) -> None:
    rng = np.random.default_rng(seed)
    table = score_table(rng.integers(0, 2, (50, 4)) * 1.0, maximum=[1] * 4)
    for side in extreme_shares(table, part):
        assert side.sum() == pytest.approx(part * 50)


def test_blanks_at_the_end_are_not_reached_and_others_omitted() -> None:
    table = score_table([[1, np.nan, 0, np.nan, np.nan], [np.nan, 1, 1, 1, 1], [1, 0, 1, 1, np.nan]])
    statistics = item_statistics(table)
    np.testing.assert_allclose(statistics.omitted, [1 / 3, 1 / 3, 0, 0, 0])
    np.testing.assert_allclose(statistics.not_reached, [0, 0, 0, 1 / 3, 2 / 3])


def test_ties_stay_in_one_ability_group() -> None:
    groups = ability_groups([1, 1, 1, 1, 2, 3, 3, 3, 3, 9], 5)
    assert len({*groups[:4].tolist()}) == 1
    assert groups[-1] == 4
    assert (np.diff(groups) >= 0).all()


def choices(rng: np.random.Generator) -> tuple[list[str | None], NDArray[np.float64]]:
    """1000 candidates; the strong know C, the weak guess among A, B, C."""
    ability = rng.normal(size=1000)
    knows = rng.random(1000) < 1 / (1 + np.exp(-2 * ability))
    guess = rng.choice(["A", "B", "C"], 1000)
    chosen: list[str | None] = ["C" if k else g for k, g in zip(knows, guess.tolist(), strict=True)]
    return chosen, ability


def test_a_wrong_key_is_named_in_plain_words() -> None:
    chosen, ability = choices(np.random.default_rng(1))
    table = distractor_table(chosen, {"A"}, ability, options=["A", "B", "C", "D"])
    rest = (ability[:, None] > np.linspace(-1, 1, 9)).astype(float)
    scores = np.column_stack([[float(c == "A") for c in chosen], rest])
    first = verdicts(item_statistics(score_table(scores)), [table, *[None] * 9])[0]
    assert first[0].sentence == "Option C attracts the strongest candidates more than the key A does: check the key."
    assert first[1].finding is Finding.NEGATIVE
    assert first[-1].finding is Finding.IDLE_DISTRACTOR
    assert first[-1].facts == {"option": "D"}


def test_the_right_key_of_the_same_item_works_well() -> None:
    chosen, ability = choices(np.random.default_rng(1))
    table = distractor_table(chosen, {"C"}, ability)
    rest = (ability[:, None] > np.linspace(-1, 1, 9)).astype(float)
    scores = np.column_stack([[float(c == "C") for c in chosen], rest])
    (good,) = verdicts(item_statistics(score_table(scores)), [table, *[None] * 9])[0]
    assert good.finding is Finding.GOOD
    assert (np.diff(table.group_share[:, 2]) > 0).all()


@pytest.mark.parametrize(
    ("column", "finding"),
    [
        pytest.param(np.repeat([0.0, 1.0], [98, 2]), Finding.TOO_HARD, id="too hard"),
        pytest.param(np.repeat([0.0, 1.0], [2, 98]), Finding.TOO_EASY, id="too easy"),
        pytest.param(np.ones(100), Finding.ALL_ALIKE, id="all alike"),
        pytest.param(np.tile([0.0, 1.0], 50), Finding.WEAK, id="weak"),
        pytest.param(np.where(np.arange(100) % 5 == 0, np.nan, 1.0), Finding.OFTEN_OMITTED, id="omitted"),
    ],
)
def test_each_trouble_is_found(column: NDArray[np.float64], finding: Finding) -> None:
    ladder = (np.arange(100)[:, None] >= np.linspace(10, 90, 8)).astype(float)
    found = verdicts(item_statistics(score_table(np.column_stack([column, ladder, np.ones(100)]), maximum=[1] * 10)))
    assert finding in {verdict.finding for verdict in found[0]}


def test_option_shares_and_blanks_make_one() -> None:
    table = distractor_table(["A", None, "B", "B", ""], ["B"], [1, 2, 3, 4, 5], n_groups=2)
    assert table.share.sum() + table.blank == pytest.approx(1.0)
    np.testing.assert_allclose(table.mean_criterion, [1.0, 3.5])


def test_times_are_split_by_outcome() -> None:
    table = score_table(np.array([[1, 1], [0, 1], [np.nan, 1], [1, 1]]))
    times = item_times(table, [[30, 5], [50, 5], [7, 5], [2, 5]])
    assert (times.right_seconds[0], times.wrong_seconds[0], times.blank_seconds[0]) == (16.0, 50.0, 7.0)
    assert times.rapid[0] == pytest.approx(1 / 3)


@pytest.mark.parametrize(
    ("scores", "reason"),
    [
        pytest.param([[0, 1], [0, 2]], "not between 0 and", id="above the maximum"),
        pytest.param([[np.nan, 1], [np.nan, 0]], "answered by nobody", id="never answered"),
        pytest.param([[0, 1]], "fewer than two candidates", id="one candidate"),
        pytest.param([[0], [1]], "two items", id="one item"),
    ],
)
def test_tables_that_cannot_be_analysed_are_refused(scores: ArrayLike, reason: str) -> None:
    with pytest.raises(ResponsesUnusable, match=reason):
        score_table(scores, maximum=[1, 1])


def test_an_unknown_option_is_refused() -> None:
    with pytest.raises(ResponsesUnusable, match="option E"):
        distractor_table(["A", "E"], ["A"], [1, 2], options=["A", "B"])
