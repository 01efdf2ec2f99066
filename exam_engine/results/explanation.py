"""The lines of a graduation score and its reasons, in the reader's language and with the reader's decimal sign."""

import re
from collections.abc import Iterable

import msgspec

from exam_engine.infra.i18n import N_, Translator
from exam_engine.results.model import MarkState, PublishedGraduation
from scoring.graduation import MESSAGES, Line, Reason

_POINT = re.compile(r"(?<=[0-9])\.(?=[0-9])")

MARK_STATES = {
    MarkState.MARKED: "",
    MarkState.ABSENT: N_("absent"),
    MarkState.SUSPENDED: N_("suspended"),
    MarkState.EXEMPT: N_("exempt"),
    MarkState.CANCELLED: N_("cancelled"),
}
"""What is shown where there is no number."""


class ShownLine(msgspec.Struct, frozen=True):
    """One line as a reader sees it."""

    label: str
    formula: str
    value: str
    note: str


def shown_lines(lines: Iterable[Line], language: str, translate: Translator) -> list[ShownLine]:
    """Translate labels, words and notes; numbers get the decimal sign of the language."""
    return [
        ShownLine(
            label=_translated(line.label, line.facts, language, translate),
            formula=with_decimal_sign(line.formula, language),
            value=with_decimal_sign(translate(line.value), language),
            note=_translated(line.note, line.facts, language, translate),
        )
        for line in lines
    ]


def shown_reason(reason: Reason, language: str, translate: Translator) -> str:
    """Say a reason in the reader's language."""
    return _translated(MESSAGES[reason.code], reason.facts, language, translate)


def verdict(graduation: PublishedGraduation, translate: Translator) -> str:
    """Say in a few words what came out."""
    if graduation.passed is None:
        return translate(N_("record incomplete"))
    return translate(N_("passed") if graduation.passed else N_("not passed"))


def with_decimal_sign(text: str, language: str) -> str:
    """Write the decimal points of a text as the language does."""
    return _POINT.sub(",", text) if language == "vi" else text


def _translated(message: str, facts: dict[str, str], language: str, translate: Translator) -> str:
    if not message:
        return ""
    words = {name: with_decimal_sign(translate(value), language) for name, value in facts.items()}
    return translate(message, **words)
