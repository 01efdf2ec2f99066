"""Rows of the item template → items, stimuli and topics; every mistake is collected with its row and column.

Pure: rows come in as numbers and cells under the template's column names, figures as addresses already stored.
"""

import re
from collections.abc import Iterable, Mapping
from typing import TypeVar

import msgspec

from item_bank.checks.findings import Finding, Place, at, error, warning
from item_bank.errors import ContentInvalid
from item_bank.interchange import columns, keys
from item_bank.messages import Message, message
from item_bank.model import content
from item_bank.model.interactions import (
    Essay,
    Interaction,
    MultipleChoice,
    Option,
    ShortNumeric,
    SingleChoice,
    Statement,
    TrueFalseCluster,
)
from item_bank.model.item import Item, Level, Stimulus
from item_bank.model.taxonomy import Topic, find_level
from scoring.keys.values import Compare, Key, OneOptionKey

Cells = Mapping[str, str]
T = TypeVar("T")

_CODE = re.compile(r"[\w./-]{1,60}")
GRID_CHARACTERS = 4
ESSAY_WORDS = 600


class ReadItems(msgspec.Struct, frozen=True):
    """What a table gave: items in its order, where each stood, and all that was noticed."""

    items: tuple[Item, ...]
    places: Mapping[str, Place]  # by item code
    findings: tuple[Finding, ...]


class ReadStimuli(msgspec.Struct, frozen=True):
    """What a table of stimuli gave."""

    stimuli: tuple[Stimulus, ...]
    places: Mapping[str, Place]
    findings: tuple[Finding, ...]


class ReadTopics(msgspec.Struct, frozen=True):
    """What a table of topics gave."""

    topics: tuple[Topic, ...]
    findings: tuple[Finding, ...]


def read_items(
    rows: Iterable[tuple[int, Cells]],
    *,
    file: str = "",
    figures: Mapping[str, str] | None = None,  # file name → address of the stored figure
    language: str = "vi",
) -> ReadItems:
    """Read the rows of the items sheet; an item with a mistake is left out and the mistake told."""
    items: list[Item] = []
    places: dict[str, Place] = {}
    findings: list[Finding] = []
    for number, cells in rows:
        row = _Row(Place(file=file, row=number), cells, figures)
        item = _read_item(row, language)
        if row.place.item in places:
            row.wrong("code-twice", "code", message("row {row} has the same code", row=places[row.place.item].row))
        elif item is not None:
            items.append(item)
        places.setdefault(row.place.item, row.place)
        findings += row.findings
    return ReadItems(tuple(items), places, tuple(findings))


def read_stimuli(
    rows: Iterable[tuple[int, Cells]],
    *,
    file: str = "",
    figures: Mapping[str, str] | None = None,
    language: str = "vi",
) -> ReadStimuli:
    """Read the rows of the stimuli sheet."""
    stimuli: dict[str, Stimulus] = {}
    places: dict[str, Place] = {}
    findings: list[Finding] = []
    for number, cells in rows:
        row = _Row(Place(file=file, row=number), cells, figures)
        code = row.code()
        title = row.text("title")
        html = row.html("content") + row.figure()
        if code in stimuli:
            row.wrong("code-twice", "code", message("row {row} has the same code", row=places[code].row))
        elif row.is_sound:
            stimuli[code] = Stimulus(code=code, title=title, content=html, language=row.text("language") or language)
            places[code] = row.place
        findings += row.findings
    return ReadStimuli(tuple(stimuli.values()), places, tuple(findings))


def read_topics(rows: Iterable[tuple[int, Cells]], *, file: str = "") -> ReadTopics:
    """Read the rows of the topics sheet; without a position they keep the order of the file."""
    topics: dict[str, Topic] = {}
    findings: list[Finding] = []
    for index, (number, cells) in enumerate(rows, start=1):
        row = _Row(Place(file=file, row=number), cells, None)
        code, name = row.code(), row.required("name")
        position = row.whole("position", index)
        if code in topics:
            row.wrong("code-twice", "code", message("the code “{code}” stands there twice", code=code))
        elif row.is_sound:
            topics[code] = Topic(code, name, position)
        findings += row.findings
    return ReadTopics(tuple(topics.values()), tuple(findings))


