"""Invented names of candidates: frequent and rare ones, of several peoples, with two to four words, some with one."""

from collections.abc import Mapping

import msgspec
import numpy as np

from exam_engine.sample import data_files

PEOPLES_SHARE = 0.025  # of three-word names of the northern mountains
WHOLE_SHARE = 0.02  # names with an order of their own
SHORT_SHARE = 0.03  # family and given name alone
FOUR_WORDS_SHARE = 0.18


class _Given(msgspec.Struct, frozen=True):
    middle: Mapping[str, int]
    given: tuple[str, ...]


class NameLists(msgspec.Struct, frozen=True):
    """Lists with weights, as the data file holds them."""

    family: Mapping[str, int]
    female: _Given
    male: _Given
    peoples: tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]
    whole: tuple[str, ...]
    trees: tuple[str, ...]  # for guests, who are nobody


def load_name_lists() -> NameLists:
    """Read the lists of the sample province."""
    return data_files.read_json("names.json", NameLists)


def draw_name(lists: NameLists, rng: np.random.Generator) -> str:
    """Draw one full name; two candidates may share theirs, as people do."""
    kind = rng.random()
    if kind < WHOLE_SHARE:
        return lists.whole[int(rng.integers(len(lists.whole)))]
    if kind < WHOLE_SHARE + PEOPLES_SHARE:
        return " ".join(words[int(rng.integers(len(words)))] for words in lists.peoples)
    given = lists.female if rng.random() < 0.51 else lists.male
    while True:
        words = [_weighted(lists.family, rng)]
        length = rng.random()
        if length >= SHORT_SHARE:
            words.append(_weighted(given.middle, rng))
        if length >= 1.0 - FOUR_WORDS_SHARE:
            words.append(_weighted(given.middle, rng))
        words.append(given.given[int(rng.integers(len(given.given)))])
        has_late_filler = any(word in ("Thị", "Văn") for word in words[2:])
        if len(set(words)) == len(words) and not has_late_filler:
            return " ".join(words)


def _weighted(weights: Mapping[str, int], rng: np.random.Generator) -> str:
    share = np.array(list(weights.values()), dtype=float)
    return list(weights)[int(rng.choice(len(share), p=share / share.sum()))]
