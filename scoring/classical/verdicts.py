"""Verdicts: what the statistics of an item say, in a sentence a teacher understands."""

from collections.abc import Sequence
from enum import StrEnum

import msgspec
import numpy as np

from scoring.classical.distractors import DistractorTable
from scoring.classical.item_statistics import ItemStatistics


class Finding(StrEnum):
    """Kinds of verdicts, the most pressing first."""

    KEY_DOUBTFUL = "key_doubtful"
    NEGATIVE = "negative"
    ALL_ALIKE = "all_alike"
    WEAK = "weak"
    TOO_HARD = "too_hard"
    TOO_EASY = "too_easy"
    OFTEN_OMITTED = "often_omitted"
    NOT_REACHED = "not_reached"
    IDLE_DISTRACTOR = "idle_distractor"
    GOOD = "good"


SENTENCES = {
    Finding.KEY_DOUBTFUL: "Option {option} attracts the strongest candidates more than the key {key} does: "
    "check the key.",
    Finding.NEGATIVE: "Strong candidates do worse here than weak ones: check the key and the wording.",
    Finding.ALL_ALIKE: "Everybody scored the same, so the item tells nobody apart.",
    Finding.WEAK: "The item hardly tells strong candidates from weak ones.",
    Finding.TOO_HARD: "Only {share} % of the marks were earned: too hard for these candidates.",
    Finding.TOO_EASY: "{share} % of the marks were earned: too easy for these candidates.",
    Finding.OFTEN_OMITTED: "{share} % left the item blank though they went on: is it clear what to do?",
    Finding.NOT_REACHED: "{share} % did not get as far as this item: is the time enough?",
    Finding.IDLE_DISTRACTOR: "Hardly anybody chose option {option}: it does not work as a distractor.",
    Finding.GOOD: "The item works well.",
}


class Verdict(msgspec.Struct, frozen=True):
    """One finding on one item: its kind, and the facts that fill its sentence (translated by the message)."""

    finding: Finding
    facts: dict[str, str]

    @property
    def message(self) -> str:
        """The sentence with `{name}` fields."""
        return SENTENCES[self.finding]

    @property
    def sentence(self) -> str:
        """The sentence, filled."""
        return self.message.format(**self.facts)


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """Where a verdict begins; shares are 0 to 1."""

    weak_r_pb: float = 0.20
    hard: float = 0.20
    easy: float = 0.95
    omitted: float = 0.10
    not_reached: float = 0.10
    idle: float = 0.02


STANDARD_LIMITS = Limits()
"""Usual limits of item analysis (Ebel & Frisbie 1991, ch. 13)."""


def verdicts(
    statistics: ItemStatistics,
    distractors: Sequence[DistractorTable | None] | None = None,
    limits: Limits = STANDARD_LIMITS,
) -> tuple[tuple[Verdict, ...], ...]:
    """Judge every item: its verdicts, the most pressing first, or the one that it works well."""
    n_items = statistics.facility.size
    tables = [None] * n_items if distractors is None else list(distractors)
    return tuple(_judge(statistics, item, tables[item], limits) for item in range(n_items))


def _judge(statistics: ItemStatistics, item: int, table: DistractorTable | None, limits: Limits) -> tuple[Verdict, ...]:
    r_pb, facility = float(statistics.r_pb[item]), float(statistics.facility[item])
    omitted, not_reached = float(statistics.omitted[item]), float(statistics.not_reached[item])
    found = [] if table is None else _judge_options(table, limits)
    checks: tuple[tuple[Finding, bool, dict[str, str]], ...] = (
        (Finding.NEGATIVE, r_pb < 0, {}),
        (Finding.ALL_ALIKE, bool(statistics.sd[item] == 0), {}),
        (Finding.WEAK, 0 <= r_pb < limits.weak_r_pb, {}),
        (Finding.TOO_HARD, facility < limits.hard, {"share": _percent(facility)}),
        (Finding.TOO_EASY, facility > limits.easy, {"share": _percent(facility)}),
        (Finding.OFTEN_OMITTED, omitted > limits.omitted, {"share": _percent(omitted)}),
        (Finding.NOT_REACHED, not_reached > limits.not_reached, {"share": _percent(not_reached)}),
    )
    found += [Verdict(finding, facts) for finding, is_so, facts in checks if is_so]
    order = list(Finding)
    return tuple(sorted(found, key=lambda verdict: order.index(verdict.finding))) or (Verdict(Finding.GOOD, {}),)


def _judge_options(table: DistractorTable, limits: Limits) -> list[Verdict]:
    found = []
    key = ", ".join(option for option, is_key in zip(table.options, table.is_key, strict=True) if is_key)
    r_pb = np.nan_to_num(table.r_pb, nan=-1.0)
    strongest = table.group_share[-1]
    best_key = float(np.max(strongest[table.is_key], initial=0.0))
    for i, option in enumerate(table.options):
        if table.is_key[i]:
            continue
        # The strongest prefer it to the key, and it draws stronger candidates than the key does.
        if strongest[i] > best_key and r_pb[i] > max(0.0, float(np.max(r_pb[table.is_key], initial=-1.0))):
            found.append(Verdict(Finding.KEY_DOUBTFUL, {"option": option, "key": key}))
        elif table.share[i] < limits.idle:
            found.append(Verdict(Finding.IDLE_DISTRACTOR, {"option": option}))
    return found


def _percent(share: float) -> str:
    return f"{100.0 * share:.0f}"
