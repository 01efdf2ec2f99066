"""Classical analysis of a file of scores or options: statistics, distractors, verdicts, reliability."""

from collections.abc import Mapping, Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from exam_engine.calibration.files.categories import judged_blanks
from exam_engine.calibration.files.mistakes import Mistakes
from exam_engine.calibration.files.options import scored
from exam_engine.calibration.files.response_files import NOT_REACHED, OMITTED, OptionFile, ResponseFile
from exam_engine.infra.i18n import N_
from scoring.classical import (
    DistractorTable,
    ItemStatistics,
    Reliability,
    ScoreTable,
    Verdict,
    distractor_table,
    item_statistics,
    reliability,
    verdicts,
)

MOST_ROWS = 5_000_000


class ClassicalFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What classical analysis tells.

    Attributes
    ----------
    names : tuple of str
    maximum : tuple of float
    statistics : ItemStatistics
    distractors : tuple of DistractorTable or None, one for each item
    verdicts : tuple of tuples of Verdict
    reliability : Reliability
    n_candidates : float
    """

    names: tuple[str, ...]
    maximum: tuple[float, ...]
    statistics: ItemStatistics
    distractors: tuple[DistractorTable | None, ...]
    verdicts: tuple[tuple[Verdict, ...], ...]
    reliability: Reliability
    n_candidates: float


def analyse_scores(found: ResponseFile) -> ClassicalFacts:
    """Analyse a file of scores; the highest score met is an item's maximum."""
    table = _score_table(found)
    return _facts(table, (None,) * len(found.item_names))


def analyse_options(found: OptionFile, key: Mapping[str, frozenset[str]], n_groups: int = 5) -> ClassicalFacts:
    """Analyse a file of options by their key; a row with a frequency counts that often.

    Raises
    ------
    FileRefused
        Frequencies that are no whole numbers, or sum to millions.
    """
    whole = _repeated(found)
    table = _score_table(scored(whole, key))
    tables = []
    for item, name in enumerate(whole.responses.item_names):
        options = whole.options[item]
        letters: list[str | None] = [*options, None]
        places = whole.responses.marks[:, item]
        chosen = [letters[place] for place in np.where(places >= 0, places, len(options)).tolist()]
        rest = table.totals - table.scores[:, item]
        known = sorted({*options, *key[name]})
        tables.append(distractor_table(chosen, key[name], rest, options=known, n_groups=n_groups))
    return _facts(table, tuple(tables))


def _facts(table: ScoreTable, distractors: Sequence[DistractorTable | None]) -> ClassicalFacts:
    statistics = item_statistics(table)
    return ClassicalFacts(
        names=table.item_names,
        maximum=tuple(table.maximum.tolist()),
        statistics=statistics,
        distractors=tuple(distractors),
        verdicts=verdicts(statistics, distractors),
        reliability=reliability(table),
        n_candidates=table.n_candidates,
    )


def _score_table(found: ResponseFile) -> ScoreTable:
    marks = judged_blanks(found.marks)
    mistakes = Mistakes(found.file_name)
    if len(found.item_names) < 2:
        mistakes.add(N_("one item alone cannot be analysed: there is nothing to correlate it with"))
    weights: NDArray[np.float64] = np.ones(len(marks)) if found.frequencies is None else found.frequencies
    if weights.sum() < 2:
        mistakes.add(N_("there are fewer than two candidates"))
    answered = weights @ (marks >= 0)
    for name, count in zip(found.item_names, answered, strict=True):
        if count <= 0:
            mistakes.add(N_("nobody answered this item"), column=name)
    mistakes.finish()
    scores = np.maximum(marks, 0).astype(np.float64)
    highest = scores.max(axis=0)
    return ScoreTable(
        scores=scores,
        maximum=np.where(highest > 0, highest, 1.0),
        is_omitted=marks == OMITTED,
        is_not_reached=marks == NOT_REACHED,
        weights=weights,
        item_names=found.item_names,
    )


def _repeated(found: OptionFile) -> OptionFile:
    """Write rows with a frequency so many times: the tables of options count candidates."""
    responses = found.responses
    if responses.frequencies is None:
        return found
    times = responses.frequencies
    mistakes = Mistakes(responses.file_name)
    odd = np.flatnonzero(times != np.floor(times))
    if odd.size:
        line = int(responses.lines[odd[0]])
        mistakes.add(N_("a row of options cannot occur {value} times"), line=line, value=f"{times[odd[0]]:g}")
    elif times.sum() > MOST_ROWS:
        mistakes.add(N_("the rows stand for more than {limit} candidates"), limit=MOST_ROWS)
    mistakes.finish()
    rows = np.repeat(np.arange(times.size), times.astype(np.int64))
    repeated = msgspec.structs.replace(
        responses,
        marks=responses.marks[rows],
        lines=responses.lines[rows],
        identifiers=None,
        groups=None,
        frequencies=None,
    )
    return OptionFile(repeated, found.options)
