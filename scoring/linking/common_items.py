"""Items that two calibrations share, by name."""

from collections.abc import Collection
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from scoring.errors import LinkingImpossible
from scoring.irt.bank import ItemBank

Array = NDArray[np.float64]


class CommonItems(NamedTuple):
    """The shared items on the base scale X and on the new scale Y, in the same order."""

    base: ItemBank
    new: ItemBank


def common_items(base: ItemBank, new: ItemBank, *, leave_out: Collection[str] = ()) -> CommonItems:
    """Find the shared items.

    Raises
    ------
    LinkingImpossible
        Fewer than two are shared, or one has another number of categories or sort of model on either side.
    """
    place = {name: i for i, name in enumerate(base.names)}
    shared = [i for i, name in enumerate(new.names) if name in place and name not in leave_out]
    if len(shared) < 2:
        raise LinkingImpossible("anchor", f"has {len(shared)} common items; at least two are needed")
    pair = CommonItems(base.select([place[new.names[i]] for i in shared]), new.select(shared))
    for i, name in enumerate(pair.new.names):
        if pair.base.n_categories[i] != pair.new.n_categories[i]:
            raise LinkingImpossible(
                f"item {name}", f"has {pair.base.n_categories[i]} and {pair.new.n_categories[i]} categories"
            )
        if not (pair.base.a[i] > 0 and pair.new.a[i] > 0):
            raise LinkingImpossible(f"item {name}", "has a slope that is not positive")
    return pair


def difficulty_pairs(pair: CommonItems) -> tuple[Array, Array]:
    """Difficulties (all steps) of the shared items on X and on Y; nominal items have none."""
    base, new = pair.base.difficulties(), pair.new.difficulties()
    if base.shape[1] != new.shape[1]:
        width = min(base.shape[1], new.shape[1])
        base, new = base[:, :width], new[:, :width]
    is_known = np.isfinite(base) & np.isfinite(new)
    return base[is_known], new[is_known]
