"""Import of a package into a bank: all or nothing, repeatable, with a report of what is new, changed and as before.

Reading and checking is in `packages`; here the bank is compared and written.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import uuid4

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from exam_engine.audit import service as audit
from exam_engine.authoring import edits, service, store
from exam_engine.authoring.edits import Edit
from exam_engine.authoring.model import (
    Bank,
    BankContents,
    ImportReport,
    ItemId,
    ItemVersion,
    ItemVersionId,
    StimulusId,
    StimulusVersion,
    StimulusVersionId,
)
from exam_engine.authoring.packages import Contents, Package, read_package, require_sound
from exam_engine.identity.model import Person, actor_of
from exam_engine.identity.permissions import Permission
from item_bank.checks import Finding, Place, Surroundings
from item_bank.checks.findings import warning
from item_bank.messages import message
from item_bank.model.item import Item, Stimulus
from item_bank.model.review import ItemState, content_hash
from item_bank.model.taxonomy import Topic


class ImportOrder(msgspec.Struct, frozen=True, kw_only=True):
    """What to import into which bank, by whom, and how far the items go at once."""

    bank: Bank
    package: Package
    author: Person
    submitter: Person | None = None
    approver: Person | None = None
    dry_run: bool = False


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What an import writes."""

    topics: tuple[Topic, ...]  # new or changed
    stimuli: tuple[StimulusVersion, ...]  # new versions
    created: tuple[ItemVersion, ...]
    edits: tuple[Edit, ...]
    unchanged: tuple[ItemVersion, ...]
    warnings: tuple[Finding, ...]

    @property
    def versions(self) -> list[ItemVersion]:
        """The newest version of every item of the file, after the import."""
        return [*self.created, *(edit.version for edit in self.edits), *self.unchanged]


async def import_package(session: AsyncSession, order: ImportOrder, *, now: datetime) -> ImportReport:
    """Read, check, compare and write a package.

    Raises
    ------
    FileRefused
        The package has errors; the exception names every one.
    PermissionDenied, FourEyes
        Somebody named may not do this.
    """
    bank = order.bank
    await service.require(session, Permission.WRITE_ITEMS, bank, actor=order.author)
    await store.lock_bank(session, bank.id)
    present = await store.load_contents(session, bank.id)
    package = msgspec.structs.replace(order.package, language=bank.language)
    contents = read_package(package, known=Surroundings(present.topics.keys(), present.stimuli.keys()))
    require_sound(contents)
    plan = plan_import(contents, present, order.author, now)
    report = _report(order, contents, plan)
    if order.dry_run:
        return report
    figures = await store.save_figures(session, contents.figures)
    await _write(session, bank, plan, now)
    facts = {"file": contents.file, "created": list(report.created), "changed": list(report.changed)}
    subject = f"bank:{bank.code}"
    await audit.append(
        session, actor=actor_of(order.author), action="item.import", subject=subject, facts=facts, now=now
    )
    submitted = await _submit(session, order.submitter, plan.versions, now)
    approved = await _approve(session, order.approver, plan.versions, submitted, now)
    return msgspec.structs.replace(report, figures=figures, submitted=len(submitted), approved=approved)


def plan_import(contents: Contents, present: BankContents, author: Person, now: datetime) -> Plan:
    """Compare a package with its bank."""
    topics = tuple(topic for topic in contents.topics if present.topics.get(topic.code) != topic)
    changed = tuple(
        _stimulus_version(stimulus, present.stimuli.get(stimulus.code))
        for stimulus in contents.stimuli
        if stimulus.code not in present.stimuli or present.stimuli[stimulus.code].stimulus != stimulus
    )
    stimuli = {**present.stimuli, **{version.stimulus.code: version for version in changed}}
    created: list[ItemVersion] = []
    changes: list[Edit] = []
    unchanged: list[ItemVersion] = []
    for item in contents.items:
        stimulus = stimuli.get(item.stimulus) if item.stimulus else None
        newest = present.items.get(item.code)
        if newest is None:
            ids = (ItemId(uuid4()), ItemVersionId(uuid4()))
            created.append(edits.first_version(item, stimulus, ids, author.id, now))
            continue
        edit = edits.edit(newest, item, stimulus, ItemVersionId(uuid4()), author.id, now)
        if edit is None:
            unchanged.append(newest)
        else:
            changes.append(edit)
    warnings = _left_behind(contents.items, changed, present)
    return Plan(
        topics=topics,
        stimuli=changed,
        created=tuple(created),
        edits=tuple(changes),
        unchanged=tuple(unchanged),
        warnings=tuple(warnings),
    )


