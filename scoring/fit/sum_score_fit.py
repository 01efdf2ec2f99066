"""S-X²: does an item behave as its curve says among candidates of equal sum score?"""

import msgspec
import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtrc

from scoring.errors import FitUndefined
from scoring.fit.population import STANDARD_POPULATION, Population, complete_rows, dense_categories
from scoring.irt.ability import sum_score_distribution
from scoring.irt.bank import ItemBank, category_probabilities
from scoring.irt.models import Model, family_of
from scoring.irt.responses import ResponseMatrix

Array = NDArray[np.float64]
# Columns of merged categories that fewer scores, or fewer candidates for each ten scores, have than this are given up.
_RARE_ROWS = 0.05
_RARE_CANDIDATES = 0.1


class SumScoreFit(msgspec.Struct, frozen=True, kw_only=True):
    """S-X² of each item.

    Attributes
    ----------
    x2, p, rmsea : ndarray, shape (n_items,)
        NaN where no degree of freedom is left.
    df : ndarray of int, shape (n_items,)
    n_candidates : float
        Candidates with complete responses, the only ones that have a sum score.
    """

    x2: Array
    df: NDArray[np.int64]
    p: Array
    rmsea: Array
    n_candidates: float


class ScoreTable(msgspec.Struct, frozen=True):
    """Observed and expected counts of an item's categories, one row for each sum score 1 … maximum - 1.

    Attributes
    ----------
    scores : ndarray of int, shape (n_scores,)
    observed, expected : ndarray, shape (n_scores, n_categories)
    """

    scores: NDArray[np.int64]
    observed: Array
    expected: Array


def s_x2(
    responses: ResponseMatrix,
    bank: ItemBank,
    population: Population = STANDARD_POPULATION,
    *,
    fewest_expected: float = 1.0,
) -> SumScoreFit:
    """Test each item by its observed and expected proportions at every sum score.

    Neighbouring categories of a score, then neighbouring scores, are merged until every cell expects `fewest_expected`;
    before that, scores at which a category cannot occur, and scores that one candidate has, join the next.
    The all-wrong and the all-right score carry no information and are left out.

    Raises
    ------
    FitUndefined
        Nobody answered all items, or there are fewer than two.

    References
    ----------
    Orlando & Thissen (2000), Applied Psychological Measurement 24, 50-64; for polytomous items Kang & Chen (2008),
    Journal of Educational Measurement 45, 391-406. Degrees of freedom: cells, less one for each score, less the item's
    parameters and the free moments of the population, as mirt counts them.
    """
    tables = score_tables(responses, bank, population)
    n = complete_rows(responses).n_candidates
    x2, df = np.full(bank.n_items, np.nan), np.zeros(bank.n_items, dtype=np.int64)
    for item, table in enumerate(tables):
        rows = _merged(table, fewest_expected)
        # A one-parameter item's common slope is the population's spread in another place.
        model = bank.models[item]
        n_own = len(family_of(model).names(int(bank.n_categories[item]))) - (model is Model.ONE_PL)
        n_parameters = n_own + max(population.n_free, int(model is Model.ONE_PL))
        df[item] = sum(len(expected) - 1 for _, expected in rows) - n_parameters
        x2[item] = sum(float(((o - e) ** 2 / e).sum()) for o, e in rows)
    is_defined = df > 0
    x2[~is_defined] = np.nan
    at_least_one = np.maximum(df, 1)
    p = np.where(is_defined, chdtrc(at_least_one, np.where(is_defined, x2, 0.0)), np.nan)
    rmsea = np.sqrt(np.maximum(x2 - df, 0.0) / (at_least_one * max(n - 1.0, 1.0)))
    return SumScoreFit(x2=x2, df=np.maximum(df, 0), p=p, rmsea=rmsea, n_candidates=n)


