"""Responses drawn from a bank, for recovery studies and tests."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from scoring.irt.bank import ItemBank


def simulate_responses(bank: ItemBank, theta: ArrayLike, rng: np.random.Generator) -> NDArray[np.int8]:
    """Draw one response of each candidate to each item, shape (n_candidates, n_items), categories 0, 1, …"""
    abilities = np.atleast_1d(np.asarray(theta, dtype=np.float64))
    result = np.zeros((abilities.size, bank.n_items), dtype=np.int8)
    step = max(1, 2_000_000 // (bank.n_items * int(bank.n_categories.max())))
    for start in range(0, abilities.size, step):
        part = abilities[start : start + step]
        for group in bank.groups():
            p = np.exp(group.family.log_probabilities(group.x, part))
            chance = rng.random((group.items.size, part.size))
            # Category k when chance lies between the cumulative probabilities of k - 1 and k.
            drawn = (chance[:, None] > np.cumsum(p, axis=1)[:, :-1]).sum(axis=1)
            result[start : start + part.size, group.items] = drawn.T
    return result
