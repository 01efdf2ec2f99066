"""Distractor tables: who chose which option, by ability group."""

from collections.abc import Collection, Sequence

import msgspec
import numpy as np
from numpy.typing import ArrayLike, NDArray

from scoring.errors import ResponsesUnusable

Array = NDArray[np.float64]


class DistractorTable(msgspec.Struct, frozen=True, kw_only=True):
    """Options of one item.

    Attributes
    ----------
    options : tuple of str
    is_key : ndarray of bool, shape (n_options,)
    share : ndarray, shape (n_options,)
        Share of all candidates; what is missing to 1 left the item blank.
    group_share : ndarray, shape (n_groups, n_options)
        Share within each ability group, the weakest first.
    mean_criterion : ndarray, shape (n_options,)
        Mean of the criterion among those who chose the option; NaN if nobody did.
    r_pb : ndarray, shape (n_options,)
        Correlation of choosing the option with the criterion; NaN if nobody or everybody did.
    blank : float
        Share of the candidates without a response.
    """

    options: tuple[str, ...]
    is_key: NDArray[np.bool_]
    share: Array
    group_share: Array
    mean_criterion: Array
    r_pb: Array
    blank: float


def distractor_table(
    chosen: Sequence[str | None],
    key: Collection[str],
    criterion: ArrayLike,
    *,
    options: Sequence[str] | None = None,
    n_groups: int = 5,
) -> DistractorTable:
    """Tabulate the options of one item.

    Parameters
    ----------
    chosen : sequence of str or None, length n_candidates
        None or "" is blank.
    key : collection of str
        Options that earn credit.
    criterion : array_like, shape (n_candidates,)
        What ability is judged by: the sum of the other items, or theta.
    options : sequence of str, optional
        All options in order; those met and the key, unless given.
    n_groups : int
        Ability groups of about equal size; candidates of equal criterion stay together.

    Raises
    ------
    ResponsesUnusable
        An option that is not among the options, or shapes that do not agree.
    """
    ability = np.asarray(criterion, dtype=np.float64)
    given = np.array(["" if option is None else option for option in chosen], dtype=np.str_)
    if ability.shape != given.shape or given.size == 0:
        raise ResponsesUnusable("criterion", f"need one number for each of {given.size} responses")
    known = tuple(options) if options is not None else tuple(sorted({*given.tolist(), *key} - {""}))
    strange = sorted({*given.tolist(), *key} - {"", *known})
    if strange:
        raise ResponsesUnusable(f"option {strange[0]}", f"is not among {', '.join(known)}")
    marks = (given[:, None] == np.array(known, dtype=np.str_)).astype(np.float64)
    groups = ability_groups(ability, n_groups)
    counts = np.bincount(groups, minlength=n_groups)
    by_group = np.zeros((n_groups, len(known)))
    np.add.at(by_group, groups, marks)
    n = marks.sum(axis=0)
    apart = ability - ability.mean()
    spread = np.sqrt((apart**2).sum() * n * (1.0 - n / given.size))
    with np.errstate(divide="ignore", invalid="ignore"):
        return DistractorTable(
            options=known,
            is_key=np.array([option in key for option in known]),
            share=n / given.size,
            group_share=by_group / counts[:, None],
            mean_criterion=np.where(n > 0, (ability @ marks) / n, np.nan),
            r_pb=np.where(spread > 0, (apart @ marks) / spread, np.nan),
            blank=float((given == "").mean()),
        )


def ability_groups(criterion: ArrayLike, n_groups: int) -> NDArray[np.int64]:
    """Group of each candidate, 0 the weakest; all who tie share the group of their middle rank."""
    values, place, counts = np.unique(np.asarray(criterion), return_inverse=True, return_counts=True)
    middle = np.cumsum(counts) - counts / 2.0
    group: NDArray[np.int64] = np.minimum(middle / place.size * n_groups, n_groups - 1).astype(np.int64)
    del values
    return group[place]
