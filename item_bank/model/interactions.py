"""Interactions: what a candidate does with an item. Keyless by construction."""

import msgspec


class Option(msgspec.Struct, frozen=True):
    """One option of a choice; `content` is sanitised HTML + MathML."""

    id: str  # "A", "B", … in the author's order
    content: str
    pinned: bool = False  # keeps its place when options are shuffled


class Statement(msgspec.Struct, frozen=True):
    """One statement of a true/false cluster."""

    id: str  # "a", "b", "c", "d"
    content: str


class SingleChoice(msgspec.Struct, frozen=True, tag_field="kind", tag="single_choice"):
    """Choose one of two to eight options."""

    options: tuple[Option, ...]


class MultipleChoice(msgspec.Struct, frozen=True, tag_field="kind", tag="multiple_choice"):
    """Choose every option that fits."""

    options: tuple[Option, ...]
    maximum: int = 0  # 0: no limit


class TrueFalseCluster(msgspec.Struct, frozen=True, tag_field="kind", tag="true_false_cluster"):
    """Judge each statement true or false; statements keep the author's order unless `shuffle`."""

    statements: tuple[Statement, ...]
    shuffle: bool = False


class ShortNumeric(msgspec.Struct, frozen=True, tag_field="kind", tag="short_numeric"):
    """Write a number on the four-character grid: digits, one comma, a leading minus."""

    max_characters: int = 4


class Essay(msgspec.Struct, frozen=True, tag_field="kind", tag="essay"):
    """Write a text, marked by people."""

    max_words: int = 600


Interaction = SingleChoice | MultipleChoice | TrueFalseCluster | ShortNumeric | Essay
