"""SQL of decided violations: rows that change the mark that counts, never the raw one."""

from collections import defaultdict
from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from exam_engine.enrolment.model import CandidateId
from exam_engine.enrolment.tables import CandidateRow
from exam_engine.results.tables import ScoreAdjustmentRow
from scoring.violations import Violation


async def load_violations(session: AsyncSession, exam_id: UUID) -> dict[CandidateId, list[Violation]]:
    """Return the decided violations of an exam, by candidate."""
    statement = (
        select(ScoreAdjustmentRow)
        .join(CandidateRow, CandidateRow.id == ScoreAdjustmentRow.candidate_id)
        .where(CandidateRow.exam_id == exam_id)
    )
    found: dict[CandidateId, list[Violation]] = defaultdict(list)
    for row in await session.scalars(statement):
        found[CandidateId(row.candidate_id)].append(Violation(row.kind, row.exam_subject_code))
    return found


async def insert_adjustment(
    session: AsyncSession,
    candidate_id: CandidateId,
    violation: Violation,
    *,
    decision: str,
    actor: str,
    now: datetime,
) -> UUID:
    """Keep the effect of a decision."""
    row = ScoreAdjustmentRow(
        id=uuid4(),
        candidate_id=candidate_id,
        exam_subject_code=violation.subject,
        kind=violation.kind,
        decision=decision,
        created_by=actor,
        created_at=now,
    )
    session.add(row)
    await session.flush()
    return row.id
