"""What a report says of the whole test, in words a teacher understands and with the figures behind them."""

from collections import Counter
from collections.abc import Iterator

import numpy as np

from exam_engine.calibration import plots
from exam_engine.calibration.axes import number
from exam_engine.calibration.figures import Figure
from exam_engine.calibration.findings import Severity
from exam_engine.calibration.report.blocks import (
    Block,
    Card,
    Cards,
    Cell,
    Column,
    Facts,
    Heading,
    Pictures,
    Said,
    Sentences,
    Table,
    Text,
    Tone,
)
from exam_engine.calibration.report.convergence import convergence_blocks
from exam_engine.calibration.report.facts import TestFacts
from exam_engine.calibration.report.item_content import item_cards, item_table, model_name
from exam_engine.calibration.wright_map import wright_map
from exam_engine.infra.i18n import N_, Translator, format_integer, translator
from scoring.calibration import Calibration
from scoring.irt.bank import information

TITLE = N_("Calibration report: {name}")
LEAD = N_("{candidates} candidates, {items} items; {models}.")
SHORT = N_("In short")
MAP = N_("Candidates and items on one scale")
PRECISION = N_("How precisely the test measures")
ITEMS = N_("Items, the most troubled first")
PAIRS = N_("Items that hang together")
PAIRS_LEAD = N_(
    "These pairs share more than the ability they measure (Q3 more than 0.2 above the mean): perhaps one gives the "
    "other away, or they stand on one text."
)
GROUPS = N_("Groups")
EVERY_ITEM = N_("Item by item")
READING = N_("How to read this report")

CONVERGED = N_("Converged")
STOPPED = N_("Stopped early")
ESTIMATES = N_("Estimates")
STEPS = N_("{count} steps")
RELIABILITY = N_("Reliability")
MARGINAL = N_("marginal; alpha {alpha}")
FIT = N_("Model fit (RMSEA)")
FIT_NOTE = N_("90 %: {low} to {high}")
TO_LOOK_AT = N_("Items to look at")
OF_ITEMS = N_("of {count} items")
TARGET = N_("Ability less difficulty")
TARGET_NOTE = N_("on average, logits")

RELIABLE = N_("Reliability {value}: precise enough for decisions about single candidates.")
FAIRLY_RELIABLE = N_("Reliability {value}: good for ranking, with care near a cut score.")
HARDLY_RELIABLE = N_("Reliability {value}: fair; enough to compare groups, thin for single candidates.")
NOT_RELIABLE = N_(
    "Reliability {value}: too low for decisions about single candidates; more or better items are needed."
)
FITS = N_("The model reproduces how items go together (RMSEA {value}).")
FITS_FAIRLY = N_("The model reproduces how items go together fairly well (RMSEA {value}).")
FITS_NOT = N_(
    "The model does not reproduce how items go together (RMSEA {value}): look at the pairs and the worst items."
)
NO_FIT = N_("Fit of the whole model was not computed: {reason}.")
EASY = N_("The test is easy for these candidates: they stand {value} logits above the items.")
HARD = N_("The test is hard for these candidates: they stand {value} logits below the items.")
SUITED = N_("The difficulty of the test suits these candidates.")
ALL_GOOD = N_("No item stands out.")
SOME_BAD = N_("Items that need a decision: {bad}; that deserve a look besides: {warn}.")
SOME_WARN = N_("Items that deserve a look: {warn}; none needs a decision.")
ODD = N_("{share} % of the candidates answered in an unlikely pattern (5 % would by chance).")

READING_LINES = (
    N_(
        "Ability and difficulty are on one scale (logits): where they are equal, half of the candidates answer right, "
        "guessing left aside."
    ),
    N_("a: how sharply the item tells strong from weak candidates; b: its difficulty; c: the chance of a guess."),
    N_("Facility: share of the marks earned. r: correlation of the item with the sum of the others."),
    N_("S-X² p: how likely such a misfit is by chance; small means that the curve does not describe the answers."),
    N_("Infit and outfit: 1 is as expected; above 1.3 the answers are noisy, below 0.7 more regular than expected."),
    N_("Points in the plots: mean scores of candidates of about equal ability, drawn from each candidate's posterior."),
)


