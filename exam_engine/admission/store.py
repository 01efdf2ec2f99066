"""SQL of admission: programmes and wishes, allocation runs with their outcomes and cut-offs."""

import zlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID, uuid4

import msgspec
from sqlalchemy import ARRAY, ColumnElement, Row, Uuid, any_, bindparam, delete, func, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from exam_engine.admission.allocation import ApplicantOutcome, Instance, ProgrammeOutcome, Reason
from exam_engine.admission.model import (
    AllocationRun,
    AllocationRunId,
    OutcomeOrder,
    OutcomePage,
    OutcomeQuery,
    ProgrammeId,
    ProgrammeResult,
    RunOutcome,
    RunRules,
    RunState,
    StoredAspirations,
    StoredProgramme,
)
from exam_engine.admission.scores import ApplicantScore, ScoreLine
from exam_engine.admission.tables import (
    AllocationOutcomeRow,
    AllocationRunRow,
    AspirationRow,
    CutOffRow,
    ProgrammeRow,
)
from exam_engine.enrolment.candidate_lists import name_conditions
from exam_engine.enrolment.model import CandidateId, ExamId
from exam_engine.enrolment.tables import CandidateRow
from exam_engine.infra.bulk import insert_many

BATCH = 5000
"""Outcomes written at once, so that not all reasons lie in memory together."""


async def load_programmes(session: AsyncSession, exam_id: UUID) -> list[StoredProgramme]:
    """Return the programmes of an exam by code."""
    rows = await session.scalars(
        select(ProgrammeRow).where(ProgrammeRow.exam_id == exam_id).order_by(ProgrammeRow.code)
    )
    return [
        StoredProgramme(
            id=ProgrammeId(row.id),
            exam_id=ExamId(row.exam_id),
            code=row.code,
            name=row.name,
            school_unit_id=row.school_unit_id,
            quota=row.quota,
            floor=row.floor,
            stage=row.stage,
        )
        for row in rows
    ]


async def save_programmes(session: AsyncSession, programmes: Sequence[StoredProgramme]) -> None:
    """Write programmes; one of the same code keeps its id and takes the new values."""
    for programme in programmes:
        values = {name: getattr(programme, name) for name in StoredProgramme.__struct_fields__}
        statement = upsert(ProgrammeRow).values(values)
        changed = {n: statement.excluded[n] for n in ("name", "school_unit_id", "quota", "floor", "stage")}
        await session.execute(statement.on_conflict_do_update(constraint="uq_programme_exam_id_code", set_=changed))


async def load_aspirations(session: AsyncSession, exam_id: UUID) -> list[StoredAspirations]:
    """Return the wishes of everybody who has any, by number."""
    statement = (
        select(CandidateRow.id, CandidateRow.number, ProgrammeRow.code)
        .join(AspirationRow, AspirationRow.candidate_id == CandidateRow.id)
        .join(ProgrammeRow, ProgrammeRow.id == AspirationRow.programme_id)
        .where(AspirationRow.exam_id == exam_id)
        .order_by(CandidateRow.number, CandidateRow.id, AspirationRow.rank)
    )
    found: dict[UUID, tuple[str, list[str]]] = {}
    for candidate_id, number, code in await session.execute(statement):
        found.setdefault(candidate_id, (number or "", []))[1].append(code)
    return [StoredAspirations(CandidateId(c), number, tuple(codes)) for c, (number, codes) in found.items()]


async def replace_aspirations(
    session: AsyncSession, exam_id: ExamId, wishes: Mapping[CandidateId, Sequence[ProgrammeId]]
) -> None:
    """Set all wishes of some candidates."""
    mine = bindparam(None, list(wishes), type_=ARRAY(Uuid()))
    await session.execute(delete(AspirationRow).where(AspirationRow.candidate_id == any_(mine)))
    values = [
        {"id": uuid4(), "exam_id": exam_id, "candidate_id": candidate, "rank": rank, "programme_id": programme}
        for candidate, programmes in wishes.items()
        for rank, programme in enumerate(programmes, start=1)
    ]
    await insert_many(session, AspirationRow, values)


async def next_number(session: AsyncSession, exam_id: UUID) -> int:
    """Return the number of the next run of an exam."""
    highest = await session.scalar(select(func.max(AllocationRunRow.number)).where(AllocationRunRow.exam_id == exam_id))
    return (highest or 0) + 1


