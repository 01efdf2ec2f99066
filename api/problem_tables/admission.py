"""Problems of admission: what staff, and applicants who look a decision up, can be refused."""

from http import HTTPStatus

from api.problem_tables.problem import Problem, ProblemTable
from exam_engine.admission import errors as admission
from exam_engine.admission.allocation import errors as allocation
from exam_engine.infra.i18n import N_

PROBLEMS: ProblemTable = {
    admission.IntakeRulesUnknown: Problem(
        "intake-rules-unknown",
        HTTPStatus.UNPROCESSABLE_ENTITY,
        N_("There are no such intake rules"),
        N_("Known: {known}."),
    ),
    admission.IntakeRulesNotInForce: Problem(
        "intake-rules-not-in-force",
        HTTPStatus.CONFLICT,
        N_("The intake rules hold for other years"),
        N_("{name} is not in force in {year}."),
    ),
    admission.NothingToAllocate: Problem(
        "nothing-to-allocate",
        HTTPStatus.CONFLICT,
        N_("There is nothing to allocate yet"),
        N_("Programmes and aspirations must be imported first."),
    ),
    admission.RecordsUnreadable: Problem(
        "applicant-records-unreadable",
        HTTPStatus.CONFLICT,
        N_("Records of applicants cannot be read"),
        N_("Nobody was allocated. The places are listed below."),
    ),
    admission.RunUnknown: Problem(
        "allocation-run-unknown", HTTPStatus.NOT_FOUND, N_("There is no such allocation run")
    ),
    admission.RunStateWrong: Problem(
        "allocation-run-state",
        HTTPStatus.CONFLICT,
        N_("The run is not in the state this needs"),
        N_("Run {number} is {state}."),
    ),
    admission.FourEyesNeeded: Problem(
        "admission-four-eyes",
        HTTPStatus.FORBIDDEN,
        N_("Somebody else must release this"),
        N_("Who computed a run does not release it."),
    ),
    admission.DecisionsNotReleased: Problem(
        "decisions-not-released", HTTPStatus.CONFLICT, N_("The decisions are not public yet")
    ),
    admission.NoAspirations: Problem(
        "no-aspirations", HTTPStatus.NOT_FOUND, N_("There are no aspirations under this number")
    ),
    allocation.InstanceInvalid: Problem(
        "allocation-inputs-invalid",
        HTTPStatus.CONFLICT,
        N_("The inputs of the allocation contradict themselves"),
        N_("Nothing was computed. The problems are listed below."),
    ),
}
