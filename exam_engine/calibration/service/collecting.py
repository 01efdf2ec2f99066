"""What a run or a score by item response theory reads: forms, keys, responses and marks, as one table."""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from exam_engine.assembly import service as assembly
from exam_engine.assembly.model import FormId
from exam_engine.authoring import service as authoring
from exam_engine.authoring.model import FrozenItem, ItemVersionId, kind_of, title_of
from exam_engine.authoring.parameters import ItemParameters
from exam_engine.calibration.choices import RunSettings
from exam_engine.calibration.errors import SittingsUnsuitable
from exam_engine.calibration.gathering import FormFacts, FormSlotFacts, Gathered, ItemFacts, SatAttempt, gather
from exam_engine.calibration.store import responses as store
from exam_engine.marking import service as marking
from item_bank.messages import message
from item_bank.model.interactions import SingleChoice


async def collect(session: AsyncSession, settings: RunSettings) -> Gathered:
    """Read the sittings of a run into one table, whatever forms they used.

    Raises
    ------
    SittingsUnsuitable
        Essays are still to be marked.
    ResponseInvalid, MarkMissing
        A stored response does not fit its key.
    """
    gathered, _ = await collect_with_people(session, settings)
    return gathered


async def collect_with_people(session: AsyncSession, settings: RunSettings) -> tuple[Gathered, list[tuple[UUID, UUID]]]:
    """Read sittings as `collect` does; also return candidate and attempt of each row."""
    sittings = await store.load_sittings(session, ids=settings.sitting_ids)
    form_ids = list(dict.fromkeys(sitting.form_id for sitting in sittings))
    forms = [await load_form_facts(session, form_id) for form_id in form_ids]
    attempts: list[tuple[int, SatAttempt]] = []
    people: list[tuple[UUID, UUID]] = []
    for sitting in sittings:
        marks = await marking.settled_marks(session, sitting.id)
        if marks.n_open:
            raise SittingsUnsuitable(sitting.code, message("{count} essays are still to be marked", count=marks.n_open))
        found = await store.load_attempts(session, sitting.id, groups_by=settings.groups_by, marks=marks.totals)
        attempts += [(form_ids.index(sitting.form_id), attempt) for _, attempt in found]
        people += [(candidate_id, attempt.attempt_id) for candidate_id, attempt in found]
    items = await load_item_facts(session, forms)
    return await asyncio.to_thread(gather, forms, attempts, items), people


async def load_form_facts(session: AsyncSession, form_id: FormId) -> FormFacts:
    """Return a form with its present key, as calibration sees it."""
    form = await assembly.load_form(session, form_id)
    key = await assembly.load_form_key(session, form_id)
    slots = {slot.slot: slot for slot in await assembly.load_slots(session, form_id)}
    codes = await assembly.load_paper_codes(session, form_id)
    return FormFacts(
        code=form.code,
        slots=tuple(
            FormSlotFacts(
                slot=each.slot,
                item_version_id=slots[each.slot].item_version_id,
                key=each.key,
                option_order=slots[each.slot].option_order,
                is_scored=slots[each.slot].is_scored,
                track=each.track,
            )
            for each in key.slots
        ),
        orders={code.id: tuple(entry.slot for entry in code.ordering) for code in codes},
    )


async def load_item_facts(session: AsyncSession, forms: Sequence[FormFacts]) -> dict[ItemVersionId, ItemFacts]:
    """Return what is known of the items of forms, each under a name of its own."""
    ids = list(dict.fromkeys(slot.item_version_id for form in forms for slot in form.slots))
    frozen = await authoring.frozen_versions(session, ids)
    names = _names([frozen[version] for version in ids])
    return {
        version: ItemFacts(
            item_version_id=version,
            item_id=frozen[version].item_id,
            name=names[version],
            code=frozen[version].item.code,
            version=frozen[version].number,
            kind=kind_of(frozen[version].item),
            title=title_of(frozen[version].item),
            n_options=_n_options(frozen[version]),
        )
        for version in ids
    }


async def load_accepted(session: AsyncSession, gathered: Gathered) -> Mapping[str, ItemParameters]:
    """Return the newest accepted parameters of the items gathered, by their names."""
    found = await authoring.accepted_parameters(session, [item.item_version_id for item in gathered.items])
    return {
        item.name: version.parameters
        for item in gathered.items
        if (version := found.get(item.item_version_id)) is not None and version.parameters is not None
    }


def _names(versions: Sequence[FrozenItem]) -> dict[UUID, str]:
    """Name items by code; two versions of one by code and version; codes that two banks share get a count too."""
    names: dict[UUID, str] = {}
    codes = Counter(version.item.code for version in versions)
    used: Counter[str] = Counter()
    for version in versions:
        code = version.item.code
        name = code if codes[code] == 1 else f"{code} v{version.number}"
        used[name] += 1
        names[version.item_version_id] = name if used[name] == 1 else f"{name} ({used[name]})"
    return names


def _n_options(version: FrozenItem) -> int:
    interaction = version.item.interaction
    return len(interaction.options) if isinstance(interaction, SingleChoice) else 0
