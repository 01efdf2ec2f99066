"""Checks of one item: key and options fit, the paper can be answered, nothing gives the key away."""

import re
from collections import Counter
from collections.abc import Iterator

from item_bank.checks.findings import Finding, Place, at, error, warning
from item_bank.messages import message
from item_bank.model.interactions import (
    Essay,
    MultipleChoice,
    Option,
    ShortNumeric,
    SingleChoice,
    TrueFalseCluster,
)
from item_bank.model.item import Item
from item_bank.model.plain_text import folded, to_text
from scoring.keys.short_answer import normalised, number
from scoring.keys.values import ClusterKey, Compare, OneOptionKey, OptionSetKey, RubricKey, ShortAnswerKey, VoidKey

OPTIONS_AT_LEAST = 2
OPTIONS_AT_MOST = 8
STATEMENTS = 4
LENGTH_CUE_RATIO = 1.6
LENGTH_CUE_CHARACTERS = 20

_IMAGE = re.compile(r"<img\b[^>]*>")
_ALT = re.compile(r'\salt="\s*[^"\s][^"]*"')
_ALL_OF_ABOVE = re.compile(
    r"^(tat ca|ca (ba|bon|hai|\d)) .*(tren|dung|sai)\.?$|^tat ca (deu )?(dung|sai)|^khong co (phuong an|dap an|y) nao"
    r"|^(all|none) of the (above|options|answers)|^(ca )?[a-h](, [a-h])*,? (va|and) [a-h] (deu )?(dung|sai|are correct)"
)
_ROUNDING = re.compile(r"lam tron|chinh xac den|hang phan|hang don vi|chu so thap phan|round|decimal place|nearest")
_GRID = re.compile(r"-?\d+(,\d+)?")


def check_item(item: Item, place: Place | None = None) -> list[Finding]:
    """Return what is wrong or doubtful in one item by itself."""
    where = at(place or Place(), item=item.code)
    return [*_check_stem(item, where), *_check_images(item, where), *_check_interaction(item, where)]


def contents_of(item: Item) -> Iterator[tuple[str, str]]:
    """Go through the texts of an item with the column each stands in."""
    yield "stem", item.stem
    match item.interaction:
        case SingleChoice(options=options) | MultipleChoice(options=options):
            yield from ((column_of(option.id), option.content) for option in options)
        case TrueFalseCluster(statements=statements):
            yield from ((column_of(statement.id), statement.content) for statement in statements)
    yield "explanation", item.explanation


def column_of(letter: str) -> str:
    """Return the template's column of an option or statement."""
    return f"option_{letter.lower()}"


def _check_stem(item: Item, where: Place) -> Iterator[Finding]:
    if not to_text(item.stem) and "<img" not in item.stem:
        yield error("stem-empty", at(where, field="stem"), message("the stem is empty"))
    for field, content in contents_of(item):
        if "\ufffd" in content:
            yield error(
                "text-broken", at(where, field=field), message("the text holds a character that was lost on the way")
            )


def _check_images(item: Item, where: Place) -> Iterator[Finding]:
    for field, content in contents_of(item):
        for image in _IMAGE.finditer(content):
            if not _ALT.search(image.group()):
                yield error(
                    "image-without-alt",
                    at(where, field="alt_text" if field == "stem" else field),
                    message("the figure has no description for those who cannot see it"),
                )


def _check_interaction(item: Item, where: Place) -> Iterator[Finding]:
    if isinstance(item.key, VoidKey):
        return
    match item.interaction, item.key:
        case SingleChoice(options=options), OneOptionKey(accepted=accepted):
            yield from _check_options(options, accepted, where)
            yield from _check_length_cue(options, accepted, where)
        case MultipleChoice(options=options, maximum=maximum), OptionSetKey(correct=correct):
            yield from _check_options(options, correct, where)
            yield from _check_maximum(maximum, correct, where)
        case TrueFalseCluster() as cluster, ClusterKey() as key:
            yield from _check_cluster(cluster, key, where)
        case ShortNumeric(max_characters=limit), ShortAnswerKey() as key:
            yield from _check_short_answer(item, key, limit, where)
        case Essay(), RubricKey() as key:
            yield from _check_rubric(key, where)
        case _:
            yield error("key-unfit", at(where, field="key"), message("the key does not fit this kind of item"))


def _check_options(options: tuple[Option, ...], key: tuple[str, ...], where: Place) -> Iterator[Finding]:
    if len(options) < OPTIONS_AT_LEAST:
        yield error("options-too-few", at(where, field="option_b"), message("a choice needs at least two options"))
    if len(options) > OPTIONS_AT_MOST:
        yield error(
            "options-too-many",
            where,
            message("{count} options are more than {limit}", count=len(options), limit=OPTIONS_AT_MOST),
        )
    yield from _check_contents([(option.id, option.content) for option in options], where)
    if not key:
        yield error("key-missing", at(where, field="key"), message("the key is missing"))
    for letter in sorted(set(key) - {option.id for option in options}):
        yield error(
            "key-unknown-option",
            at(where, field="key"),
            message("the key names {letter}, which is no option", letter=letter),
        )
    for option in options:
        if not option.pinned and _ALL_OF_ABOVE.search(folded(to_text(option.content))):
            yield error(
                "all-of-above-unpinned",
                at(where, field="pinned"),
                message("option {letter} speaks of the others: pin it, or shuffling spoils it", letter=option.id),
            )


