"""The topics of a bank and the cognitive levels, with the words authors use for them."""

from collections.abc import Mapping

import msgspec

from item_bank.model.item import Level
from item_bank.model.plain_text import folded

LEVEL_WORDS: Mapping[str, Level] = {
    "know": Level.KNOW,
    "biet": Level.KNOW,
    "nhan biet": Level.KNOW,
    "nb": Level.KNOW,
    "understand": Level.UNDERSTAND,
    "hieu": Level.UNDERSTAND,
    "thong hieu": Level.UNDERSTAND,
    "th": Level.UNDERSTAND,
    "apply": Level.APPLY,
    "van dung": Level.APPLY,
    "van dung cao": Level.APPLY,
    "vd": Level.APPLY,
    "vdc": Level.APPLY,
}


class Topic(msgspec.Struct, frozen=True):
    """One topic of a bank's taxonomy, at its place in the curriculum."""

    code: str  # "1.2", unique in its bank
    name: str
    position: int = 0


def find_level(word: str) -> Level | None:
    """Read a level as authors write it: `know`, `biết`, `NB`, …"""
    return LEVEL_WORDS.get(" ".join(folded(word).split()))
