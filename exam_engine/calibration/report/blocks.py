"""Blocks a report is made of; the page and the PDF set the same ones, so that their content cannot differ."""

from enum import StrEnum

import msgspec

from exam_engine.calibration.figures import Figure


class Tone(StrEnum):
    """What a reader should feel: nothing, calm, attention, alarm."""

    PLAIN = "plain"
    GOOD = "good"
    WARN = "warn"
    BAD = "bad"
    FAINT = "faint"


class Heading(msgspec.Struct, frozen=True, tag="heading"):
    """A heading of level 1 (the title), 2 or 3; `anchor` is what links lead to."""

    level: int
    text: str
    anchor: str = ""


class Text(msgspec.Struct, frozen=True, tag="text"):
    """A paragraph."""

    text: str
    tone: Tone = Tone.PLAIN


class Said(msgspec.Struct, frozen=True):
    """One sentence of a list."""

    text: str
    tone: Tone = Tone.PLAIN


class Sentences(msgspec.Struct, frozen=True, tag="sentences"):
    """A list of sentences."""

    sentences: tuple[Said, ...]


class Card(msgspec.Struct, frozen=True):
    """A figure to be seen at a glance."""

    label: str
    value: str
    note: str = ""
    tone: Tone = Tone.PLAIN


class Cards(msgspec.Struct, frozen=True, tag="cards"):
    """Figures beside each other."""

    cards: tuple[Card, ...]


class Cell(msgspec.Struct, frozen=True):
    """A cell; `link` is an anchor of the same report; `lines` stand under each other."""

    text: str
    tone: Tone = Tone.PLAIN
    link: str = ""
    lines: tuple[Said, ...] = ()


class Column(msgspec.Struct, frozen=True):
    """A column; `share` is its part of the width on paper."""

    title: str
    is_number: bool = True
    share: float = 1.0


class Table(msgspec.Struct, frozen=True, tag="table"):
    """A table; the first cell of each row names it."""

    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    caption: str = ""


class Facts(msgspec.Struct, frozen=True, tag="facts"):
    """Names and values under each other."""

    facts: tuple[tuple[str, str, Tone], ...]


class Pictures(msgspec.Struct, frozen=True, tag="pictures"):
    """Figures beside each other as far as there is room."""

    figures: tuple[Figure, ...]
    anchor: str


class Kept(msgspec.Struct, frozen=True, tag="kept"):
    """Blocks that belong together: one item."""

    blocks: "tuple[Heading | Text | Sentences | Facts | Pictures, ...]"


Block = Heading | Text | Sentences | Cards | Table | Facts | Pictures | Kept
