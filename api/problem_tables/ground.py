"""Problems of the ground floor and of identity."""

from http import HTTPStatus

from api.problem_tables.problem import Problem, ProblemTable
from exam_engine.identity import errors as identity
from exam_engine.infra import errors as infra
from exam_engine.infra.i18n import N_
from exam_engine.infra.pdf.fonts import FontsMissing

PROBLEMS: ProblemTable = {
    infra.ServiceUnavailable: Problem(
        "service-unavailable",
        HTTPStatus.SERVICE_UNAVAILABLE,
        N_("The server is busy for a moment"),
        N_("Please try again in a moment. An exam page keeps what was typed and sends it again by itself."),
        retry_after_seconds=2,
    ),
    infra.Busy: Problem(
        "busy",
        HTTPStatus.SERVICE_UNAVAILABLE,
        N_("The server is busy for a moment"),
        N_("Please try again in a moment. An exam page keeps what was typed and sends it again by itself."),
        retry_after_seconds=1,
    ),
    infra.FileRefused: Problem(
        "file-refused",
        HTTPStatus.UNPROCESSABLE_ENTITY,
        N_("The file was not accepted"),
        N_("Nothing was imported from {file_name}. Mend the places listed and send it again."),
    ),
    infra.SettingsInvalid: Problem(
        "settings-invalid", HTTPStatus.INTERNAL_SERVER_ERROR, N_("The server is not set up rightly")
    ),
    infra.RedisNotDurable: Problem(
        "redis-not-durable", HTTPStatus.SERVICE_UNAVAILABLE, N_("The server is not set up rightly")
    ),
    infra.EmbeddedServerError: Problem(
        "embedded-server", HTTPStatus.SERVICE_UNAVAILABLE, N_("The server is not set up rightly")
    ),
    FontsMissing: Problem(
        "fonts-missing",
        HTTPStatus.SERVICE_UNAVAILABLE,
        N_("The fonts for printing are not installed"),
        N_("The administrator runs `make build` once."),
    ),
    identity.PermissionDenied: Problem(
        "not-allowed",
        HTTPStatus.FORBIDDEN,
        N_("You may not do this"),
        N_("This needs the permission “{permission}” on the unit concerned."),
    ),
    identity.SignInRefused: Problem(
        "sign-in-refused",
        HTTPStatus.UNAUTHORIZED,
        N_("The sign-in was refused"),
        N_("The user name or the password is wrong."),
    ),
    identity.SignInLocked: Problem(
        "sign-in-locked",
        HTTPStatus.TOO_MANY_REQUESTS,
        N_("Too many failed tries"),
        N_("Please try again in {retry_after_seconds} seconds."),
    ),
    identity.PasswordWeak: Problem(
        "password-weak",
        HTTPStatus.UNPROCESSABLE_ENTITY,
        N_("The password is too easily guessed"),
        N_("It needs at least {minimum_characters} characters, and not a common word or the user name."),
    ),
    identity.PersonUnknown: Problem(
        "person-unknown", HTTPStatus.NOT_FOUND, N_("There is no such person"), N_("Nobody is known as {person}.")
    ),
    identity.PersonExists: Problem(
        "person-exists",
        HTTPStatus.CONFLICT,
        N_("The user name is taken"),
        N_("There is already somebody with the user name {user_name}."),
    ),
    identity.UserNameInvalid: Problem(
        "user-name-invalid",
        HTTPStatus.UNPROCESSABLE_ENTITY,
        N_("This cannot be a user name"),
        N_("A user name has 2 to 64 of a-z, 0-9 and . _ @ + -, a letter or digit first; “{user_name}” has not."),
    ),
    identity.UnitUnknown: Problem(
        "unit-unknown", HTTPStatus.NOT_FOUND, N_("There is no such unit"), N_("No unit has the code {unit}.")
    ),
    identity.UnitsCircular: Problem(
        "units-circular",
        HTTPStatus.UNPROCESSABLE_ENTITY,
        N_("The units stand in a circle"),
        N_("None can stand above itself: {codes}."),
    ),
    identity.GrantUnknown: Problem(
        "grant-unknown", HTTPStatus.NOT_FOUND, N_("There is no such grant, or it has already ended")
    ),
}
