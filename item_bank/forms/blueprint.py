"""Blueprints: what a form must contain, part by part and cell by cell (topic × level × count).

Structure is data: how many parts a paper has and what they are worth stands in files, never in code.
"""

from collections.abc import Iterator
from enum import StrEnum
from typing import Annotated

import msgspec

from item_bank.forms.errors import BlueprintInvalid, Fault
from item_bank.messages import message
from item_bank.model.interactions import Interaction
from item_bank.model.item import Level
from scoring.errors import PaperFormatUnknown
from scoring.keys.values import ClusterKey, Criterion, Key, OneOptionKey, OptionSetKey, RubricKey, ShortAnswerKey
from scoring.papers.formats import discrepancies, load_format
from scoring.totals import FormKey, SlotKey

MAXIMUM_SLOTS = 400


class ItemKind(StrEnum):
    """Kinds of interaction, as the tags of `item_bank.model.interactions`."""

    SINGLE_CHOICE = "single_choice"
    MULTIPLE_CHOICE = "multiple_choice"
    TRUE_FALSE_CLUSTER = "true_false_cluster"
    SHORT_NUMERIC = "short_numeric"
    ESSAY = "essay"


class PartOrder(StrEnum):
    """Order of a part in the master form; inside one level or cell it is drawn."""

    LEVELS = "levels"  # know before understand before apply
    CELLS = "cells"  # as the blueprint lists its cells


