"""Pages of staff: the shell with navigation, a toast carried over a redirect, refused forms shown again."""

from typing import Any

import msgspec
from litestar import Request
from litestar.response import Redirect, Template

from api.language import language_of
from api.pages.navigation import navigation_for
from api.pages.templating import page
from api.problems import describe, problem_of
from api.refusal_log import note_refusal
from exam_engine.identity.model import Person
from exam_engine.infra.i18n import translator

_TOASTS = "toasts"


class Toast(msgspec.Struct, frozen=True):
    """A short word that something was done."""

    text: str
    kind: str = "good"


def staff_page(
    request: Request[Any, Any, Any], person: Person, template_name: str, *, status_code: int = 200, **context: Any
) -> Template:
    """Render a page inside the staff shell; toasts put by the act before are shown once."""
    waiting = request.session.pop(_TOASTS, [])
    return page(
        request,
        template_name,
        status_code=status_code,
        person=person,
        navigation=navigation_for(person),
        toasts=[Toast(**toast) for toast in waiting],
        **context,
    )


def done(request: Request[Any, Any, Any], href: str, message_id: str, **facts: object) -> Redirect:
    """Answer a form that succeeded: go on to a page, which says what was done."""
    say(request, message_id, **facts)
    return Redirect(href, status_code=303)


def say(request: Request[Any, Any, Any], message_id: str, **facts: object) -> None:
    """Let the next page say that something was done."""
    text = translator(language_of(request))(message_id, **facts)
    request.session[_TOASTS] = [*request.session.get(_TOASTS, []), {"text": text, "kind": "good"}]


def refusal(request: Request[Any, Any, Any], error: Exception) -> tuple[int, dict[str, Any]]:
    """Return status and problem of a refused form, so that its page can be shown again with what was typed."""
    problem = problem_of(error)
    note_refusal(request, problem.code)
    return int(problem.status), describe(error, language_of(request))
