"""Hand-over files as a seat writes them, and their way in."""

from typing import Any

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from exam_engine.delivery import hand_over
from exam_engine.delivery.hand_over import HandOver, HandOverFile, SignedContent
from exam_engine.delivery.hot_path import Delivery
from exam_engine.delivery.packing import unpack_response
from exam_engine.delivery.sealing import (
    hand_over_label,
)
from exam_engine.delivery.service import Desk
from exam_engine.delivery.wire import SaveResponse
from exam_engine.infra import sealing
from exam_engine.infra.clock import to_milliseconds
from exam_engine.infra.database import transaction
from tests.exam_engine.delivery.halls import ACTOR, START, Hall, SetClock

MINUTE = 60_000
NOW = to_milliseconds(START)


async def stick_file(delivery: Delivery, hall: Hall, *, started_ms: int = 0, seat: int = 0, **changes: Any) -> bytes:
    roll = await delivery.roll(hall.sitting.id)
    attempt = hall.attempt()
    handed = HandOver(
        attempt_id=attempt,
        client_id="d.t",
        made_at_ms=NOW + 5 * MINUTE,
        started_at_ms=started_ms,
        responses=changes.get("responses", [SaveResponse(1, 5, "B", NOW), SaveResponse(2, 6, "C", NOW)]),
    )
    content = msgspec.json.encode(handed).decode()
    mac = sealing.mac(roll.seals.seat_key(hall.attempt(seat)), content.encode()).hex()
    signed = msgspec.json.encode(SignedContent(content, mac))
    box = sealing.seal_box(roll.seals.hand_over_key, hand_over_label(hall.sitting.id, attempt), signed)
    return msgspec.json.encode(HandOverFile("exam-hand-over", 1, hall.sitting.id, attempt, box))


async def take_in(
    delivery: Delivery, sessions: async_sessionmaker[AsyncSession], hall: Hall, clock: SetClock, content: bytes
) -> hand_over.Restored:
    async with transaction(sessions) as session:
        desk = Desk(session=session, register=delivery.register, actor=ACTOR, now=clock())
        return await hand_over.restore_file(delivery, desk, hall.sitting.id, hand_over.read_file(content))


async def held_values(delivery: Delivery, hall: Hall) -> dict[int, Any]:
    sat = await delivery.rolls.require(hall.candidate().candidate_id, hall.attempt())
    held = await delivery.look(sat, "r")
    return {slot: msgspec.json.decode(unpack_response(packed)[2]) for slot, packed in held.responses.items()}
