"""Problems of enrolment: what staff, and who shows a card, can be refused."""

from http import HTTPStatus

from api.problem_tables.problem import Problem, ProblemTable
from exam_engine.enrolment import errors as enrolment
from exam_engine.infra.i18n import N_

PROBLEMS: ProblemTable = {
    enrolment.ExamUnknown: Problem("exam-unknown", HTTPStatus.NOT_FOUND, N_("There is no such exam")),
    enrolment.ExamExists: Problem(
        "exam-exists", HTTPStatus.CONFLICT, N_("The code of the exam is taken"), N_("There is already an exam {code}.")
    ),
    enrolment.ExamInvalid: Problem(
        "exam-invalid", HTTPStatus.UNPROCESSABLE_ENTITY, N_("The exam makes no sense"), N_("{field}: {reason}")
    ),
    enrolment.SubjectUnknown: Problem("subject-unknown", HTTPStatus.NOT_FOUND, N_("The exam has no such subject")),
    enrolment.SubjectExists: Problem("subject-exists", HTTPStatus.CONFLICT, N_("The exam has this subject already")),
    enrolment.CandidateUnknown: Problem("candidate-unknown", HTTPStatus.NOT_FOUND, N_("There is no such candidate")),
    enrolment.CodeRefused: Problem(
        "code-refused",
        HTTPStatus.FORBIDDEN,
        N_("Number and code do not belong together"),
        N_("Please check exam, number and code on the card. After several failures you have to wait."),
    ),
    enrolment.CodeExpired: Problem(
        "code-expired",
        HTTPStatus.FORBIDDEN,
        N_("This code is no longer valid"),
        N_("The codes of this exam were valid until {valid_until}. Please ask the exam council."),
    ),
    enrolment.PrefixUnknown: Problem(
        "prefix-unknown",
        HTTPStatus.UNPROCESSABLE_ENTITY,
        N_("No province has these two digits"),
        N_("{prefix} is nobody’s prefix in {year}."),
    ),
    enrolment.NumberingRefused: Problem(
        "numbering-refused", HTTPStatus.CONFLICT, N_("Numbers cannot be given now"), N_("{reason}")
    ),
    enrolment.TimeFactorInvalid: Problem(
        "time-factor-invalid",
        HTTPStatus.UNPROCESSABLE_ENTITY,
        N_("This is no time factor"),
        N_("“{value}” is no time factor from 1 to 3 like 1.25"),
    ),
    enrolment.ExtraMinutesInvalid: Problem(
        "extra-minutes-invalid",
        HTTPStatus.UNPROCESSABLE_ENTITY,
        N_("These are no extra minutes"),
        N_("“{value}” is no number of minutes from 0 to {most}"),
    ),
    enrolment.AccommodationEmpty: Problem(
        "accommodation-empty",
        HTTPStatus.UNPROCESSABLE_ENTITY,
        N_("The accommodation grants nothing"),
        N_("Give a factor above 1, minutes, or say in a note what is arranged."),
    ),
    enrolment.AccommodationUnknown: Problem(
        "accommodation-unknown", HTTPStatus.NOT_FOUND, N_("There is no such accommodation (any more)")
    ),
    enrolment.NotRegistered: Problem(
        "not-registered",
        HTTPStatus.CONFLICT,
        N_("The candidate does not sit this subject"),
        N_("candidate {candidate} is not registered for {subject}"),
    ),
    enrolment.SeatingRefused: Problem(
        "seating-refused", HTTPStatus.CONFLICT, N_("Seats cannot be given as asked"), N_("{reason}")
    ),
}
