"""What a worker knows of a compiled form: which slots exist, and which values are possible answers to them.

Whether an answer is right is never asked here; the compiled form holds no key.
"""

import re
from collections.abc import Callable, Mapping
from uuid import UUID

import msgspec

from exam_engine.delivery.errors import ResponseInvalid, UnknownSlot
from scoring.values import ResponseValue

MAXIMUM_ESSAY_BYTES = 40_000
_NUMBER_UNDER_WAY = re.compile(r"-?[0-9]*(,[0-9]*)?")


class SlotFacts(msgspec.Struct, frozen=True):
    """One item of a compiled form, as far as answers are concerned; unknown fields are skipped."""

    slot: int
    kind: str
    options: tuple["Choice", ...] = ()
    statements: tuple["Choice", ...] = ()
    maximum: int = 0
    max_characters: int = 0


class Choice(msgspec.Struct, frozen=True):
    """An option or a statement, without its content."""

    id: str


class OrderedSlot(msgspec.Struct, frozen=True):
    """One place of a paper: which slot stands there, and its options in displayed order."""

    slot: int
    options: str = ""


class PaperCode(msgspec.Struct, frozen=True):
    """One ordering of the form."""

    id: UUID
    code: str
    ordering: tuple[OrderedSlot, ...]


class CompiledForm(msgspec.Struct, frozen=True, kw_only=True):
    """The keyless bytes candidates receive, in every encoding, and the facts read from them."""

    hash: str
    title: str
    body: bytes
    brotli: bytes
    gzip: bytes
    slots: Mapping[int, SlotFacts]

    def blob(self, accepts: str) -> tuple[bytes, str]:
        """Return the bytes and their encoding ("br", "gzip" or "") for an Accept-Encoding header."""
        offered = {part.partition(";")[0].strip(): part for part in accepts.lower().split(",")}
        for encoding, content in (("br", self.brotli), ("gzip", self.gzip)):
            if encoding in offered and not re.search(r"q=0(\.0*)?$", offered[encoding].strip()):
                return content, encoding
        return self.body, ""


class _Blob(msgspec.Struct):
    title: str
    items: list[SlotFacts]


def read_compiled_form(form_hash: str, body: bytes, brotli: bytes, gzip: bytes) -> CompiledForm:
    """Read the facts out of a compiled form."""
    blob = msgspec.json.decode(body, type=_Blob)
    slots = {item.slot: item for item in blob.items}
    return CompiledForm(hash=form_hash, title=blob.title, body=body, brotli=brotli, gzip=gzip, slots=slots)


def check_response(slots: Mapping[int, SlotFacts], slot: int, value: ResponseValue) -> bool:
    """Make sure that a value can be an answer to a slot; returns whether it answers or clears it.

    Raises
    ------
    UnknownSlot, ResponseInvalid
    """
    facts = slots.get(slot)
    if facts is None:
        raise UnknownSlot(slot)
    if value is None:
        return False
    reason = _CHECKS[facts.kind](facts, value)
    if reason:
        raise ResponseInvalid(slot, reason)
    return bool(value)


def _single_choice(facts: SlotFacts, value: ResponseValue) -> str:
    if not isinstance(value, str):
        return "one option letter is expected"
    return "" if any(option.id == value for option in facts.options) else "there is no such option"


def _multiple_choice(facts: SlotFacts, value: ResponseValue) -> str:
    if not isinstance(value, list):
        return "a list of option letters is expected"
    if len(set(value)) < len(value):
        return "an option is named twice"
    if not {option.id for option in facts.options}.issuperset(value):
        return "there is no such option"
    if facts.maximum and len(value) > facts.maximum:
        return f"at most {facts.maximum} options may be chosen"
    return ""


def _cluster(facts: SlotFacts, value: ResponseValue) -> str:
    if not isinstance(value, dict):
        return "true or false by statement letter is expected"
    if not {statement.id for statement in facts.statements}.issuperset(value):
        return "there is no such statement"
    return ""


def _short_numeric(facts: SlotFacts, value: ResponseValue) -> str:
    if not isinstance(value, str):
        return "a short number is expected"
    if len(value) > facts.max_characters:
        return f"at most {facts.max_characters} characters are allowed"
    # Half-typed numbers ("-", "1,") are saved as they are; whether they count is the key's affair.
    return "" if _NUMBER_UNDER_WAY.fullmatch(value) else "only digits, one comma and a leading minus are allowed"


def _essay(_: SlotFacts, value: ResponseValue) -> str:
    if not isinstance(value, str):
        return "a text is expected"
    if len(value.encode()) > MAXIMUM_ESSAY_BYTES:
        return f"the text is longer than {MAXIMUM_ESSAY_BYTES} bytes"
    return "the text holds a character that cannot be kept" if "\x00" in value else ""


_CHECKS: Mapping[str, Callable[[SlotFacts, ResponseValue], str]] = {
    "single_choice": _single_choice,
    "multiple_choice": _multiple_choice,
    "true_false_cluster": _cluster,
    "short_numeric": _short_numeric,
    "essay": _essay,
}
