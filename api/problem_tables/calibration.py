"""Problems of the calibration of items."""

from http import HTTPStatus

from api.problem_tables.problem import Problem, ProblemTable
from exam_engine.calibration import errors as calibration
from exam_engine.infra.i18n import N_
from scoring import errors as scoring

PROBLEMS: ProblemTable = {
    scoring.ItemParametersInvalid: Problem(
        "item-parameters-invalid",
        HTTPStatus.UNPROCESSABLE_ENTITY,
        N_("The item parameters contradict their model"),
        N_("{place}: {reason}"),
    ),
    scoring.ResponsesUnusable: Problem(
        "responses-unusable",
        HTTPStatus.UNPROCESSABLE_ENTITY,
        N_("The responses cannot be calibrated"),
        N_("{place}: {reason}"),
    ),
    scoring.CalibrationImpossible: Problem(
        "calibration-impossible",
        HTTPStatus.UNPROCESSABLE_ENTITY,
        N_("The calibration cannot be done as asked"),
        N_("{place}: {reason}"),
    ),
    calibration.CalibrationRunUnknown: Problem(
        "calibration-run-unknown", HTTPStatus.NOT_FOUND, N_("There is no such calibration run"), N_("Run {run}")
    ),
    calibration.RunStateWrong: Problem(
        "calibration-run-state-wrong",
        HTTPStatus.CONFLICT,
        N_("The calibration run is not in the state this act needs"),
        N_("Run {number} is {state}; {needed} is needed."),
    ),
    calibration.SittingsUnsuitable: Problem(
        "sittings-unsuitable",
        HTTPStatus.UNPROCESSABLE_ENTITY,
        N_("These sittings cannot be calibrated"),
        N_("{place}: {reason}"),
    ),
    calibration.SampleTooSmall: Problem(
        "sample-too-small",
        HTTPStatus.UNPROCESSABLE_ENTITY,
        N_("Too few candidates for this model"),
        N_("There are {n_candidates} candidates; {family} needs at least {needed}. {advice}"),
    ),
    calibration.TooFewItems: Problem(
        "too-few-items",
        HTTPStatus.UNPROCESSABLE_ENTITY,
        N_("Too few items are left to calibrate"),
        N_("{n_items} of at least {needed}. {reasons}"),
    ),
    calibration.AnchorsUnusable: Problem(
        "anchors-unusable",
        HTTPStatus.UNPROCESSABLE_ENTITY,
        N_("These anchors cannot carry the scale"),
        N_("{items}: {reason}"),
    ),
    calibration.WorkerFailed: Problem(
        "calibration-worker-failed",
        HTTPStatus.UNPROCESSABLE_ENTITY,
        N_("The worker did not survive this run"),
        N_("It died {tries} times; look at its log and its memory before asking again."),
    ),
    calibration.RunNotConverged: Problem(
        "calibration-not-converged",
        HTTPStatus.CONFLICT,
        N_("The run did not converge; its parameters may not be accepted"),
        N_("Run {number}"),
    ),
    calibration.ItemNotInRun: Problem(
        "item-not-in-run", HTTPStatus.NOT_FOUND, N_("The run says nothing of this item"), N_("Run {number}: {item}")
    ),
    calibration.ItemNotAcceptable: Problem(
        "item-not-acceptable",
        HTTPStatus.CONFLICT,
        N_("This item's parameters cannot be accepted"),
        N_("{item}: {reason}"),
    ),
    calibration.DecisionWrong: Problem(
        "calibration-decision-wrong",
        HTTPStatus.CONFLICT,
        N_("This item was decided on otherwise already"),
        N_("{item} is {decision}; {needed} is needed."),
    ),
    calibration.HoldReasonMissing: Problem(
        "hold-reason-missing", HTTPStatus.UNPROCESSABLE_ENTITY, N_("Say why; the reason is kept")
    ),
}
