"""What a paper of a subject must look like, read from the data files beside this module."""

from collections.abc import Mapping
from decimal import Decimal
from functools import cache
from importlib import resources

import msgspec

from scoring.errors import PaperFormatUnknown
from scoring.keys.values import ClusterKey, Key, OneOptionKey, OptionSetKey, RubricKey, ShortAnswerKey, VoidKey
from scoring.totals import FormKey, SlotKey
from scoring.values import Hundredths, to_hundredths

RULE_NAMES: Mapping[type[Key], str] = {
    OneOptionKey: "one_option",
    OptionSetKey: "option_set",
    ClusterKey: "cluster",
    ShortAnswerKey: "short_answer",
    RubricKey: "rubric",
}


class PartFormat(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A run of equal slots inside a part."""

    part: int
    rule: str  # a name of RULE_NAMES
    count: int
    points: Decimal  # each, for full credit
    statements: int = 1  # of each cluster; a cluster counts as so many scored responses
    track: str | None = None


class PaperFormat(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The structure of one subject's paper."""

    id: str
    subject: str
    title: str
    source: str
    first_year: int
    last_year: int | None
    minutes: int
    maximum: Decimal
    step: Decimal  # scores are multiples of it
    parts: tuple[PartFormat, ...]
    note: str = ""

    @property
    def n_scored_responses(self) -> int:
        """Responses a candidate is scored on (lệnh hỏi): a cluster of four counts four; one track of several."""
        return int(self._sum_per_candidate({i: part.count * part.statements for i, part in enumerate(self.parts)}))

    @property
    def total(self) -> Hundredths:
        """Hundredths a candidate can reach."""
        points = {i: int(to_hundredths(part.points)) * part.count for i, part in enumerate(self.parts)}
        return Hundredths(self._sum_per_candidate(points))

    def _sum_per_candidate(self, amounts: Mapping[int, int]) -> int:
        tracks: dict[str | None, int] = {}
        for index, part in enumerate(self.parts):
            tracks[part.track] = tracks.get(part.track, 0) + amounts[index]
        return tracks.pop(None, 0) + max(tracks.values(), default=0)


def known_formats() -> tuple[str, ...]:
    """Names of all paper formats, sorted."""
    names = (entry.name for entry in resources.files(__package__).iterdir())
    return tuple(sorted(name.removesuffix(".json") for name in names if name.endswith(".json")))


@cache
def load_format(name: str) -> PaperFormat:
    """Read a paper format such as "toan_2025".

    Raises
    ------
    PaperFormatUnknown
        There is no such file.
    """
    known = known_formats()
    if name not in known:
        raise PaperFormatUnknown(name, known)
    return msgspec.json.decode(resources.files(__package__).joinpath(f"{name}.json").read_bytes(), type=PaperFormat)


def discrepancies(paper: PaperFormat, form_key: FormKey) -> tuple[str, ...]:
    """Say in words how a form differs from the format; empty when it fits. Voided slots fit anywhere."""
    found = []
    wanted: dict[tuple[int, str | None, str, int], int] = {}
    for part in paper.parts:
        kind = (part.part, part.track, part.rule, int(to_hundredths(part.points)))
        wanted[kind] = wanted.get(kind, 0) + part.count
    held: dict[tuple[int, str | None, str, int], int] = {}
    voided: dict[tuple[int, str | None, int], int] = {}
    for slot in form_key.slots:
        if isinstance(slot.key, VoidKey):
            voided[slot.part, slot.track, slot.points] = voided.get((slot.part, slot.track, slot.points), 0) + 1
        else:
            held[_kind(slot)] = held.get(_kind(slot), 0) + 1
    for kind in sorted(wanted.keys() | held.keys(), key=str):
        part_number, track, rule, points = kind
        lacking = wanted.get(kind, 0) - held.get(kind, 0)
        while lacking > 0 and voided.get((part_number, track, points), 0):
            voided[part_number, track, points] -= 1
            lacking -= 1
        if lacking:
            word = "lacks" if lacking > 0 else "has too many:"
            found.append(f"part {part_number} {word} {abs(lacking)} × {rule} of {points} hundredths")
    found.extend(f"part {part} has {n} void slots too many" for (part, _, _), n in voided.items() if n)
    return tuple(found)


def _kind(slot: SlotKey) -> tuple[int, str | None, str, int]:
    return (slot.part, slot.track, RULE_NAMES[type(slot.key)], slot.points)
