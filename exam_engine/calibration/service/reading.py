"""Use cases that read: runs, their items, what sittings and groups there are, the history of one item."""

from collections.abc import Collection, Sequence
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from exam_engine.authoring import service as authoring
from exam_engine.authoring.model import ItemVersionId
from exam_engine.authoring.parameters import ParameterVersion
from exam_engine.calibration.errors import CalibrationRunUnknown, ItemNotInRun
from exam_engine.calibration.model import CalibrationItem, CalibrationRun
from exam_engine.calibration.store import responses as responses_store
from exam_engine.calibration.store import runs as store
from exam_engine.calibration.store.responses import BY_SCHOOL, CalibratedSitting


class ItemHistory(msgspec.Struct, frozen=True, kw_only=True):
    """One item of a run with everything that was ever said of it."""

    run: CalibrationRun
    item: CalibrationItem
    accepted: tuple[ParameterVersion, ...]  # newest first
    mentions: tuple[tuple[CalibrationRun, CalibrationItem], ...]  # of all complete runs, newest first


async def load_runs(
    session: AsyncSession, *, unit_ids: Collection[UUID] | None = None, exam_subject_id: UUID | None = None
) -> list[CalibrationRun]:
    """Return runs, newest first: of some units' exams, of one subject, or all."""
    return await store.load_runs(session, unit_ids=unit_ids, exam_subject_id=exam_subject_id)


async def load_run(session: AsyncSession, run_id: UUID) -> CalibrationRun:
    """Return a run.

    Raises
    ------
    CalibrationRunUnknown
    """
    run = await store.find_run(session, run_id)
    if run is None:
        raise CalibrationRunUnknown(run_id)
    return run


async def load_run_numbered(session: AsyncSession, exam_subject_id: UUID, number: int | None) -> CalibrationRun:
    """Return a run of a subject by its number, or the newest, as `load_run` does."""
    for run in await store.load_runs(session, exam_subject_id=exam_subject_id):
        if number in (None, run.number):
            return run
    raise CalibrationRunUnknown("of this subject" if number is None else str(number))


async def load_items(session: AsyncSession, run_id: UUID) -> list[CalibrationItem]:
    """Return the items of a run, the most troubled first."""
    return await store.load_items(session, run_id)


async def load_sittings(session: AsyncSession, exam_subject_id: UUID) -> Sequence[CalibratedSitting]:
    """Return the sittings of a subject with how many finished attempts each has."""
    return await responses_store.load_sittings(session, exam_subject_id=exam_subject_id)


async def group_names(session: AsyncSession, exam_id: UUID) -> list[str]:
    """Return by what groups of candidates can be compared: their school, and every attribute somebody has."""
    return [BY_SCHOOL, *await responses_store.load_attributes(session, exam_id)]


async def load_item_history(session: AsyncSession, run_id: UUID, item_version_id: UUID) -> ItemHistory:
    """Return one item of a run with its accepted parameters and what other runs say of it.

    Raises
    ------
    CalibrationRunUnknown, ItemNotInRun
    """
    run = await load_run(session, run_id)
    version = ItemVersionId(item_version_id)
    mentions = await store.load_mentions(session, version)
    item = next((found for mentioned, found in mentions if mentioned.id == run.id), None)
    if item is None:
        raise ItemNotInRun(run.number, str(item_version_id))
    return ItemHistory(
        run=run,
        item=item,
        accepted=tuple(await authoring.parameter_history(session, version)),
        mentions=tuple(mentions),
    )
