"""One seat: the photo and name check, having looked at what it reported, its record moment by moment."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from exam_engine.audit import service as audit
from exam_engine.delivery.model import AttemptId, SittingId
from exam_engine.delivery.rolls import Roll
from exam_engine.delivery.store import Seat
from exam_engine.invigilation import store, timeline
from exam_engine.invigilation.errors import PhotoMissing, SeatElsewhere
from exam_engine.invigilation.timeline import SeatMoment


class Identity(StrEnum):
    """What the name check came to; `cleared` takes an earlier verdict back."""

    MATCHES = "matches"
    DOUBTFUL = "doubtful"
    CLEARED = "cleared"


class IdentityCheck(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Photo, name and paper compared with who sits there."""

    identity: Identity
    note: Annotated[str, msgspec.Meta(max_length=500)] = ""


def require_seat(roll: Roll, attempt_id: UUID, room_id: UUID | None = None) -> Seat:
    """Return the seat of an attempt of this sitting, and of this room where one is named.

    Raises
    ------
    SeatElsewhere
    """
    seat = roll.seats.get(AttemptId(attempt_id))
    if seat is None or (room_id is not None and seat.room_id != room_id):
        raise SeatElsewhere(attempt_id)
    return seat


async def check_identity(
    session: AsyncSession, seat: Seat, check: IdentityCheck, *, sitting_id: SittingId, actor: str, now: datetime
) -> None:
    """Note whether the person matches photo and name; it lets nobody in and keeps nobody out by itself."""
    is_cleared = check.identity is Identity.CLEARED
    await store.save_check(
        session,
        seat.attempt_id,
        identity=None if is_cleared else check.identity.value,
        identity_note=check.note.replace("\x00", "").strip(),
        identity_by=actor,
        identity_at=now,
    )
    facts = {"attempt_id": seat.attempt_id, "identity": check.identity.value, "room_id": seat.room_id}
    await audit.append(
        session, actor=actor, action="seat.identity", subject=f"sitting:{sitting_id}", facts=facts, now=now
    )


async def mark_reviewed(session: AsyncSession, seat: Seat, *, sitting_id: SittingId, actor: str, now: datetime) -> None:
    """Note that somebody looked at what the seat had reported until now: it no longer asks for help."""
    await store.save_check(session, seat.attempt_id, reviewed_by=actor, reviewed_at=now)
    facts = {"attempt_id": seat.attempt_id, "room_id": seat.room_id}
    await audit.append(
        session, actor=actor, action="seat.review", subject=f"sitting:{sitting_id}", facts=facts, now=now
    )


async def load_photo(session: AsyncSession, seat: Seat) -> tuple[str, bytes]:
    """Return hash and JPEG of the candidate's photo.

    Raises
    ------
    PhotoMissing
    """
    found = await store.find_photo(session, seat.attempt_id)
    if found is None:
        raise PhotoMissing(seat.attempt_id)
    return found


async def load_timeline(session: AsyncSession, seat: Seat, sitting_id: SittingId) -> tuple[SeatMoment, ...]:
    """Return everything that happened at a seat, newest first."""
    incidents = await store.load_incidents(session, sitting_id, attempt_id=seat.attempt_id)
    return timeline.in_order(
        await store.load_moments(session, seat.attempt_id),
        await store.load_notices(session, sitting_id, seat.attempt_id),
        map(timeline.of_incident, incidents),
    )
