"""The figures of a run's pages, from its reports: curves and fit of an item, map and information of the test. Pure."""

from collections.abc import Sequence

import numpy as np

from exam_engine.calibration import plots
from exam_engine.calibration.banks import bank_of
from exam_engine.calibration.figures import Figure
from exam_engine.calibration.findings import ItemReport, Outcome
from exam_engine.calibration.wright_map import wright_map
from scoring.irt.bank import category_probabilities, expected_scores, information

ABILITIES = np.linspace(-4.0, 4.0, 81)


def item_pictures(report: ItemReport, language: str) -> dict[str, Figure]:
    """Return the figures of one item by what they show: "curves", "fit", "information", and "options" if it has any."""
    bank = bank_of([report.name], [report.parameters])
    is_dichotomous = len(report.parameters.d) == 1
    points = report.points
    found = {
        "curves": plots.characteristic_curves(
            ABILITIES,
            category_probabilities(bank, ABILITIES)[:, 0, :],
            name=report.name,
            language=language,
            difficulty=report.parameters.b[0] if is_dichotomous else None,
        ),
        "fit": plots.observed_against_expected(
            ABILITIES,
            expected_scores(bank, ABILITIES)[:, 0],
            group_theta=[point.theta for point in points],
            group_observed=[point.observed for point in points],
            group_se=[point.se for point in points],
            group_size=[point.n for point in points],
            highest=float(len(report.parameters.d)),
            name=report.name,
            language=language,
        ),
        "information": plots.item_information(
            ABILITIES, information(bank, ABILITIES)[:, 0], name=report.name, language=language
        ),
    }
    if report.options:
        shares = [[np.nan if share is None else share for share in option.group_share] for option in report.options]
        found["options"] = plots.options_by_group(
            np.array(shares).T,
            options=[option.option for option in report.options],
            is_key=[option.is_key for option in report.options],
            name=report.name,
            language=language,
        )
    return found


def whole_pictures(outcome: Outcome, reports: Sequence[ItemReport], language: str) -> dict[str, Figure]:
    """Return the figures of the test: "map" of candidates and items, "information" with the standard error."""
    bank = bank_of([report.name for report in reports], [report.parameters for report in reports])
    whole = information(bank, ABILITIES).sum(axis=1)
    places = [
        (report.name if len(report.parameters.b) == 1 else f"{report.name}.{step}", b)
        for report in reports
        for step, b in enumerate(report.parameters.b, start=1)
        if b is not None
    ]
    return {
        "map": wright_map(
            [theta for theta, _ in outcome.abilities],
            [count for _, count in outcome.abilities],
            names=[name for name, _ in places],
            difficulties=[b for _, b in places],
            language=language,
        ),
        "information": plots.information_of_test(ABILITIES, whole, language=language),
    }
