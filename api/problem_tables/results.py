"""Problems of scoring, marking and results: what staff, markers and people who look a result up can be refused."""

from http import HTTPStatus

from api.problem_tables.problem import Problem, ProblemTable
from exam_engine.infra.i18n import N_
from exam_engine.marking import errors as marking
from exam_engine.results import errors as results
from scoring import errors as scoring

_AT_ITS_PLACE = N_("{place}: {reason}")

PROBLEMS: ProblemTable = {
    scoring.ResponseInvalid: Problem(
        "response-not-scorable",
        HTTPStatus.UNPROCESSABLE_ENTITY,
        N_("The response does not fit the key"),
        _AT_ITS_PLACE,
    ),
    scoring.KeyInvalid: Problem(
        "key-invalid", HTTPStatus.UNPROCESSABLE_ENTITY, N_("The key contradicts itself"), _AT_ITS_PLACE
    ),
    scoring.MarkInvalid: Problem(
        "mark-invalid", HTTPStatus.UNPROCESSABLE_ENTITY, N_("The mark does not fit the rubric"), _AT_ITS_PLACE
    ),
    scoring.MarkMissing: Problem("mark-missing", HTTPStatus.CONFLICT, N_("A mark is missing")),
    scoring.PaperFormatUnknown: Problem(
        "paper-format-unknown",
        HTTPStatus.UNPROCESSABLE_ENTITY,
        N_("There is no such paper format"),
        N_("These exist: {known}."),
    ),
    scoring.RuleSetUnknown: Problem(
        "rule-set-unknown",
        HTTPStatus.UNPROCESSABLE_ENTITY,
        N_("There is no such rule set"),
        N_("These exist: {known}."),
    ),
    scoring.RuleSetInvalid: Problem(
        "rule-set-invalid", HTTPStatus.UNPROCESSABLE_ENTITY, N_("The rule set cannot be read")
    ),
    scoring.RuleSetNotValid: Problem(
        "rule-set-not-valid",
        HTTPStatus.CONFLICT,
        N_("The rule set holds for other years"),
        N_("{name} holds from {first_year} on and not for {year}."),
    ),
    scoring.RecordInvalid: Problem("record-invalid", HTTPStatus.UNPROCESSABLE_ENTITY, N_("The record cannot be read")),
    marking.TaskUnknown: Problem("task-unknown", HTTPStatus.NOT_FOUND, N_("There is no such marking task")),
    marking.TaskTaken: Problem(
        "task-taken",
        HTTPStatus.CONFLICT,
        N_("Somebody else is marking this text"),
        N_("Please take the next one."),
    ),
    results.AnswersUnderWay: Problem(
        "answers-under-way",
        HTTPStatus.CONFLICT,
        N_("The answers are not all stored yet"),
        N_(
            "Some answers of sitting {code} are still on their way to the database ({waiting}). "
            "Please wait a moment and try again."
        ),
    ),
    results.ResponsesUnscorable: Problem(
        "responses-unscorable",
        HTTPStatus.CONFLICT,
        N_("Some responses cannot be scored"),
        N_("Nobody was scored. The places are listed below."),
    ),
    results.MarksOutstanding: Problem(
        "marks-outstanding",
        HTTPStatus.CONFLICT,
        N_("Essays are still to be marked"),
        N_("{count} essays of sitting {code} have no mark yet."),
    ),
    results.IrtRunUnknown: Problem(
        "irt-run-unknown",
        HTTPStatus.NOT_FOUND,
        N_("There is no such run of scores by item response theory"),
        N_("Run {run}"),
    ),
    results.ParametersMissing: Problem(
        "parameters-missing",
        HTTPStatus.CONFLICT,
        N_("Items have no accepted parameters"),
        N_("{code}: {count} scored items without, {n_known} with. Calibrate and accept them first: {items}"),
    ),
    results.ScoreRunUnknown: Problem("score-run-unknown", HTTPStatus.NOT_FOUND, N_("There is no such score run")),
    results.SubjectNotScored: Problem(
        "subject-not-scored",
        HTTPStatus.CONFLICT,
        N_("Subjects are not scored yet"),
        N_("Not scored yet: {subjects}."),
    ),
    results.RuleSetMissing: Problem(
        "rule-set-missing",
        HTTPStatus.CONFLICT,
        N_("The exam names no rules"),
        N_("Say by which rule set the graduation score of {exam} is computed."),
    ),
    results.RecordsInvalid: Problem(
        "records-invalid",
        HTTPStatus.CONFLICT,
        N_("Some records cannot be read"),
        N_("Nobody was computed. The places are listed below."),
    ),
    results.GraduationRunUnknown: Problem(
        "graduation-run-unknown", HTTPStatus.NOT_FOUND, N_("There is no such graduation run")
    ),
    results.ReleaseUnknown: Problem("release-unknown", HTTPStatus.NOT_FOUND, N_("There is no such release")),
    results.ReleaseMomentMissing: Problem(
        "release-moment-missing",
        HTTPStatus.UNPROCESSABLE_ENTITY,
        N_("The moment is missing"),
        N_("Say when the results of {exam} become public."),
    ),
    results.ReleaseStateWrong: Problem(
        "release-state-wrong",
        HTTPStatus.CONFLICT,
        N_("The release is not in the right state"),
        N_("It is {state}; this needs {needed}."),
    ),
    results.FourEyesNeeded: Problem(
        "four-eyes-needed",
        HTTPStatus.FORBIDDEN,
        N_("A second person is needed"),
        N_("Who prepared a release may not approve it."),
    ),
    results.NothingToRelease: Problem(
        "nothing-to-release",
        HTTPStatus.CONFLICT,
        N_("There is nothing to publish"),
        N_("The exam has neither scores nor marks."),
    ),
    results.ResultsNotReleased: Problem(
        "results-not-released",
        HTTPStatus.NOT_FOUND,
        N_("The results are not public yet"),
        N_("Please come back at the announced moment."),
    ),
    results.AdjustmentInvalid: Problem(
        "adjustment-invalid",
        HTTPStatus.UNPROCESSABLE_ENTITY,
        N_("The decision cannot be recorded"),
        N_("{field}: {reason}"),
    ),
}
