"""The item: one question with its key, as an author writes it and a version freezes it."""

from enum import StrEnum

import msgspec

from item_bank.model.interactions import Interaction
from scoring.keys.values import Key


class Level(StrEnum):
    """Cognitive level of the Vietnamese matrix: biết, hiểu, vận dụng."""

    KNOW = "know"
    UNDERSTAND = "understand"
    APPLY = "apply"


class Item(msgspec.Struct, frozen=True, kw_only=True):
    """Content of one item. `stem` and all contents are sanitised HTML + MathML (LaTeX kept as annotation)."""

    code: str  # "T12-MC-001", unique in its bank
    topic: str  # topic code of the bank's taxonomy
    level: Level
    stem: str
    interaction: Interaction
    key: Key
    stimulus: str | None = None  # code of the stimulus it hangs on
    explanation: str = ""
    language: str = "vi"


class Stimulus(msgspec.Struct, frozen=True, kw_only=True):
    """A shared passage or figure; its items travel together, in `Item` order of the bank."""

    code: str
    content: str
    title: str = ""
    language: str = "vi"