class _Row:
    """One row: its cells as values, and what is wrong with them."""

    def __init__(self, place: Place, cells: Cells, figures: Mapping[str, str] | None) -> None:
        self.cells = cells
        self.figures = figures
        self.place = at(place, item=cells.get("code", "").strip())
        self.findings: list[Finding] = []

    def wrong(self, code: str, column: str, reason: Message) -> None:
        self.findings.append(error(code, at(self.place, field=column), reason))

    @property
    def is_sound(self) -> bool:
        return not any(finding.is_error for finding in self.findings)

    def text(self, column: str) -> str:
        return content.normalised(self.cells.get(column, "")).strip()

    def required(self, column: str) -> str:
        text = self.text(column)
        if not text:
            self.wrong("cell-empty", column, message("the cell is empty"))
        return text

    def code(self) -> str:
        code = self.required("code")
        if code and not _CODE.fullmatch(code):
            self.wrong(
                "code-invalid", "code", message("a code has at most 60 letters, digits and . _ - / without spaces")
            )
        return code

    def html(self, column: str, *, inline: bool = False) -> str:
        try:
            rendered = content.to_html(self.cells.get(column, ""), inline=inline, figures=self.figures)
        except ContentInvalid as refusal:
            self.findings.append(
                error(
                    "content-invalid",
                    at(self.place, field=column, line=refusal.line, character=refusal.column),
                    refusal.reason,
                )
            )
            return ""
        if rendered.removed:
            self.findings.append(
                warning(
                    "markup-removed",
                    at(self.place, field=column),
                    message("this is not kept in items and was taken out: {parts}", parts=", ".join(rendered.removed)),
                )
            )
        return rendered.html

    def figure(self) -> str:
        name = self.text("figure")
        if not name:
            return ""
        address = name if self.figures is None else self.figures.get(name)
        if address is None:
            self.wrong("figure-unknown", "figure", message("the figure {name} is not there", name=name))
            return ""
        return content.figure_html(address, self.text("alt_text"))

    def whole(self, column: str, default: int) -> int:
        text = self.text(column)
        if not text:
            return default
        if not text.isdecimal() or not 0 < int(text) < 100_000:
            self.wrong("number-invalid", column, message("“{value}” is not a whole number", value=text[:20]))
            return default
        return int(text)

    def word(self, column: str, words: Mapping[str, T], default: T) -> T:
        text = columns.word_of(self.text(column))
        if text not in words:
            self.wrong("word-unknown", column, message("“{value}” is not known here", value=self.text(column)[:40]))
            return default
        return words[text]


def _read_item(row: _Row, language: str) -> Item | None:
    code = row.code()
    kind = columns.find_kind(row.text("kind")) if row.required("kind") else None
    if kind is None and row.text("kind"):
        row.wrong("unknown-kind", "kind", message("“{kind}” is no kind of item", kind=row.text("kind")[:40]))
    level = find_level(row.text("level")) if row.required("level") else None
    if level is None and row.text("level"):
        row.wrong("unknown-level", "level", message("“{level}” is no level", level=row.text("level")[:40]))
    topic = row.required("topic")
    stem = row.html("stem") + row.figure()
    explanation = row.html("explanation")
    interaction = _read_interaction(row, kind) if kind else None
    key = _read_item_key(row, kind) if kind else None
    if not row.is_sound or interaction is None or key is None:
        return None
    return Item(
        code=code,
        topic=topic,
        level=level or Level.KNOW,
        stem=stem,
        interaction=interaction,
        key=key,
        stimulus=row.text("stimulus") or None,
        explanation=explanation,
        language=row.text("language") or language,
    )


def _read_interaction(row: _Row, kind: str) -> Interaction:
    match kind:
        case "single_choice":
            return SingleChoice(_read_options(row))
        case "multiple_choice":
            return MultipleChoice(_read_options(row), row.whole("maximum", 0))
        case "true_false_cluster":
            yes_no = {**dict.fromkeys(columns.YES_WORDS, True), **dict.fromkeys(columns.NO_WORDS, False)}
            statements = tuple(Statement(letter.lower(), html) for letter, html in _read_contents(row))
            return TrueFalseCluster(statements, row.word("shuffle", yes_no, default=False))
        case "short_numeric":
            return ShortNumeric(row.whole("max_characters", GRID_CHARACTERS))
        case _:
            return Essay(row.whole("max_words", ESSAY_WORDS))


def _read_options(row: _Row) -> tuple[Option, ...]:
    contents = _read_contents(row)
    pinned = {letter for letter in row.text("pinned").upper() if letter.isalpha()}
    for letter in sorted(pinned - {letter for letter, _ in contents}):
        row.wrong("pinned-unknown", "pinned", message("{letter} is no option", letter=letter))
    return tuple(Option(letter, html, letter in pinned) for letter, html in contents)


def _read_contents(row: _Row) -> list[tuple[str, str]]:
    """Options up to the last one written: a gap between them is a mistake, not a shorter list."""
    written = [letter for letter in columns.OPTION_LETTERS if row.text(f"option_{letter.lower()}")]
    last = columns.OPTION_LETTERS.index(written[-1]) + 1 if written else 0
    contents = []
    for letter in columns.OPTION_LETTERS[:last]:
        column = f"option_{letter.lower()}"
        if letter not in written:
            row.wrong("option-empty", column, message("option {letter} is empty", letter=letter))
        contents.append((letter, row.html(column, inline=True)))
    return contents


def _read_item_key(row: _Row, kind: str) -> Key:
    compare = Compare(row.word("compare", columns.COMPARE_WORDS, "numeric"))
    try:
        steps = keys.read_steps(row.text("steps")) if row.text("steps") else None
    except keys.KeyUnreadable as refusal:
        row.wrong("steps-unreadable", "steps", refusal.reason)
        steps = None
    try:
        return keys.read_key(kind, row.text("key"), compare=compare, steps=steps)
    except keys.KeyUnreadable as refusal:
        row.wrong("key-unreadable" if row.text("key") else "key-missing", "key", refusal.reason)
        return OneOptionKey(())
