"""Incidents as invigilators report them: kinds, the seats they are about, withdrawal. Pure.

An incident is a record, not a verdict: what follows from it (malpractice, extra time) is an act of its own.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated
from uuid import UUID

import msgspec

from exam_engine.delivery.model import AttemptId, SittingId
from exam_engine.infra.i18n import N_
from exam_engine.invigilation.errors import IncidentInvalid
from item_bank.messages import message

MAXIMUM_TEXT = 4000
EARLIEST = timedelta(days=2)  # before the report; an incident of another week is a typing error


class IncidentKind(StrEnum):
    """What it was, in the words of the room's minutes."""

    MACHINE = "machine"
    NETWORK = "network"
    POWER = "power"
    HEALTH = "health"
    PAPER = "paper"
    DISTURBANCE = "disturbance"
    FORBIDDEN_OBJECT = "forbidden_object"
    COPYING = "copying"
    IMPERSONATION = "impersonation"
    OTHER = "other"


TITLES: Mapping[IncidentKind, str] = {
    IncidentKind.MACHINE: N_("Machine fault"),
    IncidentKind.NETWORK: N_("Network down"),
    IncidentKind.POWER: N_("Power cut"),
    IncidentKind.HEALTH: N_("Health of a candidate"),
    IncidentKind.PAPER: N_("Something wrong in the paper"),
    IncidentKind.DISTURBANCE: N_("Disturbance in the room"),
    IncidentKind.FORBIDDEN_OBJECT: N_("Forbidden object brought in"),
    IncidentKind.COPYING: N_("Copying or prompting"),
    IncidentKind.IMPERSONATION: N_("Sitting for somebody else"),
    IncidentKind.OTHER: N_("Other"),
}


class IncidentReport(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The incident form; the same `request` is never stored twice."""

    request: Annotated[str, msgspec.Meta(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9_.:-]+$")]
    kind: IncidentKind
    text: Annotated[str, msgspec.Meta(min_length=1, max_length=MAXIMUM_TEXT)]
    began_at: Annotated[datetime, msgspec.Meta(tz=True)]
    ended_at: Annotated[datetime, msgspec.Meta(tz=True)] | None = None
    room_id: UUID | None = None
    attempts: Annotated[tuple[AttemptId, ...], msgspec.Meta(max_length=500)] = ()


class IncidentSeat(msgspec.Struct, frozen=True):
    """A seat an incident is about."""

    attempt_id: AttemptId
    number: str
    name: str
    seat: int | None


class Incident(msgspec.Struct, frozen=True, kw_only=True):
    """A stored incident; `number` counts within its sitting."""

    id: UUID
    sitting_id: SittingId
    room_id: UUID | None
    room: str | None
    number: int
    kind: IncidentKind
    text: str
    began_at: datetime
    ended_at: datetime | None
    reported_by: str
    reported_at: datetime
    seats: tuple[IncidentSeat, ...] = ()
    withdrawn_by: str | None = None
    withdrawn_at: datetime | None = None
    withdrawn_reason: str = ""


def require_valid(report: IncidentReport, now: datetime) -> str:
    """Check a report against the clock and return its text, trimmed.

    Raises
    ------
    IncidentInvalid
        No text; it ends before it began; it lies in the future or days back.
    """
    text = report.text.replace("\x00", "").strip()
    if not text:
        raise IncidentInvalid("text", message("say what happened"))
    if not now - EARLIEST <= report.began_at <= now + timedelta(minutes=5):
        raise IncidentInvalid("began_at", message("the time lies in the future or more than two days back"))
    if report.ended_at is not None and report.ended_at < report.began_at:
        raise IncidentInvalid("ended_at", message("it ends before it began"))
    if len(set(report.attempts)) != len(report.attempts):
        raise IncidentInvalid("attempts", message("a seat is named twice"))
    return text
