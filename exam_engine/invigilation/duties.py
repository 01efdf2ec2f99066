"""Who watches which room of a sitting: invigilators, and deputies who see and may do the same. Pure."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Annotated
from uuid import UUID

import msgspec


class Duty(StrEnum):
    """What somebody is in a room."""

    INVIGILATOR = "invigilator"
    DEPUTY = "deputy"


class DutyPlan(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who shall watch a room; who watches it already gets the other duty."""

    room_id: UUID
    user_name: Annotated[str, msgspec.Meta(min_length=1, max_length=80)]
    duty: Duty = Duty.INVIGILATOR


class RoomDuty(msgspec.Struct, frozen=True, kw_only=True):
    """One person in one room of a sitting."""

    room_id: UUID
    person_id: UUID
    user_name: str
    display_name: str
    duty: Duty
    given_by: str
    given_at: datetime


def by_room(duties: Sequence[RoomDuty]) -> Mapping[UUID, Sequence[RoomDuty]]:
    """Return the duties of each room, invigilators first."""
    found: dict[UUID, list[RoomDuty]] = {}
    for duty in sorted(duties, key=lambda one: (one.duty is Duty.DEPUTY, one.display_name)):
        found.setdefault(duty.room_id, []).append(duty)
    return found


def in_several_rooms(duties: Sequence[RoomDuty]) -> frozenset[UUID]:
    """Return who is invigilator (not deputy) in more than one room: nobody can be in two places."""
    own = [one.person_id for one in duties if one.duty is Duty.INVIGILATOR]
    return frozenset(person for person in own if own.count(person) > 1)
