"""The keyless form: exactly what a candidate may see of it, as canonical bytes with their hash.

No struct here has a field for a key, an explanation or a code of the bank, so none can leak.
"""

import hashlib
from collections.abc import Iterable, Sequence

import msgspec

from item_bank.forms.blueprint import Blueprint
from item_bank.forms.ordering import OrderedSlot, Ordering
from item_bank.model.interactions import (
    Essay,
    MultipleChoice,
    Option,
    ShortNumeric,
    SingleChoice,
    TrueFalseCluster,
)
from item_bank.model.item import Item, Stimulus


class CandidateOption(msgspec.Struct, frozen=True):
    """An option under its master letter."""

    id: str
    content: str


class CandidateStatement(msgspec.Struct, frozen=True):
    """A statement of a true/false cluster."""

    id: str
    content: str


class _Placed(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind"):
    """What every item has."""

    slot: int
    part: int
    stimulus: str | None
    stem: str


class CandidateSingleChoice(_Placed, frozen=True, kw_only=True, tag="single_choice"):
    """Choose one."""

    options: tuple[CandidateOption, ...]


class CandidateMultipleChoice(_Placed, frozen=True, kw_only=True, tag="multiple_choice"):
    """Choose all that fit."""

    maximum: int
    options: tuple[CandidateOption, ...]


class CandidateCluster(_Placed, frozen=True, kw_only=True, tag="true_false_cluster"):
    """Judge each statement."""

    statements: tuple[CandidateStatement, ...]


class CandidateShortNumeric(_Placed, frozen=True, kw_only=True, tag="short_numeric"):
    """Write a short number."""

    max_characters: int


class CandidateEssay(_Placed, frozen=True, kw_only=True, tag="essay"):
    """Write a text."""

    max_words: int


CandidateItem = (
    CandidateSingleChoice | CandidateMultipleChoice | CandidateCluster | CandidateShortNumeric | CandidateEssay
)


class CandidatePart(msgspec.Struct, frozen=True):
    """Heading of a part."""

    part: int
    title: str
    instructions: str
    points_note: str  # "0,25": what each item of the part is worth


class CandidateStimulus(msgspec.Struct, frozen=True):
    """A passage or figure under a name that says nothing about the bank."""

    id: str
    title: str
    content: str


class CandidateForm(msgspec.Struct, frozen=True):
    """The whole keyless form, in master order."""

    title: str
    language: str
    minutes: int
    parts: tuple[CandidatePart, ...]
    stimuli: tuple[CandidateStimulus, ...]
    items: tuple[CandidateItem, ...]


class PlacedItem(msgspec.Struct, frozen=True, kw_only=True):
    """An item version in its slot."""

    slot: int
    part: int
    item: Item
    option_order: str | None
    stimulus: Stimulus | None = None


class PrintedItem(msgspec.Struct, frozen=True):
    """One item of a printed paper: its number inside the part, and the item with the letters of this code."""

    number: int
    item: CandidateItem


class PrintedPart(msgspec.Struct, frozen=True):
    """One part of a printed paper, in the order of its code."""

    part: CandidatePart
    items: tuple[PrintedItem, ...]


class PrintedPaper(msgspec.Struct, frozen=True):
    """A form as one paper code prints it."""

    code: str
    title: str
    language: str
    minutes: int
    parts: tuple[PrintedPart, ...]
    stimuli: tuple[CandidateStimulus, ...]


def compile_form(blueprint: Blueprint, placed: Sequence[PlacedItem]) -> CandidateForm:
    """Make the keyless form of items in master order."""
    names: dict[str, str] = {}
    stimuli: list[CandidateStimulus] = []
    items: list[CandidateItem] = []
    for each in placed:
        if each.stimulus is not None and each.stimulus.code not in names:
            names[each.stimulus.code] = name = f"S{len(names) + 1}"
            stimuli.append(CandidateStimulus(name, each.stimulus.title, each.stimulus.content))
        name_of_stimulus = None if each.stimulus is None else names[each.stimulus.code]
        items.append(candidate_item(each.item, each.slot, each.part, each.option_order, stimulus=name_of_stimulus))
    return CandidateForm(
        title=blueprint.title,
        language=blueprint.language,
        minutes=blueprint.minutes,
        parts=_parts(blueprint),
        stimuli=tuple(stimuli),
        items=tuple(items),
    )


def candidate_item(
    item: Item, slot: int, part: int, option_order: str | None = None, *, stimulus: str | None = None
) -> CandidateItem:
    """Strip an item of its key and put its options in master order; no order given is the author's."""
    stem = item.stem
    match item.interaction:
        case SingleChoice(options=options):
            return CandidateSingleChoice(
                slot=slot, part=part, stimulus=stimulus, stem=stem, options=_options(options, option_order)
            )
        case MultipleChoice(options=options, maximum=maximum):
            shown = _options(options, option_order)
            return CandidateMultipleChoice(
                slot=slot, part=part, stimulus=stimulus, stem=stem, maximum=maximum, options=shown
            )
        case TrueFalseCluster(statements=statements):
            judged = tuple(CandidateStatement(statement.id, statement.content) for statement in statements)
            return CandidateCluster(slot=slot, part=part, stimulus=stimulus, stem=stem, statements=judged)
        case ShortNumeric(max_characters=limit):
            return CandidateShortNumeric(slot=slot, part=part, stimulus=stimulus, stem=stem, max_characters=limit)
        case Essay(max_words=limit):
            return CandidateEssay(slot=slot, part=part, stimulus=stimulus, stem=stem, max_words=limit)


def encode_form(form: CandidateForm) -> bytes:
    """Return the canonical bytes: the same form is the same bytes, always."""
    return msgspec.json.encode(form)


def decode_form(content: bytes) -> CandidateForm:
    """Read what `encode_form` wrote."""
    return msgspec.json.decode(content, type=CandidateForm)


def content_hash(content: bytes) -> str:
    """Return the name of a content: sha256, hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def printed_paper(form: CandidateForm, code: str, ordering: Ordering) -> PrintedPaper:
    """Put a form into the order of a paper code, with the letters that code shows; numbers begin anew in each part."""
    by_slot = {item.slot: item for item in form.items}
    shown = [_displayed(by_slot[entry.slot], entry) for entry in ordering]
    parts = tuple(PrintedPart(part, _numbered(item for item in shown if item.part == part.part)) for part in form.parts)
    return PrintedPaper(code, form.title, form.language, form.minutes, parts, form.stimuli)


def _numbered(items: Iterable[CandidateItem]) -> tuple[PrintedItem, ...]:
    return tuple(PrintedItem(number, item) for number, item in enumerate(items, start=1))


def _displayed(item: CandidateItem, entry: OrderedSlot) -> CandidateItem:
    match item:
        case CandidateSingleChoice() | CandidateMultipleChoice():
            contents = {option.id: option.content for option in item.options}
            options = zip("ABCDEFGH", entry.options, strict=False)
            shown = tuple(CandidateOption(letter, contents[master]) for letter, master in options)
            return msgspec.structs.replace(item, options=shown)
        case CandidateCluster():
            statements = {statement.id: statement.content for statement in item.statements}
            letters = zip("abcdefgh", entry.options, strict=False)
            judged = tuple(CandidateStatement(letter, statements[master]) for letter, master in letters)
            return msgspec.structs.replace(item, statements=judged)
        case _:
            return item


def _options(options: Sequence[Option], option_order: str | None) -> tuple[CandidateOption, ...]:
    contents = {option.id: option.content for option in options}
    order = option_order if option_order is not None else [option.id for option in options]
    letters = "ABCDEFGH"[: len(options)]
    return tuple(CandidateOption(letter, contents[author]) for letter, author in zip(letters, order, strict=True))


def _parts(blueprint: Blueprint) -> tuple[CandidatePart, ...]:
    parts: dict[int, CandidatePart] = {}
    for run in blueprint.parts:
        worth = sorted({other.points for other in blueprint.parts if other.part == run.part})
        note = " – ".join(_points_text(points, blueprint.language) for points in dict.fromkeys((worth[0], worth[-1])))
        parts.setdefault(run.part, CandidatePart(run.part, run.title, run.instructions, note))
    return tuple(parts.values())


def _points_text(hundredths: int, language: str) -> str:
    text = f"{hundredths // 100}.{hundredths % 100:02d}"
    text = text.removesuffix("0")
    return text.replace(".", ",") if language == "vi" else text
