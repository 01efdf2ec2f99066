"""Checks across a bank: topics and stimuli exist, codes and questions stand there once."""

from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet

import msgspec

from item_bank.checks.findings import Finding, Place, at, error, warning
from item_bank.checks.items import check_item, contents_of
from item_bank.messages import message
from item_bank.model.item import Item, Stimulus


class Surroundings(msgspec.Struct, frozen=True):
    """What an item may refer to; `None` means it cannot be told here (a file alone, without its bank)."""

    topics: AbstractSet[str] | None = None
    stimuli: AbstractSet[str] | None = None


def check_items(
    items: Iterable[Item],
    surroundings: Surroundings,
    places: Mapping[str, Place] | None = None,
) -> list[Finding]:
    """Check each item and all of them together; `places` tells where each code came from."""
    everything = list(items)
    known = places or {}
    findings: list[Finding] = []
    for item in everything:
        place = known.get(item.code, Place())
        findings += check_item(item, place)
        findings += check_references(item, surroundings, place)
    findings += _check_twins(everything, known)
    return findings


def check_references(item: Item, surroundings: Surroundings, place: Place | None = None) -> list[Finding]:
    """Check that the topic and the stimulus an item names exist."""
    where = at(place or Place(), item=item.code)
    findings = []
    if surroundings.topics is not None and item.topic not in surroundings.topics:
        findings.append(
            error(
                "unknown-topic", at(where, field="topic"), message("the bank has no topic “{topic}”", topic=item.topic)
            )
        )
    if surroundings.stimuli is not None and item.stimulus is not None and item.stimulus not in surroundings.stimuli:
        findings.append(
            error(
                "unknown-stimulus",
                at(where, field="stimulus"),
                message("there is no stimulus “{code}”", code=item.stimulus),
            )
        )
    return findings


def check_stimulus(stimulus: Stimulus, place: Place | None = None) -> list[Finding]:
    """Check a shared passage by itself."""
    where = at(place or Place(), item=stimulus.code)
    findings = []
    if not stimulus.content.strip():
        findings.append(error("stimulus-empty", at(where, field="content"), message("the stimulus is empty")))
    if "<img" in stimulus.content and 'alt="' not in stimulus.content:
        findings.append(
            error(
                "image-without-alt",
                at(where, field="alt_text"),
                message("the figure has no description for those who cannot see it"),
            )
        )
    return findings


def _check_twins(items: list[Item], places: Mapping[str, Place]) -> Iterator[Finding]:
    first: dict[tuple[str | None, tuple[str, ...]], str] = {}
    for item in items:
        texts = tuple(text for column, text in contents_of(item) if column != "explanation")
        question = (item.stimulus, (texts[0], *sorted(texts[1:])))
        if question in first:
            yield warning(
                "identical-item",
                at(places.get(item.code, Place()), item=item.code, field="stem"),
                message("this item asks the same as {code}", code=first[question]),
            )
        first.setdefault(question, item.code)