async def insert_run(session: AsyncSession, run: AllocationRun, instance: Instance) -> None:
    """Write a run with the inputs it was computed from."""
    names = [n for n in AllocationRun.__struct_fields__ if n != "rules"]
    values: dict[str, Any] = {name: getattr(run, name) for name in names}
    values["rules"] = msgspec.to_builtins(run.rules)
    values["inputs"] = zlib.compress(instance.canonical())
    await session.execute(insert(AllocationRunRow).values(values))


async def insert_outcomes(
    session: AsyncSession,
    run_id: AllocationRunId,
    outcomes: Iterable[ApplicantOutcome],
    scores: Mapping[str, tuple[CandidateId, ApplicantScore]],
    programme_ids: Mapping[str, ProgrammeId],
) -> None:
    """Write what each applicant got, and why."""
    batch: list[dict[str, Any]] = []
    for outcome in outcomes:
        candidate_id, score = scores[outcome.applicant]
        batch.append(
            {
                "run_id": run_id,
                "candidate_id": candidate_id,
                "programme_id": programme_ids[outcome.programme] if outcome.programme else None,
                "rank": outcome.rank,
                "score": score.hundredths,
                "score_trace": msgspec.to_builtins(score.lines),
                "reasons": msgspec.to_builtins(outcome.reasons),
            }
        )
        if len(batch) == BATCH:
            await insert_many(session, AllocationOutcomeRow, batch)
            batch = []
    await insert_many(session, AllocationOutcomeRow, batch)


async def insert_cut_offs(
    session: AsyncSession,
    run_id: AllocationRunId,
    programmes: Iterable[ProgrammeOutcome],
    programme_ids: Mapping[str, ProgrammeId],
) -> None:
    """Write what each programme got."""
    values = [
        {
            "run_id": run_id,
            "programme_id": programme_ids[p.code],
            "cut_off": p.cut_off,
            "admitted": p.admitted,
            "quota": p.quota,
        }
        for p in programmes
    ]
    await session.execute(insert(CutOffRow), values)


async def save_state(session: AsyncSession, run: AllocationRun) -> None:
    """Write where a run stands."""
    await session.execute(
        update(AllocationRunRow)
        .where(AllocationRunRow.id == run.id)
        .values(state=run.state, release_at=run.release_at, released_by=run.released_by)
    )


async def load_runs(session: AsyncSession, exam_id: UUID) -> list[AllocationRun]:
    """Return the runs of an exam, the newest first."""
    rows = await session.execute(
        select(*_RUN_COLUMNS).where(AllocationRunRow.exam_id == exam_id).order_by(AllocationRunRow.number.desc())
    )
    return [_run(row) for row in rows]


async def find_run(session: AsyncSession, run_id: UUID, *, is_locked: bool = False) -> AllocationRun | None:
    """Return a run."""
    statement = select(*_RUN_COLUMNS).where(AllocationRunRow.id == run_id)
    row = (await session.execute(statement.with_for_update() if is_locked else statement)).one_or_none()
    return None if row is None else _run(row)


async def load_inputs(session: AsyncSession, run_id: UUID) -> Instance:
    """Return the inputs a run was computed from."""
    packed = await session.scalar(select(AllocationRunRow.inputs).where(AllocationRunRow.id == run_id))
    return msgspec.json.decode(zlib.decompress(packed or b""), type=Instance)


async def load_programme_results(session: AsyncSession, run_id: UUID) -> list[ProgrammeResult]:
    """Return the programmes of a run by code, with cut-offs."""
    statement = (
        select(ProgrammeRow.code, ProgrammeRow.name, CutOffRow.quota, CutOffRow.admitted, CutOffRow.cut_off)
        .join(CutOffRow, CutOffRow.programme_id == ProgrammeRow.id)
        .where(CutOffRow.run_id == run_id)
        .order_by(ProgrammeRow.code)
    )
    return [ProgrammeResult(**row) for row in (await session.execute(statement)).mappings()]


_ORDERS: Mapping[OutcomeOrder, InstrumentedAttribute[Any]] = {
    OutcomeOrder.NUMBER: CandidateRow.number,
    OutcomeOrder.NAME: CandidateRow.sort_key,
    OutcomeOrder.SCORE: AllocationOutcomeRow.score,
}


