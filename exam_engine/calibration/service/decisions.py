"""A psychometrician decides: items accepted, held, or taken back; accepted parameters become versions in authoring."""

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from exam_engine.audit import service as audit
from exam_engine.authoring import service as authoring
from exam_engine.authoring.parameters import AcceptedParameters, ParameterOrigin
from exam_engine.calibration import model
from exam_engine.calibration.choices import AnchorUse
from exam_engine.calibration.errors import CalibrationRunUnknown, ItemNotInRun
from exam_engine.calibration.model import CalibrationItem, CalibrationRun, Decision
from exam_engine.calibration.store import runs as store
from exam_engine.identity import service as identity
from exam_engine.identity.model import Person, actor_of
from exam_engine.identity.permissions import Permission

SCALES = {AnchorUse.NONE: "own", AnchorUse.FIXED: "fixed", AnchorUse.LINKED: "linked"}


async def accept_items(
    session: AsyncSession, run_id: UUID, items: Collection[str] | None, *, actor: Person | str, now: datetime
) -> list[CalibrationItem]:
    """Accept items by name, or all open ones nothing speaks against; each becomes a new version of its parameters.

    Raises
    ------
    CalibrationRunUnknown, PermissionDenied, RunStateWrong, RunNotConverged, ItemNotInRun, DecisionWrong,
    ItemNotAcceptable
        Nothing was accepted.
    """
    run = await _lock_run(session, run_id)
    found = await store.load_items(session, run.id)
    chosen = model.acceptable(run, found) if items is None else _named(run, found, items)
    name = await _permitted(session, chosen, actor)
    accepted = [model.accept(run, item, name, now) for item in chosen]
    await authoring.accept_parameters(session, [_accepted(run, item) for item in accepted], actor=name, now=now)
    await _keep(session, run, accepted, name, now, action="calibration.accept")
    return accepted


async def hold_items(
    session: AsyncSession, run_id: UUID, items: Collection[str], *, reason: str, actor: Person | str, now: datetime
) -> list[CalibrationItem]:
    """Hold items by name: their parameters stay unused, with the reason.

    Raises
    ------
    CalibrationRunUnknown, PermissionDenied, RunStateWrong, ItemNotInRun, DecisionWrong, HoldReasonMissing
        Nothing was changed.
    """
    run = await _lock_run(session, run_id)
    chosen = _named(run, await store.load_items(session, run.id), items)
    name = await _permitted(session, chosen, actor)
    held = [model.hold(run, item, reason, name, now) for item in chosen]
    await _keep(session, run, held, name, now, action="calibration.hold")
    return held


async def reopen_items(
    session: AsyncSession, run_id: UUID, items: Collection[str], *, reason: str, actor: Person | str, now: datetime
) -> list[CalibrationItem]:
    """Take decisions back; of accepted items what held before comes back as a new version.

    Raises
    ------
    CalibrationRunUnknown, PermissionDenied, RunStateWrong, ItemNotInRun, DecisionWrong, HoldReasonMissing
        Nothing was changed.
    """
    run = await _lock_run(session, run_id)
    chosen = _named(run, await store.load_items(session, run.id), items)
    name = await _permitted(session, chosen, actor)
    reopened = [model.reopen(run, item, reason) for item in chosen]
    for before, after in zip(chosen, reopened, strict=True):
        if before.decision is Decision.ACCEPTED:
            await authoring.take_back_parameters(
                session, _accepted(run, before), reason=after.comment, actor=name, now=now
            )
    await _keep(session, run, reopened, name, now, action="calibration.reopen")
    return reopened


async def _lock_run(session: AsyncSession, run_id: UUID) -> CalibrationRun:
    run = await store.find_run(session, run_id, lock=True)
    if run is None:
        raise CalibrationRunUnknown(run_id)
    return run


async def _permitted(session: AsyncSession, chosen: Sequence[CalibrationItem], actor: Person | str) -> str:
    """Lock the items and name the actor; a person needs the permission on the unit of every bank concerned."""
    banks = await authoring.lock_banks(session, [item.report.item_version_id for item in chosen])
    if isinstance(actor, str):
        return actor
    for bank in banks:
        await identity.require(session, actor.id, Permission.CALIBRATE_ITEMS, bank.unit_id, on=actor.acts_on)
    return actor_of(actor)


def _named(run: CalibrationRun, found: Sequence[CalibrationItem], names: Collection[str]) -> list[CalibrationItem]:
    by_name = {item.report.name: item for item in found}
    for name in names:
        if name not in by_name:
            raise ItemNotInRun(run.number, name)
    return [by_name[name] for name in dict.fromkeys(names)]


def _accepted(run: CalibrationRun, item: CalibrationItem) -> AcceptedParameters:
    return AcceptedParameters(
        item_version_id=item.report.item_version_id,
        parameters=item.report.parameters,
        errors=item.report.errors,
        origin=ParameterOrigin(
            run_id=run.id,
            run_number=run.number,
            exam=run.exam_code,
            subject=run.subject_code,
            scale=SCALES[run.settings.anchors],
            n_candidates=item.report.n_answers,
        ),
    )


async def _keep(
    session: AsyncSession,
    run: CalibrationRun,
    items: Sequence[CalibrationItem],
    actor: str,
    now: datetime,
    *,
    action: str,
) -> None:
    for item in items:
        await store.save_decision(session, run.id, item)
    if not items:
        return
    facts = {
        "exam": run.exam_code,
        "subject": run.subject_code,
        "number": run.number,
        "items": [item.report.name for item in items],
        "reason": items[0].comment,
    }
    await audit.append(session, actor=actor, action=action, subject=f"calibration_run:{run.id}", facts=facts, now=now)
