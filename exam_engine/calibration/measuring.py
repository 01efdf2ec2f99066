"""Fit, classical statistics and option tables of a run, form by form: whoever took other items is not compared. Pure.

An item that stood in several forms is measured in the one most candidates took.
"""

from collections.abc import Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from exam_engine.calibration.banks import number
from exam_engine.calibration.estimating import Estimated
from exam_engine.calibration.findings import ClassicalReport, FitReport, ModelFitReport, OptionReport
from exam_engine.calibration.gathering import LETTERS, MISSING, Gathered
from scoring.classical import DistractorTable, ItemStatistics, distractor_table, item_statistics, reliability, verdicts
from scoring.classical.score_table import ScoreTable
from scoring.classical.verdicts import Verdict
from scoring.errors import FitUndefined
from scoring.fit import MeanSquares, Population, complete_rows, model_fit, residual_fit, s_x2
from scoring.irt.responses import ResponseMatrix

OPTION_GROUPS = 5
FEWEST_ROWS = 2
MOST_ITEMS_FOR_MODEL_FIT = 150
"""The moments of pairs grow with the square of the items, their covariance with the fourth power."""


class FormView(msgspec.Struct, frozen=True, kw_only=True):
    """The candidates of one form and the calibrated items it held."""

    form: int
    code: str
    rows: NDArray[np.int64]
    items: NDArray[np.int64]  # among the calibrated ones
    measured: frozenset[int]  # of these items, those that are measured in this form

    def responses(self, estimated: Estimated) -> ResponseMatrix:
        """Calibrated responses of these candidates to these items."""
        table = estimated.prepared.responses.categories
        assert isinstance(table, np.ndarray)  # noqa: S101 (the room prepares dense tables only)
        names = tuple(estimated.prepared.responses.item_names[i] for i in self.items)
        return ResponseMatrix(categories=np.ascontiguousarray(table[np.ix_(self.rows, self.items)]), item_names=names)


class Classical(msgspec.Struct, frozen=True, kw_only=True):
    """One item by its form: statistics, options, what a teacher is told."""

    report: ClassicalReport
    options: tuple[OptionReport, ...]
    verdicts: tuple[Verdict, ...]


def form_views(gathered: Gathered, estimated: Estimated) -> list[FormView]:
    """Return the forms, the most taken first, each with the items that are measured in it."""
    columns = estimated.prepared.columns
    sizes = np.bincount(gathered.forms, minlength=len(gathered.form_codes))
    views = []
    taken: set[int] = set()
    for form in np.argsort(-sizes, kind="stable").tolist():
        rows = np.flatnonzero(gathered.forms == form)
        if rows.size < FEWEST_ROWS:
            continue
        is_held = (gathered.categories[np.ix_(rows, columns)] != MISSING).any(axis=0)
        items = np.flatnonzero(is_held)
        measured = frozenset(items.tolist()) - taken
        taken |= measured
        views.append(FormView(form=form, code=gathered.form_codes[form], rows=rows, items=items, measured=measured))
    return views


def item_fits(views: Sequence[FormView], estimated: Estimated) -> dict[int, FitReport]:
    """Return S-X² from complete rows, and infit and outfit at EAP abilities, by item."""
    squares = residual_fit(estimated.prepared.responses, estimated.bank, estimated.theta.theta).items
    fits = {i: _residuals(squares, i) for i in range(estimated.bank.n_items)}
    population = Population(mean=estimated.mean, variance=estimated.variance)
    for view in views:
        try:
            fit = s_x2(view.responses(estimated), estimated.bank.select(view.items), population)
        except FitUndefined:
            continue  # nobody answered everything, or a single item: infit and outfit stand alone
        for at, item in enumerate(view.items.tolist()):
            if item in view.measured:
                fits[item] = msgspec.structs.replace(
                    fits[item],
                    s_x2=number(fit.x2[at]),
                    df=int(fit.df[at]),
                    p=number(fit.p[at]),
                    rmsea=number(fit.rmsea[at]),
                )
    return fits