def report_blocks(
    facts: TestFacts, *, name: str, language: str, calibration: Calibration | None = None
) -> tuple[Block, ...]:
    """Say everything, title first."""
    say = translator(language)
    models = Counter(model_name(model.value) for model in facts.bank.models)
    listed = ", ".join(f"{count} × {model}" for model, count in models.most_common())
    blocks: list[Block] = [
        Heading(1, say(TITLE, name=name)),
        Text(
            say(
                LEAD,
                candidates=format_integer(round(facts.n_candidates), language),
                items=len(facts.items),
                models=listed,
            ),
            Tone.FAINT,
        ),
        Cards(tuple(_cards(facts, calibration, language, say))),
        Heading(2, say(SHORT)),
        Sentences(tuple(_in_short(facts, language, say))),
    ]
    if calibration is not None:
        blocks += convergence_blocks(calibration, language)
    blocks += _groups(facts, language, say)
    blocks += [Heading(2, say(MAP), "map"), Pictures((_map(facts, language),), "map-figure")]
    theta = np.linspace(-4.0, 4.0, 81)
    precision = plots.information_of_test(theta, information(facts.bank, theta).sum(axis=1), language=language)
    blocks += [
        Heading(2, say(PRECISION), "precision"),
        Text(precision.description),
        Pictures((precision,), "information"),
    ]
    blocks += [Heading(2, say(ITEMS), "items"), item_table(facts, language)]
    blocks += _pairs(facts, language, say)
    blocks += [Heading(2, say(EVERY_ITEM), "cards"), *item_cards(facts, language)]
    blocks += [Heading(2, say(READING), "reading"), Sentences(tuple(Said(say(line)) for line in READING_LINES))]
    return tuple(blocks)


def target_gap(facts: TestFacts) -> float:
    """Mean ability of the candidates less mean difficulty of the items, logits."""
    known = np.isfinite(facts.abilities.theta)
    weights = facts.weights[known]
    ability = float(weights @ facts.abilities.theta[known] / max(float(weights.sum()), 1e-300))
    b = np.clip(facts.bank.difficulties(), -6.0, 6.0)
    means = [float(row[np.isfinite(row)].mean()) for row in b if np.isfinite(row).any()]
    return ability - float(np.mean(means)) if means else float("nan")


def _cards(facts: TestFacts, calibration: Calibration | None, language: str, say: Translator) -> Iterator[Card]:
    if calibration is not None:
        state = CONVERGED if calibration.converged else STOPPED
        tone = Tone.GOOD if calibration.converged else Tone.BAD
        yield Card(say(ESTIMATES), say(state), say(STEPS, count=calibration.n_iterations), tone)
    marginal, classical = facts.reliability.marginal, facts.reliability.classical
    tone = Tone.GOOD if marginal >= 0.8 else Tone.WARN if marginal >= 0.7 else Tone.BAD
    note = "" if classical is None else say(MARGINAL, alpha=number(classical.alpha, language, 2))
    yield Card(say(RELIABILITY), number(marginal, language, 2), note, tone)
    fit = facts.model_fit
    if fit is not None and fit.rmsea is not None:
        tone = Tone.GOOD if fit.rmsea <= 0.05 else Tone.WARN if fit.rmsea <= 0.08 else Tone.BAD
        low, high = (number(value or 0.0, language, 3) for value in (fit.rmsea_lower, fit.rmsea_upper))
        yield Card(say(FIT), number(fit.rmsea, language, 3), say(FIT_NOTE, low=low, high=high), tone)
    bad, warn = _trouble_counts(facts)
    tone = Tone.BAD if bad else Tone.WARN if warn else Tone.GOOD
    yield Card(say(TO_LOOK_AT), str(bad + warn), say(OF_ITEMS, count=len(facts.items)), tone)
    gap = target_gap(facts)
    if np.isfinite(gap):
        tone = Tone.GOOD if abs(gap) <= 0.7 else Tone.WARN
        yield Card(say(TARGET), ("+" if gap > 0 else "") + number(gap, language, 2), say(TARGET_NOTE), tone)


