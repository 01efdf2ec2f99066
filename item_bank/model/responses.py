"""May this value be a response to this interaction? Asked before a response is kept; keyless and cheap.

Scoring rules forgive more (an impossible string is simply wrong); this check keeps out what no player can send.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from item_bank.errors import ResponseInvalid
from item_bank.messages import message
from item_bank.model.interactions import (
    Essay,
    Interaction,
    MultipleChoice,
    ShortNumeric,
    SingleChoice,
    TrueFalseCluster,
)
from scoring.keys.short_answer import normalised
from scoring.values import ResponseValue

ESSAY_LIMIT_CHARACTERS = 60_000  # room for ten times the longest essay asked for; a guard, not a rule of the exam
GRID_CHARACTERS = frozenset("0123456789,-")


class ResponseShape(msgspec.Struct, frozen=True):
    """What a response to one slot may look like; letters are those of the master form."""

    kind: str
    ids: frozenset[str] = frozenset()  # options, or statements of a cluster
    maximum: int = 0  # most options of a multiple choice; 0: no limit
    max_characters: int = 0


def shape_of(interaction: Interaction) -> ResponseShape:
    """Return the shape of an authored interaction."""
    match interaction:
        case SingleChoice(options=options):
            return ResponseShape("single_choice", frozenset(o.id for o in options))
        case MultipleChoice(options=options, maximum=maximum):
            return ResponseShape("multiple_choice", frozenset(o.id for o in options), maximum)
        case TrueFalseCluster(statements=statements):
            return ResponseShape("true_false_cluster", frozenset(s.id for s in statements))
        case ShortNumeric(max_characters=max_characters):
            return ResponseShape("short_numeric", max_characters=max_characters)
        case Essay():
            return ResponseShape("essay")


def shape_of_slot(item: Mapping[str, Any]) -> ResponseShape:
    """Return the shape of one item of a compiled keyless form (its JSON, decoded)."""
    parts = item.get("options") or item.get("statements") or ()
    return ResponseShape(
        kind=item["kind"],
        ids=frozenset(part["id"] for part in parts),
        maximum=item.get("maximum", 0),
        max_characters=item.get("max_characters", 0),
    )


def check_response(shape: ResponseShape, value: object) -> ResponseValue:
    """Return the value as it is to be kept: letters in order, a short answer as the grid would hold it.

    Raises
    ------
    ResponseInvalid
        The value cannot be a response to this interaction.
    """
    if value is None:
        return None
    match shape.kind:
        case "single_choice":
            return _one_option(shape, value)
        case "multiple_choice":
            return _option_set(shape, value)
        case "true_false_cluster":
            return _judgements(shape, value)
        case "short_numeric":
            return _short_answer(shape, value)
        case _:
            return _text(value)


def _one_option(shape: ResponseShape, value: object) -> str:
    if not isinstance(value, str):
        raise ResponseInvalid(message("one option letter is expected"))
    if value not in shape.ids:
        raise ResponseInvalid(message("there is no such option"))
    return value


def _option_set(shape: ResponseShape, value: object) -> list[str] | None:
    if not isinstance(value, list) or not all(isinstance(v, str) for v in value):
        raise ResponseInvalid(message("a list of option letters is expected"))
    letters = set(value)
    if not letters <= shape.ids:
        raise ResponseInvalid(message("there is no such option"))
    if len(letters) != len(value):
        raise ResponseInvalid(message("an option is named twice"))
    if shape.maximum and len(letters) > shape.maximum:
        raise ResponseInvalid(message("at most {maximum} options may be chosen", maximum=shape.maximum))
    return sorted(letters) or None


def _judgements(shape: ResponseShape, value: object) -> dict[str, bool] | None:
    if not isinstance(value, dict) or not all(isinstance(v, bool) for v in value.values()):
        raise ResponseInvalid(message("true or false is expected for each statement"))
    if not set(value) <= shape.ids:
        raise ResponseInvalid(message("there is no such statement"))
    return {statement: value[statement] for statement in sorted(value)} or None


def _short_answer(shape: ResponseShape, value: object) -> str | None:
    if not isinstance(value, str):
        raise ResponseInvalid(message("a short text is expected"))
    written = normalised(value[:64])
    if len(value) > 64 or len(written) > shape.max_characters:
        raise ResponseInvalid(message("at most {maximum} characters fit", maximum=shape.max_characters))
    if not GRID_CHARACTERS.issuperset(written):
        raise ResponseInvalid(message("only digits, one comma and a minus sign are possible"))
    return written or None


def _text(value: object) -> str | None:
    if not isinstance(value, str):
        raise ResponseInvalid(message("a text is expected"))
    if len(value) > ESSAY_LIMIT_CHARACTERS:
        raise ResponseInvalid(message("the text is longer than {maximum} characters", maximum=ESSAY_LIMIT_CHARACTERS))
    if "\x00" in value or any("\ud800" <= c <= "\udfff" for c in value):
        raise ResponseInvalid(message("the text holds a character that cannot be kept"))
    return value or None