def score_tables(
    responses: ResponseMatrix, bank: ItemBank, population: Population = STANDARD_POPULATION
) -> tuple[ScoreTable, ...]:
    """Tabulate every item's categories by sum score, unmerged: the data of an observed-against-expected plot."""
    dense_categories(responses, bank)
    complete = complete_rows(responses)
    if complete.n_candidates == 0:
        raise FitUndefined("responses", "nobody answered all items, so there are no sum scores to compare")
    if bank.n_items < 2:
        raise FitUndefined("responses", "one item alone has no sum score to be compared by")
    categories = dense_categories(complete, bank)
    totals = categories.sum(axis=1, dtype=np.int64)
    highest = int((bank.n_categories - 1).sum())
    probabilities = category_probabilities(bank, population.points)
    tables = []
    for item in range(bank.n_items):
        k = int(bank.n_categories[item])
        others = bank.select([i for i in range(bank.n_items) if i != item])
        rest = sum_score_distribution(others, population.points)
        given = rest.T @ (probabilities[:, item, :k] * population.weights[:, None])
        joint = np.zeros((highest + 1, k))
        for category in range(k):
            joint[category : category + given.shape[0], category] = given[:, category]
        cells = np.bincount(totals * k + categories[:, item], complete.weights, minlength=(highest + 1) * k)
        observed: Array = cells.reshape(highest + 1, k).astype(np.float64)
        share = joint / np.maximum(joint.sum(axis=1, keepdims=True), 1e-300)
        expected = observed.sum(axis=1, keepdims=True) * share
        inner = slice(1, highest)
        tables.append(ScoreTable(np.arange(1, highest), observed[inner], expected[inner]))
    return tuple(tables)


def _merged(table: ScoreTable, fewest: float) -> list[tuple[Array, Array]]:
    """Observed and expected counts of each remaining row, cells merged until each expects `fewest`."""
    both = _without_single_candidates(_without_impossible_ends(np.stack([table.observed, table.expected], axis=1)))
    rows = [_within_score(o, e, fewest) for o, e in both]
    widest = max((e.size for _, e in rows), default=0)
    observed = np.array([np.pad(o, (0, widest - o.size)) for o, _ in rows])
    expected = np.array([np.pad(e, (0, widest - e.size)) for _, e in rows])
    # Merged categories stand on the left, as mirt has them; a column that hardly exists joins its neighbour.
    for column in range(widest - 1, 1, -1):
        sparse = (expected[:, column] > 0).mean() < _RARE_ROWS
        if sparse or expected[:, column].sum() < fewest * np.ceil(_RARE_CANDIDATES * len(expected)):
            for counts in (observed, expected):
                counts[:, column - 1] += counts[:, column]
                counts[:, column] = 0.0
    while len(expected) > 1:
        is_thin = ((expected < fewest) & (expected > 0)).any(axis=1)
        if not is_thin.any():
            break
        at = int(np.argmax(is_thin))
        into = _neighbour(observed.sum(axis=1), at)
        for counts in (observed, expected):
            counts[into] += counts[at]
        observed, expected = np.delete(observed, at, axis=0), np.delete(expected, at, axis=0)
    return [(o[e > 0], e[e > 0]) for o, e in zip(observed, expected, strict=True)]


def _without_impossible_ends(both: Array) -> Array:
    """Merge the lowest and the highest scores, at which a category cannot occur, into the next; drop what nobody has.

    `both` has shape (n_scores, 2, n_categories).
    """
    n_ends = both.shape[2] - 2
    if 2 * n_ends < both.shape[0]:
        last = both.shape[0] - n_ends
        middle = both[n_ends:last].copy()
        middle[0] += both[:n_ends].sum(axis=0)
        middle[-1] += both[last:].sum(axis=0)
        both = middle
    result: Array = both[both[:, 0].sum(axis=1) > 0]
    return result


def _without_single_candidates(both: Array) -> Array:
    """Merge scores that one candidate has into the next, the last into the one before."""
    kept: list[Array] = []
    carried = np.zeros(both.shape[1:])
    for row in both:
        row = row + carried
        is_single = row[0].sum() == 1.0
        carried = row if is_single else np.zeros_like(row)
        if not is_single:
            kept.append(row)
    if kept:
        kept[-1] = kept[-1] + carried
    return np.array(kept) if kept else both[:0]


def _within_score(observed: Array, expected: Array, fewest: float) -> tuple[Array, Array]:
    """Merge the rarest category of one score into its rarer neighbour until all are common enough, or two are left."""
    observed, expected = observed.copy(), expected.copy()
    while expected.size > 2 and (expected < fewest).any():
        at = int(np.flatnonzero(expected == expected.min())[-1])
        into = _neighbour(expected, at)
        for counts in (observed, expected):
            counts[into] += counts[at]
        observed, expected = np.delete(observed, at), np.delete(expected, at)
    return observed, expected


def _neighbour(sizes: Array, at: int) -> int:
    """Index of the smaller neighbour."""
    if at == 0:
        return 1
    if at == sizes.size - 1:
        return at - 1
    return at - 1 if sizes[at - 1] <= sizes[at + 1] else at + 1
