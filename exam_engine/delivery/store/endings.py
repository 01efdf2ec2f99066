"""SQL on how papers ended, asked by every seat after it has handed in: many attempts by one statement."""

from collections.abc import Mapping, Sequence

import msgspec
from sqlalchemy import ARRAY, Uuid, any_, bindparam, exists, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from exam_engine.delivery.model import AttemptId, AttemptState, ChangeKind
from exam_engine.delivery.tables import AttemptEventRow, AttemptRow, ResponseRow
from exam_engine.infra.clock import to_milliseconds


class Ending(msgspec.Struct, frozen=True):
    """An attempt as PostgreSQL knows it: its state, when it ended (0: it has not), the newest sequence of each slot.

    An act of people may write that a paper is in before the hand-in itself has come: until then it still runs.
    """

    state: AttemptState
    finished_ms: int
    sequences: Mapping[int, int]


async def load_endings(session: AsyncSession, attempts: Sequence[AttemptId]) -> Mapping[AttemptId, Ending]:
    """Load how attempts stand."""
    rows = await session.execute(_ENDINGS, {"attempts": list(attempts)})
    return {
        AttemptId(attempt_id): Ending(
            AttemptState(state) if is_told else AttemptState.RUNNING,
            to_milliseconds(finished) if finished and is_told else 0,
            dict(zip(slots or (), sequences or (), strict=True)),
        )
        for attempt_id, state, finished, is_told, slots, sequences in rows.all()
    }


_HAND_IN = exists().where(
    AttemptEventRow.attempt_id == AttemptRow.id,
    AttemptEventRow.source == "server",
    AttemptEventRow.kind == ChangeKind.SUBMIT.value,
    AttemptEventRow.server_time == AttemptRow.submitted_at,
)


_ENDINGS = (
    select(
        AttemptRow.id,
        AttemptRow.state,
        func.coalesce(AttemptRow.submitted_at, AttemptRow.closed_at),
        or_(AttemptRow.state != AttemptState.SUBMITTED.value, _HAND_IN),
        func.array_agg(ResponseRow.slot).filter(ResponseRow.slot.is_not(None)),
        func.array_agg(ResponseRow.sequence).filter(ResponseRow.slot.is_not(None)),
    )
    .outerjoin(ResponseRow, ResponseRow.attempt_id == AttemptRow.id)
    .where(AttemptRow.id == any_(bindparam("attempts", type_=ARRAY(Uuid()))))
    .group_by(AttemptRow.id)
)
