"""What a check found: how bad, where, and in words."""

from collections.abc import Iterable
from enum import StrEnum

import msgspec

from item_bank.messages import Message


class Severity(StrEnum):
    """What a finding means for the day."""

    BLOCKER = "blocker"  # the day must not begin so
    WARNING = "warning"  # somebody should look
    NOTE = "note"


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that was found."""

    severity: Severity
    code: str  # stable, for programs: "rooms-overlap"
    place: str  # code of a sitting, a room, a server
    message: Message


class DayCheck(msgspec.Struct, frozen=True, kw_only=True):
    """All that was found, the worst first."""

    sittings: tuple[str, ...]
    looked_at: tuple[str, ...]  # what was asked and is well unless a finding says otherwise
    findings: tuple[Finding, ...]

    @property
    def is_blocked(self) -> bool:
        """Whether the day must not begin so."""
        return any(finding.severity is Severity.BLOCKER for finding in self.findings)


def blocker(code: str, place: str, text: Message) -> Finding:
    """Report what must not stay so."""
    return Finding(severity=Severity.BLOCKER, code=code, place=place, message=text)


def warning(code: str, place: str, text: Message) -> Finding:
    """Report what somebody should look at."""
    return Finding(severity=Severity.WARNING, code=code, place=place, message=text)


def note(code: str, place: str, text: Message) -> Finding:
    """Report what may be meant so."""
    return Finding(severity=Severity.NOTE, code=code, place=place, message=text)


def worst_first(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Return findings by severity, then by place."""
    order = list(Severity)
    return tuple(sorted(findings, key=lambda one: (order.index(one.severity), one.place, one.code)))
