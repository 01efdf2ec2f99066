"""SQL on how papers ended, asked by every seat after it has handed in: many attempts by one statement."""

from collections.abc import Mapping, Sequence

import msgspec
from sqlalchemy import ARRAY, Uuid, any_, bindparam, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from exam_engine.delivery.model import AttemptId, AttemptState
from exam_engine.delivery.tables import AttemptRow, ResponseRow
from exam_engine.infra.clock import to_milliseconds


class Ending(msgspec.Struct, frozen=True):
    """An attempt as PostgreSQL knows it: its state, when it ended (0: it has not), the newest sequence of each slot."""

    state: AttemptState
    finished_ms: int
    sequences: Mapping[int, int]


async def load_endings(session: AsyncSession, attempts: Sequence[AttemptId]) -> Mapping[AttemptId, Ending]:
    """Load how attempts stand."""
    rows = await session.execute(_ENDINGS, {"attempts": list(attempts)})
    return {
        AttemptId(attempt_id): Ending(
            AttemptState(state),
            to_milliseconds(finished) if finished else 0,
            dict(zip(slots or (), sequences or (), strict=True)),
        )
        for attempt_id, state, finished, slots, sequences in rows.all()
    }


_ENDINGS = (
    select(
        AttemptRow.id,
        AttemptRow.state,
        func.coalesce(AttemptRow.submitted_at, AttemptRow.closed_at),
        func.array_agg(ResponseRow.slot).filter(ResponseRow.slot.is_not(None)),
        func.array_agg(ResponseRow.sequence).filter(ResponseRow.slot.is_not(None)),
    )
    .outerjoin(ResponseRow, ResponseRow.attempt_id == AttemptRow.id)
    .where(AttemptRow.id == any_(bindparam("attempts", type_=ARRAY(Uuid()))))
    .group_by(AttemptRow.id)
)