async def load_outcomes(session: AsyncSession, run_id: UUID, query: OutcomeQuery) -> OutcomePage:
    """Return one page of the outcomes of a run, in the order asked for."""
    conditions: list[ColumnElement[bool]] = [AllocationOutcomeRow.run_id == run_id, *name_conditions(query.text)]
    if query.programme is not None:
        conditions.append(ProgrammeRow.code == query.programme)
    if query.is_admitted is not None:
        placed = AllocationOutcomeRow.programme_id.is_not(None)
        conditions.append(placed if query.is_admitted else ~placed)
    joined = _outcomes().where(*conditions)
    total = await session.scalar(select(func.count()).select_from(joined.subquery()))
    leading = _ORDERS[query.order]
    first = leading.desc() if query.is_descending else leading.asc()
    page = (
        joined.order_by(first.nulls_last(), CandidateRow.number, CandidateRow.id)
        .offset(query.offset)
        .limit(query.limit)
    )
    return OutcomePage(total or 0, [_outcome(row) for row in await session.execute(page)])


async def find_outcome(session: AsyncSession, run_id: UUID, candidate_id: UUID) -> RunOutcome | None:
    """Return what one candidate got in a run."""
    statement = _outcomes().where(
        AllocationOutcomeRow.run_id == run_id, AllocationOutcomeRow.candidate_id == candidate_id
    )
    row = (await session.execute(statement)).one_or_none()
    return None if row is None else _outcome(row)


async def load_places(session: AsyncSession, run_id: UUID) -> dict[str, str | None]:
    """Return candidate number → programme code of a whole run."""
    statement = (
        select(CandidateRow.number, ProgrammeRow.code)
        .join(AllocationOutcomeRow, AllocationOutcomeRow.candidate_id == CandidateRow.id)
        .outerjoin(ProgrammeRow, ProgrammeRow.id == AllocationOutcomeRow.programme_id)
        .where(AllocationOutcomeRow.run_id == run_id)
    )
    return {number or "": code for number, code in await session.execute(statement)}


async def load_programme_names(session: AsyncSession, exam_id: UUID, codes: Collection[str]) -> dict[str, str]:
    """Return code → name of some programmes."""
    statement = select(ProgrammeRow.code, ProgrammeRow.name).where(
        ProgrammeRow.exam_id == exam_id, ProgrammeRow.code.in_(codes)
    )
    return {row.code: row.name for row in await session.execute(statement)}


_RUN_COLUMNS = tuple(getattr(AllocationRunRow, name) for name in AllocationRun.__struct_fields__)


def _outcomes() -> Any:
    return (
        select(
            AllocationOutcomeRow.candidate_id,
            CandidateRow.number,
            CandidateRow.full_name,
            ProgrammeRow.code.label("programme"),
            ProgrammeRow.name.label("programme_name"),
            AllocationOutcomeRow.rank,
            AllocationOutcomeRow.score,
            AllocationOutcomeRow.score_trace,
            AllocationOutcomeRow.reasons,
        )
        .join(CandidateRow, CandidateRow.id == AllocationOutcomeRow.candidate_id)
        .outerjoin(ProgrammeRow, ProgrammeRow.id == AllocationOutcomeRow.programme_id)
    )


def _outcome(row: Row[Any]) -> RunOutcome:
    return RunOutcome(
        candidate_id=CandidateId(row.candidate_id),
        number=row.number or "",
        full_name=row.full_name,
        programme=row.programme,
        programme_name=row.programme_name,
        rank=row.rank,
        score=row.score,
        score_lines=msgspec.convert(row.score_trace, tuple[ScoreLine, ...]),
        reasons=msgspec.convert(row.reasons, tuple[Reason, ...]),
    )


def _run(row: Row[Any]) -> AllocationRun:
    return AllocationRun(
        id=AllocationRunId(row.id),
        exam_id=ExamId(row.exam_id),
        number=row.number,
        rules=msgspec.convert(row.rules, RunRules),
        input_hash=row.input_hash,
        state=RunState(row.state),
        n_applicants=row.n_applicants,
        n_admitted=row.n_admitted,
        created_by=row.created_by,
        created_at=row.created_at,
        release_at=row.release_at,
        released_by=row.released_by,
    )
