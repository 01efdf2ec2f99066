"""A sitting as planned, its settings, and what follows from the plan alone: shards and paper codes."""

import zlib
from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated, NewType
from uuid import UUID

import msgspec

from exam_engine.assembly.model import FormId, PaperCodeId
from exam_engine.delivery.errors import SittingPlanInvalid
from item_bank.messages import message

SittingId = NewType("SittingId", UUID)
AttemptId = NewType("AttemptId", UUID)

MAXIMUM_POSTPONEMENT_SECONDS = 12 * 3600


class SittingState(StrEnum):
    """Planned; open: Redis owns its attempts; closed: PostgreSQL does."""

    PLANNED = "planned"
    OPEN = "open"
    CLOSED = "closed"


class SecondSeat(StrEnum):
    """What happens when another browser asks for a running attempt."""

    ADMIT = "admit"  # it waits, read only, for the invigilator
    TAKE_OVER = "take_over"  # it gets the lease at once: practice at home


class SittingSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a sitting may have different from others."""

    linger_seconds: Annotated[int, msgspec.Meta(ge=0, le=3600)] = 120  # open after its end, for extra time given late
    columns: Annotated[int, msgspec.Meta(ge=0, le=100)] = 0  # seats in a row of the room; 0: not known
    second_seat: SecondSeat = SecondSeat.ADMIT
    # Seconds by which rooms start and end after the sitting's own times, by room code.
    room_delays: Mapping[str, Annotated[int, msgspec.Meta(ge=1, le=MAXIMUM_POSTPONEMENT_SECONDS)]] = {}


class Sitting(msgspec.Struct, frozen=True, kw_only=True):
    """One scheduled administration of a form."""

    id: SittingId
    exam_subject_id: UUID
    form_id: FormId
    form_hash: str
    code: str
    name: str
    opens_at: datetime
    starts_at: datetime
    ends_at: datetime
    duration_seconds: int
    late_limit_seconds: int
    grace_seconds: int
    state: SittingState
    shards: int
    seed: int
    settings: SittingSettings = msgspec.field(default_factory=SittingSettings)
    roll_version: int = 0  # how often it took people in after it had opened

    def starts_in(self, room_code: str = "") -> datetime:
        """The moment at which a room, or one without a delay of its own, begins."""
        return self.starts_at + self._delay(room_code)

    def ends_in(self, room_code: str = "") -> datetime:
        """The moment at which it ends there."""
        return self.ends_at + self._delay(room_code)

    @property
    def longest_delay_seconds(self) -> int:
        """By how much the last room ends after the sitting."""
        return max(self.settings.room_delays.values(), default=0)

    @property
    def closes_at(self) -> datetime:
        """The moment after which it closes as soon as nobody is waited for."""
        seconds = self.longest_delay_seconds + self.grace_seconds + self.settings.linger_seconds
        return self.ends_at + timedelta(seconds=seconds)

    def _delay(self, room_code: str) -> timedelta:
        return timedelta(seconds=self.settings.room_delays.get(room_code, 0))


class AttemptSeat(msgspec.Struct, frozen=True, kw_only=True):
    """What making the attempt of one candidate needs to know."""

    candidate_id: UUID
    room_id: UUID | None
    seat_number: int | None
    room_code: str = ""  # not the id: the same plan gives the same papers
    time_factor: int = 100  # hundredths of the duration
    extra_minutes: int = 0  # on top of it


def shard_of(attempt_id: UUID, shards: int) -> int:
    """Return the Redis slot group of an attempt."""
    return zlib.crc32(attempt_id.bytes) % shards


def assign_paper_codes(
    seats: list[AttemptSeat], codes: list[PaperCodeId], seed: int, columns: int = 0
) -> dict[UUID, PaperCodeId]:
    """Give each candidate a paper code so that neighbours differ.

    Seats of a room are counted through the codes from a place that depends on the seed and the room; with `columns`
    known (seats numbered row by row) the row shifts the count, so that front and back differ as well.
    """
    if not codes:
        raise SittingPlanInvalid("form", message("the form has no paper codes"))
    assigned: dict[UUID, PaperCodeId] = {}
    for position, seat in enumerate(seats):
        place = seat.seat_number - 1 if seat.seat_number is not None else position
        row, column = divmod(place, columns) if columns else (0, place)
        first = zlib.crc32(seed.to_bytes(8, "big", signed=True) + seat.room_code.encode())
        assigned[seat.candidate_id] = codes[(first + row + column) % len(codes)]
    return assigned
