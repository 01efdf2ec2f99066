"""The honest word on how estimates were reached: converged or not, what is left to gain, what ran to a bound."""

import numpy as np

from exam_engine.calibration.axes import number
from exam_engine.calibration.report.blocks import Block, Facts, Heading, Said, Sentences, Tone
from exam_engine.infra.i18n import N_, format_integer, translator
from scoring.calibration import Calibration

TITLE = N_("How the estimates were reached")
YES = N_("yes")
NO = N_("no")
NONE = N_("none")
STOPPED = N_(
    "The search stopped before the maximum; the log-likelihood may still rise by {gain}. Do not use these figures yet."
)
BOUND = N_("{place}: {parameter} ran to the end of its range ({value}); the data do not place it.")
NO_ERRORS = N_("There are no standard errors.")
NEGATIVE = N_("{place}: the slope is negative; check the key.")


def convergence_blocks(calibration: Calibration, language: str) -> list[Block]:
    """Say how a calibration ended."""
    say = translator(language)
    rows = (
        (N_("Converged"), say(YES if calibration.converged else NO), _tone(is_good=calibration.converged)),
        (N_("Log-likelihood"), number(calibration.log_likelihood, language, 3), Tone.PLAIN),
        (N_("Logarithm of the priors"), number(calibration.log_prior, language, 3), Tone.PLAIN),
        (N_("Could still gain"), _tiny(calibration.remaining_gain, language), Tone.PLAIN),
        (N_("Largest element of the gradient"), _tiny(calibration.gradient_norm, language), Tone.PLAIN),
        (N_("Steps"), str(calibration.n_iterations), Tone.PLAIN),
        (N_("Passes over the data"), str(calibration.n_evaluations), Tone.PLAIN),
        (N_("Free parameters"), format_integer(calibration.n_parameters, language), Tone.PLAIN),
        (N_("AIC, BIC"), f"{number(calibration.aic, language, 1)}; {number(calibration.bic, language, 1)}", Tone.PLAIN),
        (
            N_("Parameters at a bound"),
            str(len(calibration.at_bounds)) if calibration.at_bounds else say(NONE),
            _tone(is_good=not calibration.at_bounds),
        ),
    )
    blocks: list[Block] = [
        Heading(2, say(TITLE), "convergence"),
        Facts(tuple((say(label), value, tone) for label, value, tone in rows)),
    ]
    warnings = warnings_of(calibration, language)
    if warnings:
        blocks.append(Sentences(tuple(warnings)))
    return blocks


def warnings_of(calibration: Calibration, language: str) -> list[Said]:
    """Say what a reader of these parameters has to know first."""
    say = translator(language)
    found = []
    if not calibration.converged:
        found.append(Said(say(STOPPED, gain=_tiny(calibration.remaining_gain, language)), Tone.BAD))
    found += [
        Said(
            say(BOUND, place=bound.place, parameter=bound.parameter, value=number(bound.value, language, 2)), Tone.WARN
        )
        for bound in calibration.at_bounds
    ]
    found += [
        Said(say(NEGATIVE, place=name), Tone.BAD)
        for name, a in zip(calibration.bank.names, calibration.bank.a, strict=True)
        if a < 0
    ]
    if calibration.errors is None:
        found.append(Said(say(NO_ERRORS), Tone.FAINT))
    return found


def _tiny(value: float, language: str) -> str:
    if not np.isfinite(value):
        return "–"
    if value == 0.0 or abs(value) >= 0.001:
        return number(value, language, 4)
    text = f"{value:.1e}"
    return text.replace(".", ",") if language == "vi" else text


def _tone(*, is_good: bool) -> Tone:
    return Tone.GOOD if is_good else Tone.BAD
