"""Which of two versions stands, wherever two meet: in Redis, in a batch on its way, in PostgreSQL.

The scripts and the SQL of `projection` compare the same numbers; these functions are what they must agree with. Both
rules are idempotent, commutative and associative: duplicates, late ones and any order come to the same.
"""

from collections.abc import Callable, Iterable
from typing import TypeVar

_Key = TypeVar("_Key")
_Entry = TypeVar("_Entry")


def is_newer(sequence: int, stored: int | None) -> bool:
    """Whether an answer replaces the stored one; a late duplicate must not undo a newer answer."""
    return stored is None or sequence > stored


def is_later(revision: int, stored: int | None) -> bool:
    """Whether the facts of an attempt replace those stored."""
    return stored is None or revision > stored


def newest(
    entries: Iterable[_Entry], key: Callable[[_Entry], _Key], version: Callable[[_Entry], int]
) -> dict[_Key, _Entry]:
    """Keep of each key the entry of the highest version, the first to come where two are the same."""
    kept: dict[_Key, _Entry] = {}
    for entry in entries:
        held = kept.get(key(entry))
        if held is None or version(entry) > version(held):
            kept[key(entry)] = entry
    return kept
