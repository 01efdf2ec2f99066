"""Score runs by item response theory: newest accepted parameters and stored responses become abilities on a scale.

They stand beside the raw score runs and replace none; parameters are kept with the run exactly as they were used.
"""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID, uuid4

import msgspec
import numpy as np
from numpy.typing import NDArray
from sqlalchemy.ext.asyncio import AsyncSession

from exam_engine.assembly import service as assembly
from exam_engine.audit import service as audit
from exam_engine.authoring import service as authoring
from exam_engine.calibration.banks import bank_of, number, recoded
from exam_engine.calibration.choices import Blank, RunSettings
from exam_engine.calibration.gathering import MISSING, Gathered
from exam_engine.calibration.service.collecting import collect_with_people
from exam_engine.enrolment.model import CandidateId
from exam_engine.results.errors import IrtRunUnknown, ParametersMissing
from exam_engine.results.reporting import (
    MOST_DECIMALS,
    Estimator,
    IrtOrder,
    IrtRun,
    IrtRunId,
    IrtRunSummary,
    IrtScore,
    UsedItem,
    irt_input_hash,
)
from exam_engine.results.service.score_runs import lock_scorable
from exam_engine.results.store import irt_runs as store
from scoring.fit import empirical_reliability
from scoring.irt.ability import Abilities, eap_estimates, wle_estimates
from scoring.irt.responses import ResponseMatrix

FEWEST_ITEMS = 3


class _Table(msgspec.Struct, frozen=True):
    """Calibrated categories of the items that count."""

    items: tuple[UsedItem, ...]
    categories: NDArray[np.int8]


async def score_by_irt(
    session: AsyncSession,
    sitting_id: UUID,
    order: IrtOrder,
    *,
    actor: str,
    now: datetime,
    reason: str,
    pending_writes: int = 0,
) -> IrtRun:
    """Score every started attempt of a closed sitting as a new run; blanks count as wrong, pretest items not at all.

    Raises
    ------
    SittingUnknown, SittingStateWrong, AnswersUnderWay, MarksOutstanding, ParametersMissing
    ResponseInvalid
        Nothing was written.
    """
    sitting, _ = await lock_scorable(session, sitting_id, pending_writes, now)
    settings = RunSettings(sitting_ids=(sitting_id,), omitted=Blank.WRONG, not_reached=Blank.WRONG)
    gathered, people = await collect_with_people(session, settings)
    table = await _table(session, sitting.code, gathered, order)
    abilities = await asyncio.to_thread(_abilities, table, order.estimator)
    scores = _scores(table, abilities, people, order)
    run = IrtRun(
        id=IrtRunId(uuid4()),
        sitting_id=sitting_id,
        number=await store.next_number(session, sitting_id),
        estimator=order.estimator,
        scale=order.scale,
        items=table.items,
        key_version=(await assembly.load_form(session, sitting.form_id)).key_version,
        input_hash=irt_input_hash(
            order,
            table.items,
            [(attempt_id, table.categories[row].tobytes()) for row, (_, attempt_id) in enumerate(people)],
        ),
        n_scored=len(scores),
        reliability=_reliability(abilities) if order.estimator is Estimator.EAP else None,
        reason=reason.replace("\x00", ""),
        created_by=actor,
        created_at=now,
    )
    await store.insert_run(session, run, scores)
    facts = {
        "sitting": sitting.code,
        "number": run.number,
        "estimator": run.estimator,
        "scale": {name: f"{value:g}" for name, value in msgspec.structs.asdict(run.scale).items()},
        "items": len(run.items),
        "input_hash": run.input_hash,
        "scored": run.n_scored,
        "reason": run.reason,
    }
    await audit.append(session, actor=actor, action="irt_run.create", subject=f"irt_run:{run.id}", facts=facts, now=now)
    return run


async def load_irt_runs(session: AsyncSession, exam_id: UUID) -> list[IrtRunSummary]:
    """Return the runs of an exam, newest first."""
    return await store.load_summaries(session, exam_id)


async def load_irt_run(session: AsyncSession, run_id: UUID) -> IrtRun:
    """Return a run with the parameters it used.

    Raises
    ------
    IrtRunUnknown
    """
    run = await store.find_run(session, run_id)
    if run is None:
        raise IrtRunUnknown(run_id)
    return run


async def load_irt_scores(
    session: AsyncSession, *, run_id: UUID | None = None, sitting_id: UUID | None = None
) -> dict[str, IrtScore]:
    """Return the scores of a run, or of the newest run of a sitting, by candidate number; empty if there is none."""
    if run_id is None and sitting_id is not None:
        run_id = await store.find_newest(session, sitting_id)
    return {} if run_id is None else await store.load_scores(session, run_id)


async def _table(session: AsyncSession, code: str, gathered: Gathered, order: IrtOrder) -> _Table:
    """Keep the scored items with accepted parameters, in the categories those parameters know."""
    accepted = await authoring.accepted_parameters(session, [item.item_version_id for item in gathered.items])
    used: list[UsedItem] = []
    columns: list[NDArray[np.int8]] = []
    unknown: list[str] = []
    for column, item in enumerate(gathered.items):
        if not gathered.is_scored[column] or gathered.is_void[column]:
            continue
        found = accepted.get(item.item_version_id)
        parameters = None if found is None else found.parameters
        # A key with other steps than at the calibration gives other categories: those parameters say nothing of it.
        if found is None or parameters is None or len(parameters.categories) != gathered.n_categories[column]:
            unknown.append(item.name)
            continue
        used.append(
            UsedItem(
                item_version_id=item.item_version_id,
                code=item.code,
                parameter_version=found.number,
                parameters=parameters,
            )
        )
        columns.append(recoded(gathered.categories[:, column], parameters.categories))
    if len(used) < FEWEST_ITEMS or (unknown and not order.is_partial):
        raise ParametersMissing(code, unknown, len(used))
    return _Table(tuple(used), np.column_stack(columns))


def _abilities(table: _Table, estimator: Estimator) -> Abilities:
    names = tuple(f"{place} {item.code}" for place, item in enumerate(table.items))
    bank = bank_of(names, [item.parameters for item in table.items])
    responses = ResponseMatrix(categories=table.categories, item_names=names)
    return eap_estimates(responses, bank) if estimator is Estimator.EAP else wle_estimates(responses, bank)


def _scores(
    table: _Table, abilities: Abilities, people: Sequence[tuple[UUID, UUID]], order: IrtOrder
) -> list[IrtScore]:
    counted = (table.categories != MISSING).sum(axis=1)
    reported = order.scale.reported(abilities.theta, abilities.se)
    hundredths = 10 ** (MOST_DECIMALS - order.scale.decimals)
    return [
        IrtScore(
            candidate_id=CandidateId(candidate_id),
            attempt_id=attempt_id,
            theta=float(abilities.theta[row]),
            se=float(abilities.se[row]),
            score=int(reported.units[row]) * hundredths,
            score_se=int(reported.se_units[row]) * hundredths,
            n_items=int(counted[row]),
        )
        for row, (candidate_id, attempt_id) in enumerate(people)
    ]


def _reliability(abilities: Abilities) -> float | None:
    if abilities.theta.size < 2:
        return None
    return number(empirical_reliability(abilities.theta, abilities.se))
