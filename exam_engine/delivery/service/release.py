"""The release code of a room: told to people once the sitting has started there, and written into the record."""

import msgspec

from exam_engine.delivery import store
from exam_engine.delivery.errors import CodeNotReleased, SittingPlanInvalid
from exam_engine.delivery.model import SittingId, planned_facts
from exam_engine.delivery.service.desk import Desk, record, require_open
from exam_engine.enrolment.codes import room_release_code
from exam_engine.infra.clock import from_milliseconds
from item_bank.messages import message


class ReleaseCode(msgspec.Struct, frozen=True, kw_only=True):
    """What opens the fetched papers of a room without a network; `room` is empty for those who sit anywhere."""

    sitting: str
    room: str
    code: str


async def release_code(desk: Desk, sitting_id: SittingId, room: str, secret: bytes) -> ReleaseCode:
    """Tell a room's release code.

    Raises
    ------
    SittingUnknown, SittingStateWrong, SittingPlanInvalid, CodeNotReleased
    """
    sitting = await require_open(desk, sitting_id)
    seats = await store.load_seats(desk.session, sitting_id)
    if room not in {seat.room_code or "" for seat in seats}:
        raise SittingPlanInvalid("room", message("nobody of this sitting sits in room “{room}”", room=room))
    starts_ms = planned_facts(sitting, room).starts_ms
    if desk.now_ms < starts_ms:
        raise CodeNotReleased(sitting.code, from_milliseconds(starts_ms).isoformat())
    await record(desk, "sitting.release_code", sitting, room=room)
    return ReleaseCode(sitting=sitting.code, room=room, code=room_release_code(secret, str(sitting_id), room))
