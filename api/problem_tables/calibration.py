"""Problems of the calibration of items."""

from http import HTTPStatus

from api.problem_tables.problem import Problem, ProblemTable
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
}