def _in_short(facts: TestFacts, language: str, say: Translator) -> Iterator[Said]:
    value = facts.reliability.marginal
    message, tone = next(
        (message, tone)
        for least, message, tone in (
            (0.9, RELIABLE, Tone.GOOD),
            (0.8, FAIRLY_RELIABLE, Tone.GOOD),
            (0.7, HARDLY_RELIABLE, Tone.WARN),
            (-1.0, NOT_RELIABLE, Tone.BAD),
        )
        if value >= least
    )
    yield Said(say(message, value=number(value, language, 2)), tone)
    yield _fit_sentence(facts, language, say)
    gap = target_gap(facts)
    if np.isfinite(gap):
        message = EASY if gap > 0.7 else HARD if gap < -0.7 else SUITED
        facts_of = {} if message == SUITED else {"value": number(abs(gap), language, 2)}
        yield Said(say(message, **facts_of), Tone.GOOD if message == SUITED else Tone.WARN)
    bad, warn = _trouble_counts(facts)
    if bad:
        yield Said(say(SOME_BAD, bad=bad, warn=warn), Tone.BAD)
    elif warn:
        yield Said(say(SOME_WARN, warn=warn), Tone.WARN)
    else:
        yield Said(say(ALL_GOOD), Tone.GOOD)
    if facts.persons.share_odd is not None:
        share = facts.persons.share_odd
        yield Said(say(ODD, share=number(100.0 * share, language, 1)), Tone.WARN if share > 0.1 else Tone.PLAIN)


def _fit_sentence(facts: TestFacts, language: str, say: Translator) -> Said:
    fit = facts.model_fit
    if fit is None or fit.rmsea is None:
        why = facts.why_no_model_fit
        reason = "" if why is None else say(why.message, **why.facts)
        return Said(say(NO_FIT, reason=reason), Tone.FAINT)
    message, tone = (
        (FITS, Tone.GOOD)
        if fit.rmsea <= 0.05
        else (FITS_FAIRLY, Tone.WARN)
        if fit.rmsea <= 0.08
        else (FITS_NOT, Tone.BAD)
    )
    return Said(say(message, value=number(fit.rmsea, language, 3)), tone)


def _groups(facts: TestFacts, language: str, say: Translator) -> list[Block]:
    if len(facts.groups) < 2:
        return []
    columns = (
        Column(say(N_("Group")), is_number=False),
        Column(say(N_("Candidates"))),
        Column(say(N_("Mean ability"))),
        Column(say(N_("Spread"))),
    )
    rows = tuple(
        (
            Cell(group.name),
            Cell(format_integer(round(group.n_candidates), language)),
            Cell(number(group.mean, language, 2)),
            Cell(number(group.sd, language, 2)),
        )
        for group in facts.groups
    )
    return [Heading(2, say(GROUPS), "groups"), Table(columns, rows)]


def _pairs(facts: TestFacts, language: str, say: Translator) -> list[Block]:
    if not facts.pairs:
        return []
    lines = tuple((f"{pair.first} · {pair.second}", number(pair.q3, language, 2), Tone.WARN) for pair in facts.pairs)
    return [Heading(2, say(PAIRS), "pairs"), Text(say(PAIRS_LEAD)), Facts(lines)]


def _map(facts: TestFacts, language: str) -> Figure:
    places = []
    b = facts.bank.difficulties()
    for i, name in enumerate(facts.bank.names):
        steps = b[i][np.isfinite(b[i])]
        places += [(name if steps.size == 1 else f"{name}/{k + 1}", float(step)) for k, step in enumerate(steps)]
    return wright_map(
        facts.abilities.theta,
        facts.weights,
        names=[name for name, _ in places],
        difficulties=[value for _, value in places],
        language=language,
    )


def _trouble_counts(facts: TestFacts) -> tuple[int, int]:
    bad = sum(any(t.severity is Severity.BAD for t in item.troubles) for item in facts.items)
    return bad, sum(bool(item.troubles) for item in facts.items) - bad