def _check_contents(contents: list[tuple[str, str]], where: Place) -> Iterator[Finding]:
    for letter, content in contents:
        if not to_text(content) and "<img" not in content:
            yield error(
                "option-empty", at(where, field=column_of(letter)), message("option {letter} is empty", letter=letter)
            )
    seen: dict[str, str] = {}
    for letter, content in contents:
        if content and content in seen:
            yield error(
                "options-duplicate",
                at(where, field=column_of(letter)),
                message("options {first} and {second} are the same", first=seen[content], second=letter),
            )
        seen.setdefault(content, letter)


def _check_length_cue(options: tuple[Option, ...], key: tuple[str, ...], where: Place) -> Iterator[Finding]:
    lengths = {option.id: len(to_text(option.content)) for option in options}
    if len(key) != 1 or key[0] not in lengths or len(lengths) < OPTIONS_AT_LEAST:
        return
    longest_other = max(length for letter, length in lengths.items() if letter != key[0])
    own = lengths[key[0]]
    if own > longest_other * LENGTH_CUE_RATIO and own - longest_other >= LENGTH_CUE_CHARACTERS:
        yield warning(
            "length-cue", at(where, field=column_of(key[0])), message("the key is much longer than every other option")
        )


def _check_maximum(maximum: int, correct: tuple[str, ...], where: Place) -> Iterator[Finding]:
    if maximum and maximum < len(correct):
        yield error(
            "maximum-too-small",
            at(where, field="maximum"),
            message("only {maximum} options may be chosen, and {count} are right", maximum=maximum, count=len(correct)),
        )
    if len(correct) == 1:
        yield warning(
            "one-right-option", at(where, field="key"), message("only one option is right: is this a single choice?")
        )


def _check_cluster(cluster: TrueFalseCluster, key: ClusterKey, where: Place) -> Iterator[Finding]:
    ids = [statement.id for statement in cluster.statements]
    if len(ids) != STATEMENTS:
        yield warning(
            "cluster-size",
            at(where, field="option_d"),
            message(
                "a cluster of the national paper has {wanted} statements, this one has {count}",
                wanted=STATEMENTS,
                count=len(ids),
            ),
        )
    yield from _check_contents([(s.id, s.content) for s in cluster.statements], where)
    if not key.statements:
        yield error("key-missing", at(where, field="key"), message("the key is missing"))
    elif set(key.statements) != set(ids):
        yield error(
            "key-length",
            at(where, field="key"),
            message(
                "the key judges {judged} statements, the item has {count}", judged=len(key.statements), count=len(ids)
            ),
        )
    if len(key.steps) != len(ids) + 1 or list(key.steps) != sorted(key.steps) or key.steps[:1] != (0,):
        yield error(
            "steps-unfit", at(where, field="steps"), message("{count} statements need {steps} rising steps from 0",
            count=len(ids), steps=len(ids) + 1),
        )  # fmt: skip


def _check_short_answer(item: Item, key: ShortAnswerKey, limit: int, where: Place) -> Iterator[Finding]:
    where = at(where, field="key")
    if not key.accepted:
        yield error("key-missing", where, message("the key is missing"))
    for answer in key.accepted:
        written = normalised(answer)
        if "/" in answer:
            yield error("short-key-fraction", where, message("“{answer}”: the grid has no fraction bar", answer=answer))
        elif len(written) > limit:
            yield error(
                "short-key-too-long",
                where,
                message("“{answer}” does not fit into {limit} characters", answer=answer, limit=limit),
            )
        elif key.compare is Compare.NUMERIC and number(written) is None:
            yield error("short-key-not-numeric", where, message("“{answer}” is not a number", answer=answer))
        elif key.compare is Compare.LITERAL and not _GRID.fullmatch(written):
            yield error(
                "short-key-not-numeric", where, message("“{answer}” cannot be written on the grid", answer=answer)
            )
    twice = [answer for answer, count in Counter(map(normalised, key.accepted)).items() if count > 1]
    for answer in twice:
        yield warning("short-key-twice", where, message("“{answer}” is accepted twice", answer=answer))
    has_decimals = key.compare is Compare.NUMERIC and any("," in normalised(answer) for answer in key.accepted)
    if has_decimals and not _ROUNDING.search(folded(to_text(item.stem))):
        yield warning(
            "rounding-missing", where, message("the key has decimals, and the stem does not say how to round")
        )


def _check_rubric(key: RubricKey, where: Place) -> Iterator[Finding]:
    where = at(where, field="key")
    if not key.criteria:
        yield error("rubric-empty", where, message("the rubric has no criterion"))
    for criterion in key.criteria:
        if criterion.maximum <= 0:
            yield error(
                "rubric-points", where, message("the criterion “{title}” gives no points", title=criterion.title)
            )
        if not criterion.title.strip():
            yield error("rubric-title", where, message("a criterion has no name"))
