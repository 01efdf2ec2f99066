"""Refusals of the ground floor.

EngineError
├── SettingsInvalid         an environment variable is unknown, missing or malformed
├── ServiceUnavailable      PostgreSQL or Redis cannot be reached just now
│   └── Busy                our own queue to that server is full
├── RedisNotDurable         the Redis given would lose acknowledged answers
├── EmbeddedServerError     an embedded server cannot be started (see infra.embedded)
└── FileRefused             a file from outside cannot be read: place and reason
"""

from collections.abc import Sequence

import msgspec


class EngineError(Exception):
    """Base of every refusal of the engine; leaves carry the facts that explain it."""


class SettingsInvalid(EngineError):
    """The environment does not make sense; nothing was started."""

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(self.problems))


class ServiceUnavailable(EngineError):
    """A server we depend on does not answer."""

    def __init__(self, service: str, reason: str) -> None:
        self.service = service
        self.reason = reason
        super().__init__(f"{service} is unavailable: {reason}")


class Busy(ServiceUnavailable):
    """More waits for a server than we are willing to hold; nothing was accepted, ask again in a moment."""


class RedisNotDurable(EngineError):
    """The Redis server's configuration could lose an acknowledged answer."""

    def __init__(self, findings: Sequence[str]) -> None:
        self.findings = tuple(findings)
        super().__init__("this Redis would lose answers: " + "; ".join(self.findings))


class EmbeddedServerError(EngineError):
    """An embedded server could not be prepared or started; the text says what to do."""


class RowError(msgspec.Struct, frozen=True):
    """One thing wrong in one place of a file; in English, and with what is needed to say it in another language."""

    place: str  # "row 17, column year10"
    reason: str
    row: int | None = None
    column: str | None = None
    message: str = ""  # the reason as a message id with its fields still open
    facts: dict[str, str | int] = {}


class FileRefused(EngineError):
    """A file was read to its end, found wrong, and nothing of it was kept."""

    def __init__(self, file_name: str, errors: Sequence[RowError]) -> None:
        self.file_name = file_name
        self.errors = tuple(errors)
        head = "; ".join(f"{e.place}: {e.reason}" for e in self.errors[:5])
        more = f" (and {len(self.errors) - 5} more)" if len(self.errors) > 5 else ""
        super().__init__(f"{file_name}: {head}{more}")
