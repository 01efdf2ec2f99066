"""Settings: every environment variable of the product, read once and handed down.

An unknown `EXAM_…` variable stops the start, because a typing error must not silently fall back to a default.
"""

import difflib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec

from exam_engine.infra.errors import SettingsInvalid

PREFIX = "EXAM_"


class Secret(msgspec.Struct, frozen=True):
    """A value that prints as stars; `reveal` is the only way to it."""

    _value: str

    def reveal(self) -> str:
        """Return the secret itself."""
        return self._value

    def __repr__(self) -> str:
        return "Secret('***')"

    __str__ = __repr__


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """All settings. Defaults suit one laptop with embedded servers."""

    data_folder: Path = Path("var")  # embedded servers, logs, keys
    database_url: Secret | None = None  # postgresql://… ; none: the embedded PostgreSQL
    redis_url: Secret | None = None  # redis://… or unix://… ; none: the embedded Valkey
    redis_cluster: bool = False  # the address is of a cluster: redis://host:port,host:port
    redis_replicas_to_wait: Annotated[int, msgspec.Meta(ge=0, le=5)] = 0  # that hold a write before it is acknowledged
    stream_kept_seconds: Annotated[int, msgspec.Meta(ge=0, le=3600)] = 0  # stored answers stay so long for a replay
    database_pooler: bool = False  # True behind a transaction-mode pooler: no prepared statements
    secret_key: Secret | None = None  # signs tokens and codes; none: made once and kept in the data folder
    http_host: str = "127.0.0.1"
    http_port: Annotated[int, msgspec.Meta(ge=1, le=65535)] = 8000
    public_url: str = ""  # how browsers reach us; empty: http://host:port
    trusted_proxies: Annotated[int, msgspec.Meta(ge=0, le=8)] = 0  # reverse proxies in front, for the client's address
    api_workers: Annotated[int, msgspec.Meta(ge=1, le=64)] = 2
    default_language: Literal["vi", "en"] = "vi"
    time_zone: str = "Asia/Ho_Chi_Minh"
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_format: Literal["text", "json"] = "text"
    secure_cookies: bool = False  # True behind HTTPS

    @property
    def base_url(self) -> str:
        """The address browsers use, without a slash at the end."""
        return (self.public_url or f"http://{self.http_host}:{self.http_port}").rstrip("/")


def load_settings(environ: Mapping[str, str]) -> Settings:
    """Read the settings from an environment.

    Raises
    ------
    SettingsInvalid
        Lists every unknown or malformed variable at once, with the nearest known name.
    """
    fields = {PREFIX + name.upper(): name for name in Settings.__struct_fields__}
    problems: list[str] = []
    values: dict[str, Any] = {}
    for variable, text in environ.items():
        if not variable.startswith(PREFIX):
            continue
        name = fields.get(variable)
        if name is None:
            near = difflib.get_close_matches(variable, fields, n=1)
            hint = f", did you mean {near[0]}?" if near else ""
            problems.append(f"unknown setting {variable}{hint}")
            continue
        if text == "":
            continue
        values[name] = _SPECIAL.get(name, _as_is)(text)
    try:
        settings = msgspec.convert(values, Settings, strict=False, dec_hook=_decode)
    except msgspec.ValidationError as error:
        problems.append(_explain(error))
    if problems:
        raise SettingsInvalid(problems)
    return settings


def environment_of(settings: Settings) -> dict[str, str]:
    """Return the variables that make a child process read these same settings."""
    environ: dict[str, str] = {}
    for name in Settings.__struct_fields__:
        value = getattr(settings, name)
        if value is None:
            continue
        if isinstance(value, Secret):
            value = value.reveal()
        environ[PREFIX + name.upper()] = str(value).lower() if isinstance(value, bool) else str(value)
    return environ


def _as_is(text: str) -> Any:
    return text


_SPECIAL: Mapping[str, Callable[[str], Any]] = {
    "database_url": Secret,
    "redis_url": Secret,
    "secret_key": Secret,
    "data_folder": Path,
}


def _decode(kind: type, value: Any) -> Any:
    if not isinstance(value, kind):
        raise TypeError(f"{kind.__name__} is expected")
    return value


def _explain(error: msgspec.ValidationError) -> str:
    reason, _, path = str(error).partition(" - at `$.")
    return f"{PREFIX}{path.rstrip('`').upper()}: {reason}" if path else reason
