"""Jinja as our pages use it: the reader's language, numbers and dates as people write them, hashed assets."""

import json
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from functools import cache, partial
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from litestar import Request
from litestar.datastructures import Cookie
from litestar.plugins.jinja import JinjaTemplateEngine
from litestar.response import Template
from litestar.template.config import TemplateConfig

from api.language import COOKIE as LANGUAGE_COOKIE
from api.language import language_of
from exam_engine.infra import i18n
from exam_engine.infra.settings import Settings

TEMPLATES = Path(__file__).parent / "templates"
THEMES = ("light", "dark", "contrast")
COOKIE_SECONDS = 365 * 86_400
DIST = Path(__file__).resolve().parents[2] / "proctor_client" / "dist"


def template_config(settings: Settings) -> TemplateConfig[JinjaTemplateEngine]:
    """Return the template set-up: undefined names are errors, everything is escaped."""
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.do"],
    )
    environment.globals["asset_url"] = asset_url
    environment.globals["asset_styles"] = asset_styles
    environment.globals["base_url"] = settings.base_url
    environment.globals["time_zone"] = settings.time_zone
    return TemplateConfig(instance=JinjaTemplateEngine.from_environment(environment))


def page(request: Request[Any, Any, Any], template_name: str, *, status_code: int = 200, **context: Any) -> Template:
    """Render a page in the reader's language.

    Templates find `_` (translate), `lang`, `path`, `query`, `alternate(name=value)` (this address, changed) and the
    formats `score`, `number`, `decimal`, `day`, `moment`, `clock`. A language asked for in the address is remembered.
    """
    language = language_of(request)
    zone = _zone(request)
    chosen = request.query_params.get(LANGUAGE_COOKIE) == language
    return Template(
        template_name,
        status_code=status_code,
        cookies=[_language_cookie(language)] if chosen else None,
        context={
            "_": i18n.translator(language),
            "lang": language,
            "languages": i18n.LANGUAGES,
            "path": request.url.path,
            "query": dict(request.query_params),
            "score": partial(_score, language),
            "number": partial(_number, language),
            "decimal": partial(_decimal, language),
            "day": partial(_day, language),
            "moment": partial(_moment, language, zone),
            "clock": partial(_clock, zone),
            "theme": _theme(request),
            "alternate": partial(_alternate, request),
            **context,
        },
    )


def _language_cookie(language: str) -> Cookie:
    return Cookie(key=LANGUAGE_COOKIE, value=language, max_age=COOKIE_SECONDS, samesite="lax")


def asset_url(entry: str) -> str:
    """Return the address of a built entry ("src/console/site.ts") by the front end's manifest."""
    return "/static/" + str(_manifest().get(entry, {}).get("file", entry))


def asset_styles(entry: str) -> list[str]:
    """Return the addresses of the style sheets an entry brings."""
    return ["/static/" + name for name in _manifest().get(entry, {}).get("css", [])]


@cache
def _manifest() -> Mapping[str, dict[str, Any]]:
    path = DIST / ".vite" / "manifest.json"
    manifest: dict[str, dict[str, Any]] = json.loads(path.read_text()) if path.exists() else {}
    return manifest


def _theme(request: Request[Any, Any, Any]) -> str:
    theme = request.cookies.get("theme", "")
    return theme if theme in THEMES else ""


def _alternate(request: Request[Any, Any, Any], **changes: str) -> str:
    """Return this page's address with some query values changed; an empty value leaves the name out."""
    query = {**dict(request.query_params), **changes}
    text = urlencode({name: value for name, value in query.items() if value != ""})
    return f"{request.url.path}?{text}" if text else request.url.path


def _zone(request: Request[Any, Any, Any]) -> str:
    engine = getattr(request.app.state, "engine", None)
    return engine.settings.time_zone if engine is not None else "Asia/Ho_Chi_Minh"


def _score(language: str, hundredths: int | None) -> str:
    return i18n.format_hundredths(hundredths, language)


def _number(language: str, value: int) -> str:
    return i18n.format_integer(value, language)


def _decimal(language: str, value: Decimal | float) -> str:
    return i18n.format_decimal(value, language)


def _day(language: str, value: date | None) -> str:
    return i18n.format_date(value, language)


def _moment(language: str, zone: str, value: datetime | None) -> str:
    return i18n.format_datetime(value, language, zone)


def _clock(zone: str, value: datetime | None, *, seconds: bool = False) -> str:
    return i18n.format_time(value, zone, seconds=seconds)