class Cell(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """So many items of a topic and level; what is left out may be any."""

    count: Annotated[int, msgspec.Meta(ge=1, le=MAXIMUM_SLOTS)]
    topic: str | None = None
    level: Level | None = None


class Part(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A run of items of one kind and worth. Several runs may carry one part number; the first one names it."""

    part: Annotated[int, msgspec.Meta(ge=1, le=20)]
    kind: ItemKind
    points: Annotated[int, msgspec.Meta(ge=1, le=100_000)]  # hundredths, each item
    cells: Annotated[tuple[Cell, ...], msgspec.Meta(min_length=1)]
    title: str = ""
    instructions: str = ""
    testlets: Annotated[int, msgspec.Meta(ge=0)] | None = None  # how many testlets exactly; none: as it comes
    order: PartOrder = PartOrder.LEVELS
    shuffle: bool = True  # paper codes may reorder its items and testlets
    shuffle_in_testlets: bool = False  # and the items of a testlet; numbered gaps in a passage forbid it
    track: str | None = None  # in a paper with a choice: the track this run belongs to
    unscored: bool = False  # a pretest block: shown like its neighbours, worth nothing, calibrated afterwards

    @property
    def worth(self) -> int:
        """Hundredths an item of this run adds to a score."""
        return 0 if self.unscored else self.points

    @property
    def count(self) -> int:
        """Items of this run."""
        return sum(cell.count for cell in self.cells)


class Blueprint(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything a form must satisfy, with what a candidate reads on top of it."""

    title: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
    minutes: Annotated[int, msgspec.Meta(ge=1, le=600)]
    parts: Annotated[tuple[Part, ...], msgspec.Meta(min_length=1)]
    language: str = "vi"
    paper_code_prefix: str = "00"  # the digits of the subject: "01" makes 0101, 0102, …
    format: str | None = None  # a paper format of `scoring.papers` it has to meet
    enemies: tuple[tuple[str, str], ...] = ()  # pairs of item codes that must not stand in one form

    @property
    def count(self) -> int:
        """Slots of a form."""
        return sum(part.count for part in self.parts)

    @property
    def maximum(self) -> int:
        """Hundredths a form gives; of several tracks, the dearest counts."""
        return FormKey(tuple(_placeholder_slots(self))).maximum


def kind_of(interaction: Interaction) -> ItemKind:
    """Return the kind of an interaction."""
    return ItemKind(str(interaction.__struct_config__.tag))


def parse_blueprint(content: bytes) -> Blueprint:
    """Read a blueprint from JSON and check it.

    Raises
    ------
    BlueprintInvalid
        With the path inside the file.
    """
    try:
        blueprint = msgspec.json.decode(content, type=Blueprint)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        reason, _, path = str(error).partition(" - at `")
        raise BlueprintInvalid([Fault(path.rstrip("`") or "file", reason)]) from None
    require_valid(blueprint)
    return blueprint


def require_valid(blueprint: Blueprint) -> None:
    """Check what the types cannot say.

    Raises
    ------
    BlueprintInvalid
        Every fault at once.
    """
    faults = [*_part_faults(blueprint), *_paper_faults(blueprint)]
    if faults:
        raise BlueprintInvalid(faults)


def _part_faults(blueprint: Blueprint) -> Iterator[Fault]:
    before = 0
    named: set[int] = set()
    for index, part in enumerate(blueprint.parts, start=1):
        place = f"part {part.part}" if part.part not in named else f"part {part.part} (line {index})"
        if part.part < before:
            yield Fault.of(
                place, message("it stands after part {part}; parts come in the order of their numbers", part=before)
            )
        if part.part not in named and not part.title.strip():
            yield Fault.of(place, message("the first run of a part needs a title"))
        if part.testlets is not None and part.testlets > part.count:
            yield Fault.of(
                place,
                message("{testlets} testlets cannot stand in {count} items", testlets=part.testlets, count=part.count),
            )
        cells = [(cell.topic, cell.level) for cell in part.cells]
        for number, cell in enumerate(cells, start=1):
            if cell in cells[: number - 1]:
                reason = message(
                    "topic {topic}, level {level} stands there twice", topic=cell[0] or "*", level=cell[1] or "*"
                )
                yield Fault.of(f"{place}, cell {number}", reason)
        before = max(before, part.part)
        named.add(part.part)


def _paper_faults(blueprint: Blueprint) -> Iterator[Fault]:
    if b"\\u0000" in msgspec.json.encode(blueprint):
        yield Fault.of("blueprint", message("it holds a character that cannot be kept"))
    if blueprint.count > MAXIMUM_SLOTS:
        yield Fault.of(
            "parts",
            message("{count} items; {limit} is the most a form may have", count=blueprint.count, limit=MAXIMUM_SLOTS),
        )
    prefix = blueprint.paper_code_prefix
    if not (prefix.isascii() and prefix.isdigit() and 1 <= len(prefix) <= 3):
        yield Fault.of("paper_code_prefix", message("it has one to three digits"))
    if blueprint.language not in ("vi", "en"):
        yield Fault.of(
            "language",
            message("“{language}” is not a language of the player; vi and en are", language=blueprint.language),
        )
    if blueprint.format is not None:
        try:
            paper = load_format(blueprint.format)
        except PaperFormatUnknown as error:
            yield Fault("format", str(error))
            return
        scored = tuple(slot for slot in _placeholder_slots(blueprint) if slot.points)
        for reason in discrepancies(paper, FormKey(scored)):
            yield Fault(f"format {blueprint.format}", reason)
        if paper.minutes != blueprint.minutes:
            yield Fault.of("minutes", message("the format has {minutes} minutes", minutes=paper.minutes))


def _placeholder_slots(blueprint: Blueprint) -> Iterator[SlotKey]:
    slot = 0
    for part in blueprint.parts:
        for _ in range(part.count):
            slot += 1
            yield SlotKey(slot, part.part, part.worth, _PLACEHOLDERS[part.kind], part.track)


# One key of each kind, for sums and formats that do not look at what it says.
_PLACEHOLDERS: dict[ItemKind, Key] = {
    ItemKind.SINGLE_CHOICE: OneOptionKey(("A",)),
    ItemKind.MULTIPLE_CHOICE: OptionSetKey(("A",)),
    ItemKind.TRUE_FALSE_CLUSTER: ClusterKey({"a": True, "b": True, "c": True, "d": True}),
    ItemKind.SHORT_NUMERIC: ShortAnswerKey(("0",)),
    ItemKind.ESSAY: RubricKey((Criterion("1", "", 100),)),
}
