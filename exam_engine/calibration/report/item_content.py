"""What a report says of every item: a line in the table, and a card with its curves."""

import re
from collections.abc import Mapping, Sequence

import numpy as np

from exam_engine.calibration import plots
from exam_engine.calibration.axes import number
from exam_engine.calibration.figures import Figure
from exam_engine.calibration.findings import Severity, Trouble
from exam_engine.calibration.report.blocks import (
    Cell,
    Column,
    Facts,
    Heading,
    Kept,
    Pictures,
    Said,
    Sentences,
    Table,
    Tone,
)
from exam_engine.calibration.report.facts import ItemFacts, TestFacts
from exam_engine.infra.i18n import N_, Translator, format_integer, translator
from scoring.irt.bank import category_probabilities, expected_scores, information
from scoring.irt.models import Model

FINE = N_("Works well.")
FIXED = N_("Parameters were fixed beforehand.")
CAPTION = N_("Standard errors stand after ±. Values that deserve a look are marked.")
_TONES = {Severity.BAD: Tone.BAD, Severity.WARN: Tone.WARN}
_NUMBER = re.compile(r"-?[0-9]+\.[0-9]+")
_NO_SLOPE = (Model.RASCH.value, Model.PCM.value)


def item_table(facts: TestFacts, language: str) -> Table:
    """List the items, the most troubled first."""
    say = translator(language)
    columns = (
        Column(say(N_("Item")), is_number=False, share=1.35),
        Column(say(N_("Facility")), share=0.75),
        Column("r", share=0.65),
        Column("a", share=1.2),
        Column("b", share=1.5),
        Column("c", share=0.65),
        Column("S-X² p", share=0.8),
        Column(say(N_("Infit")), share=0.7),
        Column(say(N_("Outfit")), share=0.7),
        Column(say(N_("What to look at")), is_number=False, share=4.0),
    )
    return Table(columns, tuple(_row(item, language) for item in facts.items), say(CAPTION))


def item_cards(facts: TestFacts, language: str) -> list[Kept]:
    """Show the curves of every item, in the order of the table."""
    return [_card(facts, item, language) for item in facts.items]


def sentences_of(item: ItemFacts, language: str) -> tuple[Said, ...]:
    """Say what is wrong with an item, or that nothing is."""
    say = translator(language)
    found = [Said(say(t.message, **_localised(t.facts, language)), _TONES[t.severity]) for t in item.troubles]
    if item.is_fixed:
        found.append(Said(say(FIXED), Tone.FAINT))
    return tuple(found) if item.troubles else (Said(say(FINE), Tone.GOOD), *found)


def _row(item: ItemFacts, language: str) -> tuple[Cell, ...]:
    p, errors, fit = item.parameters, item.errors, item.fit
    worst = _worst(item.troubles)
    slope = "1" if p.model in _NO_SLOPE else _with_error(p.a, errors.a if errors else None, language)
    steps = [value for value in p.b if value is not None]
    se = errors.b if errors else ()
    b = "; ".join(
        _with_error(value, se[i] if len(steps) == 1 and i < len(se) else None, language)
        for i, value in enumerate(steps)
    )
    has_guess = p.model in (Model.THREE_PL.value, Model.FOUR_PL.value)
    return (
        Cell(item.name, worst, link=_anchor(item)),
        Cell(_maybe(item.facility, language, 2), _odd(item.facility, 0.2, 0.95)),
        Cell(_maybe(item.r_pb, language, 2), _odd(item.r_pb, 0.2, 1.0)),
        Cell(slope, _odd(p.a, 0.4, 6.0) if p.model not in _NO_SLOPE else Tone.PLAIN),
        Cell(b or "–"),
        Cell(number(p.c, language, 2) if has_guess else "–"),
        Cell(_p(fit.p, language), _odd(fit.p, 0.01, 1.0)),
        Cell(_maybe(fit.infit, language, 2), _odd(fit.infit, 0.7, 1.3)),
        Cell(_maybe(fit.outfit, language, 2), _odd(fit.outfit, 0.7, 1.3)),
        Cell("", lines=sentences_of(item, language)),
    )


def _card(facts: TestFacts, item: ItemFacts, language: str) -> Kept:
    say = translator(language)
    return Kept(
        (
            Heading(3, item.name, _anchor(item)),
            Sentences(sentences_of(item, language)),
            Facts(tuple(_figures(item, language, say))),
            Pictures(tuple(_curves(facts, item, language)), _anchor(item)),
        )
    )


