"""The record of one seat, moment by moment: what happened to it, what it reported, what people did. Pure."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import msgspec

from exam_engine.invigilation.incidents import Incident
from exam_engine.invigilation.model import severity_of

_SHOWN = ("seconds", "reason", "extra_seconds", "slot", "ms", "version", "lease", "device")
"""Details a person can read; the rest (whole facts, receipts) stays in the record."""


class SeatMoment(msgspec.Struct, frozen=True, kw_only=True):
    """One line of a seat's record."""

    at: datetime
    source: str  # server | seat | person
    kind: str
    severity: str = "log"
    client_at: datetime | None = None  # by the seat's own clock
    by: str = ""
    text: str = ""
    detail: Mapping[str, str | int | bool | None] = {}


def of_event(source: str, kind: str, at: datetime, client_at: datetime | None, detail: Mapping[str, Any]) -> SeatMoment:
    """Return the line of a stored event."""
    by = str(detail.get("by", ""))
    return SeatMoment(
        at=at,
        source="person" if by.startswith("person:") else source,
        kind=kind,
        severity=severity_of(kind).value,
        client_at=client_at,
        by=by,
        detail={name: detail[name] for name in _SHOWN if isinstance(detail.get(name), str | int | bool)},
    )


def of_notice(kind: str, text: str, extra_seconds: int, by: str, at: datetime) -> SeatMoment:
    """Return the line of a message or of extra time."""
    detail = {"extra_seconds": extra_seconds} if extra_seconds else {}
    return SeatMoment(at=at, source="person", kind=f"notice_{kind}", by=by, text=text, detail=detail)


def of_incident(incident: Incident) -> SeatMoment:
    """Return the line of an incident."""
    kind = "incident_withdrawn" if incident.withdrawn_at else "incident"
    return SeatMoment(
        at=incident.began_at,
        source="person",
        kind=kind,
        by=incident.reported_by,
        text=incident.text,
        detail={"number": incident.number, "incident": incident.kind.value},
    )


def in_order(*parts: Iterable[SeatMoment]) -> tuple[SeatMoment, ...]:
    """Merge lines, newest first."""
    return tuple(sorted((moment for part in parts for moment in part), key=lambda moment: moment.at, reverse=True))
