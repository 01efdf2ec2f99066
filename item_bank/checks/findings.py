"""What a check found: how grave, which rule, where, and a sentence. Import, submission and `item check` share it."""

from collections.abc import Iterable
from enum import StrEnum

import msgspec

from item_bank.messages import Fact, Message, Translate


class Severity(StrEnum):
    """An error refuses; a warning is for the author to judge."""

    ERROR = "error"
    WARNING = "warning"


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """Where something stands; what is not known is left empty. Rows and lines count from 1."""

    file: str = ""
    row: int = 0  # of a spreadsheet
    line: int = 0  # of a text file
    character: int = 0  # in that line
    item: str = ""  # code
    field: str = ""  # "stem", "option_b", "key", …: the columns of the template

    def described(self, translate: Translate | None = None) -> str:
        """Say the place in words: `row 17, column key`."""
        translate = translate or _english
        parts = [self.file] if self.file else []
        if self.row:
            parts.append(translate("row {row}", row=self.row))
        if self.line:
            parts.append(translate("line {line}", line=self.line))
        if self.character:
            parts.append(translate("character {character}", character=self.character))
        if self.item:
            parts.append(translate("item {code}", code=self.item))
        if self.field:
            parts.append(translate("column {column}", column=self.field))
        return ", ".join(parts)


class Finding(msgspec.Struct, frozen=True):
    """One thing an author should know."""

    severity: Severity
    code: str  # stable, for programs: "key-missing"
    place: Place
    message: Message

    @property
    def is_error(self) -> bool:
        """Whether this refuses an import or a submission."""
        return self.severity is Severity.ERROR


def error(code: str, place: Place, reason: Message) -> Finding:
    """Build an error."""
    return Finding(Severity.ERROR, code, place, reason)


def warning(code: str, place: Place, reason: Message) -> Finding:
    """Build a warning."""
    return Finding(Severity.WARNING, code, place, reason)


def errors_of(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Return the errors alone."""
    return tuple(finding for finding in findings if finding.is_error)


def at(place: Place, **changes: str | int) -> Place:
    """Return a place with some facts more."""
    return msgspec.structs.replace(place, **changes)


def _english(message_id: str, **facts: Fact) -> str:
    return message_id.format(**facts)
