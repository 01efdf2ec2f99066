"""What the report of a classical analysis says: reliability, items by trouble, options by ability group."""

import numpy as np

from exam_engine.calibration import plots
from exam_engine.calibration.axes import number
from exam_engine.calibration.report.blocks import (
    Block,
    Card,
    Cards,
    Cell,
    Column,
    Facts,
    Heading,
    Kept,
    Pictures,
    Said,
    Sentences,
    Table,
    Text,
    Tone,
)
from exam_engine.calibration.report.classical_facts import ClassicalFacts
from exam_engine.infra.i18n import N_, Translator, format_integer, translator
from scoring.classical import DistractorTable, Finding, Verdict

TITLE = N_("Item analysis: {name}")
LEAD = N_("{candidates} candidates, {items} items.")
CHOICES = N_("Options, item by item")
READING = N_("How to read this report")
_BAD = frozenset({Finding.KEY_DOUBTFUL, Finding.NEGATIVE, Finding.ALL_ALIKE})
READING_LINES = (
    N_("Facility: share of the marks earned. r: correlation of the item with the sum of the others."),
    N_("Upper less lower: facility of the strongest 27 % less that of the weakest 27 %."),
    N_("Alpha without: reliability of the test if this item were left out; higher than alpha speaks against the item."),
    N_("An option that works attracts the weak: its line falls to the right, that of the key rises."),
)


def classical_blocks(facts: ClassicalFacts, *, name: str, language: str) -> tuple[Block, ...]:
    """Say everything, title first."""
    say = translator(language)
    order = sorted(range(len(facts.names)), key=lambda i: _weight(facts, i))
    lead = say(LEAD, candidates=format_integer(round(facts.n_candidates), language), items=len(facts.names))
    blocks: list[Block] = [
        Heading(1, say(TITLE, name=name)),
        Text(lead, Tone.FAINT),
        Cards(tuple(_cards(facts, language, say))),
        Heading(2, say(N_("Items, the most troubled first")), "items"),
        _table(facts, order, language, say),
    ]
    options = [i for i in order if facts.distractors[i] is not None]
    if options:
        blocks += [Heading(2, say(CHOICES), "options"), *(_options(facts, i, language, say) for i in options)]
    blocks += [Heading(2, say(READING), "reading"), Sentences(tuple(Said(say(line)) for line in READING_LINES))]
    return tuple(blocks)


def tone_of(verdict: Verdict) -> Tone:
    """Say how much a verdict weighs."""
    return Tone.GOOD if verdict.finding is Finding.GOOD else Tone.BAD if verdict.finding in _BAD else Tone.WARN


def _weight(facts: ClassicalFacts, item: int) -> tuple[int, int, float]:
    tones = [tone_of(verdict) for verdict in facts.verdicts[item]]
    r_pb = float(np.nan_to_num(facts.statistics.r_pb[item], nan=-1.0))
    return -tones.count(Tone.BAD), -tones.count(Tone.WARN), r_pb


def _cards(facts: ClassicalFacts, language: str, say: Translator) -> list[Card]:
    found = facts.reliability
    tone = Tone.GOOD if found.alpha >= 0.8 else Tone.WARN if found.alpha >= 0.7 else Tone.BAD
    most = sum(facts.maximum)
    n_bad = sum(any(tone_of(verdict) is not Tone.GOOD for verdict in said) for said in facts.verdicts)
    return [
        Card(say(N_("Reliability (alpha)")), _number(found.alpha, language), _omega(found.omega, language, say), tone),
        Card(say(N_("Standard error of a score")), _number(found.sem, language), say(N_("points"))),
        Card(
            say(N_("Mean score")),
            _number(found.mean, language),
            say(N_("of {most}; spread {sd}"), most=number(most, language), sd=_number(found.sd, language)),
        ),
        Card(
            say(N_("Items to look at")),
            str(n_bad),
            say(N_("of {count} items"), count=len(facts.names)),
            Tone.WARN if n_bad else Tone.GOOD,
        ),
    ]


def _omega(omega: float, language: str, say: Translator) -> str:
    return say(N_("omega {value}"), value=_number(omega, language))


def _table(facts: ClassicalFacts, order: list[int], language: str, say: Translator) -> Table:
    columns = (
        Column(say(N_("Item")), is_number=False, share=1.4),
        Column(say(N_("Facility")), share=0.9),
        Column("r", share=0.7),
        Column(say(N_("r biserial")), share=0.9),
        Column(say(N_("Upper less lower")), share=0.9),
        Column(say(N_("Left blank")), share=0.9),
        Column(say(N_("Not reached")), share=0.9),
        Column(say(N_("Alpha without")), share=0.9),
        Column(say(N_("What to look at")), is_number=False, share=4.2),
    )
    s, alpha = facts.statistics, facts.reliability.alpha_without
    rows = []
    for i in order:
        said = tuple(Said(say(v.message, **v.facts), tone_of(v)) for v in facts.verdicts[i])
        worst = next((tone for tone in (Tone.BAD, Tone.WARN) if any(each.tone is tone for each in said)), Tone.PLAIN)
        has_options = facts.distractors[i] is not None
        rows.append(
            (
                Cell(facts.names[i], worst, link=f"item-{i + 1}" if has_options else ""),
                *(Cell(_number(float(v[i]), language)) for v in (s.facility, s.r_pb, s.r_bis, s.discrimination)),
                *(Cell(f"{number(100 * float(v[i]), language, 1)} %") for v in (s.omitted, s.not_reached)),
                Cell(_number(float(alpha[i]), language)),
                Cell("", lines=said),
            )
        )
    return Table(columns, tuple(rows))


def _options(facts: ClassicalFacts, item: int, language: str, say: Translator) -> Kept:
    table = facts.distractors[item]
    assert table is not None  # noqa: S101 (only items with options come here)
    figure = plots.options_by_group(
        table.group_share,
        options=table.options,
        is_key=[bool(each) for each in table.is_key],
        name=facts.names[item],
        language=language,
    )
    return Kept(
        (
            Heading(3, facts.names[item], f"item-{item + 1}"),
            Sentences(tuple(Said(say(v.message, **v.facts), tone_of(v)) for v in facts.verdicts[item])),
            Facts(tuple(_shares(table, language, say))),
            Pictures((figure,), f"item-{item + 1}"),
        )
    )


def _shares(table: DistractorTable, language: str, say: Translator) -> list[tuple[str, str, Tone]]:
    rows = []
    for i, option in enumerate(table.options):
        label = say(N_("{option} (key)"), option=option) if table.is_key[i] else option
        share = f"{number(100 * float(table.share[i]), language, 1)} %"
        rows.append((label, f"{share}; r {_number(float(table.r_pb[i]), language)}", Tone.PLAIN))
    if table.blank > 0:
        rows.append((say(N_("Left blank")), f"{number(100 * table.blank, language, 1)} %", Tone.PLAIN))
    return rows


def _number(value: float, language: str) -> str:
    return "–" if not np.isfinite(value) else number(value, language, 2)
