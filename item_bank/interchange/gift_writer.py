"""Items → GIFT, in the HTML format other systems show as it is; `gift` reads the same items back.

What GIFT cannot say (clusters, testlets, void keys) is not written, and what it loses (pins, rubrics) is told.
"""

import re
from collections.abc import Iterable

import msgspec

from item_bank.checks.findings import Finding, Place, error, warning
from item_bank.messages import message
from item_bank.model.content import MATH, tex_of
from item_bank.model.interactions import Essay, MultipleChoice, Option, ShortNumeric, SingleChoice
from item_bank.model.item import Item
from scoring.keys.short_answer import normalised
from scoring.keys.values import OneOptionKey, OptionSetKey, RubricKey, ShortAnswerKey

_SPECIAL = re.compile(r"([\\~=#{}:])")


class Written(msgspec.Struct, frozen=True):
    """A GIFT text, and what was left out (errors) or lost (warnings)."""

    text: str
    findings: tuple[Finding, ...]


def write_gift(items: Iterable[Item]) -> Written:
    """Write items in their order."""
    blocks: list[str] = []
    findings: list[Finding] = []
    for item in items:
        place = Place(item=item.code)
        answers = _answers(item)
        if answers is None or item.stimulus is not None:
            findings.append(error("gift-unsupported", place, message("GIFT has no form for this item")))
            continue
        lost = _lost(item)
        if lost:
            reason = message("GIFT does not keep: {parts}", parts=", ".join(lost))
            findings.append(warning("gift-lossy", place, reason))
        blocks.append(_block(item, answers))
    return Written("\n\n".join(blocks) + "\n" if blocks else "", tuple(findings))


def _block(item: Item, answers: list[str]) -> str:
    marks = f"// [id:{item.code}] [tag:topic={item.topic}] [tag:level={item.level.value}]"
    feedback = [f"####{_text(item.explanation)}"] if item.explanation else []
    body = "".join(f"\t{line}\n" for line in [*answers, *feedback])
    return f"{marks}\n::{_escaped(item.code)}::{_text(item.stem)} {{\n{body}}}"


def _answers(item: Item) -> list[str] | None:
    match item.interaction, item.key:
        case SingleChoice(options=options), OneOptionKey(accepted=accepted):
            if len(accepted) == len(options):
                return None  # without a wrong option GIFT means a short answer
            return [f"{'=' if option.id in accepted else '~'}{_text(option.content)}" for option in options]
        case MultipleChoice(options=options), OptionSetKey(correct=correct):
            return [_weighted(option, correct) for option in options]
        case ShortNumeric(), ShortAnswerKey(accepted=accepted):
            # The sign of a numerical block opens its first line.
            lines = [f"={normalised(answer).replace(',', '.')}:0" for answer in accepted]
            return ["#", *lines]
        case Essay(), RubricKey():
            return []
        case _:
            return None


def _weighted(option: Option, correct: tuple[str, ...]) -> str:
    if option.id not in correct:
        return f"~%-100%{_text(option.content)}"
    share = f"{100 / len(correct):.5f}".rstrip("0").rstrip(".")
    return f"~%{share}%{_text(option.content)}"


def _lost(item: Item) -> list[str]:
    lost = []
    match item.interaction:
        case SingleChoice(options=options) | MultipleChoice(options=options):
            if any(option.pinned for option in options):
                lost.append("pinned")
        case Essay():
            lost.append("key")
    if isinstance(item.interaction, MultipleChoice) and item.interaction.maximum:
        lost.append("maximum")
    if isinstance(item.key, ShortAnswerKey) and any(a != normalised(a).lstrip("+") for a in item.key.accepted):
        lost.append("key")
    return lost


def _text(html: str) -> str:
    return "[html]" + _escaped(_portable(html))


def _portable(html: str) -> str:
    """Formulas as TeX between `\\(` and `\\)`, figures by file name; a literal `$` or `\\` as an entity."""
    parts: list[str] = []
    position = 0
    for found in MATH.finditer(html):
        parts.append(_plain(html[position : found.start()]))
        tex = tex_of(found.group())
        is_display = found.group().startswith('<math display="block"')
        opening, closing = ("\\[", "\\]") if is_display else ("\\(", "\\)")
        parts.append(found.group() if tex is None else f"{opening}{tex}{closing}")
        position = found.end()
    parts.append(_plain(html[position:]))
    return "".join(parts)


def _plain(html: str) -> str:
    return html.replace("\\", "&#92;").replace("$", "&#36;").replace('src="/media/', 'src="@@PLUGINFILE@@/')


def _escaped(text: str) -> str:
    return _SPECIAL.sub(r"\\\1", text).replace("\n", "\\n")