def _stimulus_version(stimulus: Stimulus, newest: StimulusVersion | None) -> StimulusVersion:
    return StimulusVersion(
        id=StimulusVersionId(uuid4()),
        stimulus_id=StimulusId(uuid4()) if newest is None else newest.stimulus_id,
        number=1 if newest is None else newest.number + 1,
        stimulus=stimulus,
        hash=content_hash(None, stimulus),
        frozen_at=None,
    )


def _left_behind(items: Sequence[Item], changed: Sequence[StimulusVersion], present: BankContents) -> list[Finding]:
    """Items of a changed stimulus that are not in the file keep the old version: their testlet falls apart."""
    brought = {item.code for item in items}
    codes = {version.stimulus.code for version in changed}
    left = [v.item for v in present.items.values() if v.item.stimulus in codes and v.item.code not in brought]
    return [
        warning(
            "stimulus-left-behind",
            Place(item=item.code, field="stimulus"),
            message(
                "this item is not in the file and keeps the old version of the stimulus {code}", code=item.stimulus
            ),
        )
        for item in left
        if item.stimulus
    ]


def _report(order: ImportOrder, contents: Contents, plan: Plan) -> ImportReport:
    return ImportReport(
        bank=order.bank.code,
        file=contents.file,
        created=tuple(version.item.code for version in plan.created),
        changed=tuple(edit.version.item.code for edit in plan.edits),
        unchanged=tuple(version.item.code for version in plan.unchanged),
        topics=len(plan.topics),
        stimuli=len(plan.stimuli),
        figures=len(contents.figures),
        warnings=(*contents.findings, *plan.warnings),
        dry_run=order.dry_run,
    )


async def _write(session: AsyncSession, bank: Bank, plan: Plan, now: datetime) -> None:
    await store.save_topics(session, bank.id, {uuid4(): topic for topic in plan.topics})
    for stimulus in plan.stimuli:
        if stimulus.number == 1:
            await store.insert_stimulus(session, bank.id, stimulus.stimulus_id, stimulus.stimulus.code)
        await store.insert_stimulus_version(session, stimulus)
    await store.insert_items(session, [edits.item_columns(version, bank.id, now) for version in plan.created])
    await store.save_reviews(session, [old for edit in plan.edits for old in edit.retired])
    await store.insert_versions(session, [*plan.created, *(e.version for e in plan.edits if e.is_new)])
    await store.save_versions(session, [edit.version for edit in plan.edits if not edit.is_new])
    await store.update_items(session, [edits.list_columns(edit.version, now) for edit in plan.edits])


async def _submit(
    session: AsyncSession, submitter: Person | None, versions: Sequence[ItemVersion], now: datetime
) -> list[ItemVersion]:
    drafts = [version.item_id for version in versions if version.review.state is ItemState.DRAFT]
    if submitter is None or not drafts:
        return []
    return await service.submit_items(session, drafts, actor=submitter, now=now)


async def _approve(
    session: AsyncSession,
    approver: Person | None,
    versions: Sequence[ItemVersion],
    submitted: Sequence[ItemVersion],
    now: datetime,
) -> int:
    waiting = [version.item_id for version in versions if version.review.state is ItemState.SUBMITTED]
    ids = [*waiting, *(version.item_id for version in submitted)]
    if approver is None or not ids:
        return 0
    return len(await service.approve_items(session, ids, actor=approver, now=now))