def _figures(item: ItemFacts, language: str, say: Translator) -> list[tuple[str, str, Tone]]:
    p, errors, fit = item.parameters, item.errors, item.fit
    rows = [
        (say(N_("Model")), model_name(p.model)),
        (say(N_("Answers")), format_integer(round(item.n_answers), language)),
        (say(N_("Facility")), _maybe(item.facility, language, 2)),
        ("r", _maybe(item.r_pb, language, 2)),
    ]
    if p.model not in _NO_SLOPE:
        rows.append(("a", _with_error(p.a, errors.a if errors else None, language)))
    se = errors.b if errors else ()
    for i, value in enumerate(p.b):
        if value is not None:
            name = "b" if len(p.b) == 1 else f"b{i + 1}"
            rows.append((name, _with_error(value, se[i] if i < len(se) else None, language)))
    if p.model in (Model.THREE_PL.value, Model.FOUR_PL.value):
        rows.append(("c", _with_error(p.c, errors.c if errors else None, language)))
    if p.model == Model.FOUR_PL.value:
        rows.append(("u", _with_error(p.u, errors.u if errors else None, language)))
    if fit.s_x2 is not None:
        rows.append((say(N_("S-X² ({df} df)"), df=fit.df), number(fit.s_x2, language, 1)))
        rows.append(("p", _p(fit.p, language)))
    rows.append((say(N_("Infit")), _maybe(fit.infit, language, 2)))
    rows.append((say(N_("Outfit")), _maybe(fit.outfit, language, 2)))
    for label, share in ((N_("Left blank"), item.omitted), (N_("Not reached"), item.not_reached)):
        if share > 0:
            rows.append((say(label), f"{number(100 * share, language, 1)} %"))
    return [(label, value, Tone.PLAIN) for label, value in rows]


def _curves(facts: TestFacts, item: ItemFacts, language: str) -> list[Figure]:
    at = item.position - 1
    bank = facts.bank.select([at])
    theta = np.linspace(-4.0, 4.0, 81)
    k = int(bank.n_categories[0])
    p = category_probabilities(bank, theta)[:, 0, :k]
    b = item.parameters.b
    difficulty = b[0] if k == 2 and b else None
    figures = [
        plots.characteristic_curves(theta, p, name=item.name, language=language, difficulty=difficulty),
        plots.item_information(theta, information(bank, theta)[:, 0], name=item.name, language=language),
    ]
    if item.points:
        observed = plots.observed_against_expected(
            theta,
            expected_scores(bank, theta)[:, 0],
            group_theta=[point.theta for point in item.points],
            group_observed=[point.observed for point in item.points],
            group_se=[point.se for point in item.points],
            group_size=[point.n for point in item.points],
            highest=float(k - 1),
            name=item.name,
            language=language,
        )
        figures.insert(1, observed)
    return figures


def _localised(facts: Mapping[str, str], language: str) -> dict[str, str]:
    """Write the numbers among the facts as the language does."""
    return {
        name: number(float(text), language, len(text.partition(".")[2])) if _NUMBER.fullmatch(text) else text
        for name, text in facts.items()
    }


def _anchor(item: ItemFacts) -> str:
    return f"item-{item.position}"


def _worst(troubles: Sequence[Trouble]) -> Tone:
    return min((_TONES[t.severity] for t in troubles), key=(Tone.BAD, Tone.WARN).index, default=Tone.PLAIN)


def _maybe(value: float | None, language: str, places: int) -> str:
    return "–" if value is None else number(value, language, places)


def _p(value: float | None, language: str) -> str:
    if value is None:
        return "–"
    return f"< {number(0.001, language, 3)}" if value < 0.001 else number(value, language, 3)


def _with_error(value: float, se: float | None, language: str) -> str:
    text = number(value, language, 2)
    return text if se is None else f"{text} ± {number(se, language, 2)}"


def _odd(value: float | None, low: float, high: float) -> Tone:
    return Tone.PLAIN if value is None or low <= value <= high else Tone.WARN


def model_name(model: str) -> str:
    """Return a model's name as people write it: 2PL, GPCM, Rasch."""
    return {"rasch": "Rasch", "graded": "graded", "nominal": "nominal"}.get(model, model.upper())
