"""The language of a request: the `lang` query, then the `lang` cookie, then `Accept-Language`, then Vietnamese."""

from typing import Any

from litestar import Request

from exam_engine.infra.i18n import DEFAULT_LANGUAGE, LANGUAGES, negotiate_language

COOKIE = "lang"


def language_of(request: Request[Any, Any, Any]) -> str:
    """Return the language code to answer in."""
    for wanted in (request.query_params.get(COOKIE), request.cookies.get(COOKIE)):
        if wanted in LANGUAGES:
            return str(wanted)
    # Browsers in Vietnam are often installed in English: only programs negotiate, people switch on the page.
    if request.url.path.startswith("/api/"):
        return negotiate_language(request.headers.get("accept-language", ""), DEFAULT_LANGUAGE)
    return DEFAULT_LANGUAGE