def whole_fit(views: Sequence[FormView], estimated: Estimated) -> ModelFitReport | None:
    """Return M2* of the form most candidates took; none where it is not defined."""
    if not views or views[0].items.size > MOST_ITEMS_FOR_MODEL_FIT:
        return None
    view = views[0]
    population = Population(mean=estimated.mean, variance=estimated.variance)
    try:
        fit = model_fit(
            complete_rows(view.responses(estimated)),
            estimated.bank.select(view.items),
            population,
            is_fixed=estimated.is_fixed[view.items],
        )
    except FitUndefined:
        return None
    return ModelFitReport(
        statistic=fit.statistic.value,
        x2=number(fit.x2),
        df=fit.df,
        p=number(fit.p),
        rmsea=number(fit.rmsea),
        rmsea_lower=number(fit.rmsea_lower),
        rmsea_upper=number(fit.rmsea_upper),
        srmsr=number(fit.srmsr),
        n_candidates=fit.n_candidates,
    )


def alpha_of(views: Sequence[FormView], gathered: Gathered, estimated: Estimated) -> float | None:
    """Return Cronbach's alpha of the form most candidates took, over its calibrated items."""
    if not views or views[0].items.size < 2:
        return None
    return number(reliability(_score_table(views[0], gathered, estimated)).alpha)


def classical(views: Sequence[FormView], gathered: Gathered, estimated: Estimated) -> dict[int, Classical]:
    """Return classical statistics by item."""
    found: dict[int, Classical] = {}
    for view in views:
        if view.items.size < 2:
            continue
        table = _score_table(view, gathered, estimated)
        statistics = item_statistics(table)
        options = [_options(view, at, gathered, estimated, table) for at in range(view.items.size)]
        judged = verdicts(statistics, options)
        for at, item in enumerate(view.items.tolist()):
            if item in view.measured:
                found[item] = Classical(
                    report=_classical(view, statistics, at),
                    options=_option_reports(options[at]),
                    verdicts=judged[at],
                )
    return found


def _residuals(squares: MeanSquares, item: int) -> FitReport:
    return FitReport(
        infit=number(squares.infit[item]),
        outfit=number(squares.outfit[item]),
        z_infit=number(squares.z_infit[item]),
        z_outfit=number(squares.z_outfit[item]),
    )


def _score_table(view: FormView, gathered: Gathered, estimated: Estimated) -> ScoreTable:
    """Raw scores of a form's calibrated items, blanks as 0: what people mean by facility."""
    columns = estimated.prepared.columns[view.items]
    at = np.ix_(view.rows, columns)
    return ScoreTable(
        scores=np.maximum(gathered.categories[at], 0).astype(np.float64),
        maximum=np.array([gathered.n_categories[c] - 1.0 for c in columns]),
        is_omitted=gathered.is_omitted[at],
        is_not_reached=gathered.is_not_reached[at],
        weights=np.ones(view.rows.size),
        item_names=tuple(gathered.items[c].name for c in columns),
    )


def _options(
    view: FormView, at: int, gathered: Gathered, estimated: Estimated, table: ScoreTable
) -> DistractorTable | None:
    column = int(estimated.prepared.columns[view.items[at]])
    key = gathered.keys[column]
    if not key:
        return None
    chosen = gathered.chosen[view.rows, column]
    highest = max(gathered.items[column].n_options, int(chosen.max(initial=-1)) + 1)
    letters = [None if place == MISSING else LETTERS[place] for place in chosen.tolist()]
    rest = table.totals - table.scores[:, at]
    return distractor_table(letters, set(key), rest, options=LETTERS[:highest], n_groups=OPTION_GROUPS)


def _classical(view: FormView, statistics: ItemStatistics, at: int) -> ClassicalReport:
    return ClassicalReport(
        form=view.code,
        n_candidates=int(view.rows.size),
        facility=number(statistics.facility[at]),
        r_pb=number(statistics.r_pb[at]),
        r_bis=number(statistics.r_bis[at]),
        discrimination=number(statistics.discrimination[at]),
        omitted=float(statistics.omitted[at]),
        not_reached=float(statistics.not_reached[at]),
    )


def _option_reports(table: DistractorTable | None) -> tuple[OptionReport, ...]:
    if table is None:
        return ()
    return tuple(
        OptionReport(
            option=option,
            is_key=bool(table.is_key[i]),
            share=float(table.share[i]),
            r_pb=number(table.r_pb[i]),
            mean_criterion=number(table.mean_criterion[i]),
            group_share=tuple(number(value) for value in table.group_share[:, i]),
        )
        for i, option in enumerate(table.options)
    )
