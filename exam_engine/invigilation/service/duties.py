"""Use cases of room duties: who watches which room of a sitting."""

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from exam_engine.audit import service as audit
from exam_engine.delivery.model import SittingId
from exam_engine.enrolment.model import ImportReport
from exam_engine.identity import service as identity
from exam_engine.identity.model import Person, PersonId
from exam_engine.identity.permissions import Permission
from exam_engine.infra.files import Table
from exam_engine.invigilation import duty_store
from exam_engine.invigilation.duties import DutyPlan, RoomDuty
from exam_engine.invigilation.duty_files import difference, read_duties
from exam_engine.invigilation.errors import DutyRefused, DutyUnknown
from exam_engine.invigilation.service.exam_rooms import load_room, load_rooms


async def load_duties(session: AsyncSession, sitting_id: SittingId) -> Sequence[RoomDuty]:
    """Return who watches the rooms of a sitting."""
    return await duty_store.load_duties(session, sitting_id)


async def rooms_on_duty(session: AsyncSession, person_id: PersonId) -> frozenset[tuple[UUID, UUID]]:
    """Return sitting and room of every duty of a person."""
    return await duty_store.load_rooms_of(session, person_id)


async def load_invigilators(session: AsyncSession, *, on: date) -> Sequence[Person]:
    """Return who may invigilate anywhere, by name."""
    people = await identity.load_people(session, on=on)
    found = [person for person in people if person.may_somewhere(Permission.INVIGILATE)]
    return sorted(found, key=lambda person: (person.display_name, person.user_name))


async def give_duty(
    session: AsyncSession, sitting_id: SittingId, plan: DutyPlan, *, on: date, actor: str, now: datetime
) -> Person:
    """Let somebody watch a room of a sitting; it opens that room to them wherever their role was granted.

    Raises
    ------
    SittingUnknown, RoomUnknown, PersonUnknown
    DutyRefused
        The person has no role by which people invigilate.
    """
    room = await load_room(session, sitting_id, plan.room_id)
    person = await identity.load_person_named(session, plan.user_name, on=on)
    if not person.may_somewhere(Permission.INVIGILATE):
        raise DutyRefused(person.display_name)
    await duty_store.save_duty(session, sitting_id, room.id, person.id, plan.duty, by=actor, at=now)
    facts = {"room_id": room.id, "room": room.code, "person": person.user_name, "duty": plan.duty.value}
    subject = f"sitting:{sitting_id}"
    await audit.append(session, actor=actor, action="sitting.give_duty", subject=subject, facts=facts, now=now)
    return person


async def take_duty(
    session: AsyncSession, sitting_id: SittingId, room_id: UUID, user_name: str, *, on: date, actor: str, now: datetime
) -> Person:
    """Take a duty back; the room closes to the person within a minute unless their role opens it.

    Raises
    ------
    SittingUnknown, RoomUnknown, PersonUnknown, DutyUnknown
    """
    room = await load_room(session, sitting_id, room_id)
    person = await identity.load_person_named(session, user_name, on=on)
    if not await duty_store.delete_duty(session, sitting_id, room.id, person.id):
        raise DutyUnknown(person.display_name, room.code)
    facts = {"room_id": room.id, "room": room.code, "person": person.user_name}
    subject = f"sitting:{sitting_id}"
    await audit.append(session, actor=actor, action="sitting.take_duty", subject=subject, facts=facts, now=now)
    return person


async def import_duties(
    session: AsyncSession,
    sitting_id: SittingId,
    table: Table,
    *,
    on: date,
    is_dry_run: bool = False,
    actor: str,
    now: datetime,
) -> ImportReport:
    """Give the duties of a table; who is not in it keeps theirs, the same file twice changes nothing.

    Raises
    ------
    SittingUnknown
    FileRefused
        Anything is wrong in any row; nothing was changed.
    """
    rooms = await load_rooms(session, sitting_id)
    file = read_duties(table, rooms, await identity.load_people(session, on=on))
    file.reader.finish()
    held = {(one.room_id, one.person_id): one.duty for one in await load_duties(session, sitting_id)}
    before = [held.get((row.room.id, row.person.id)) for row in file.rows]
    changes = [difference(row, duty) for row, duty in zip(file.rows, before, strict=True)]
    wanted = [row for row, change in zip(file.rows, changes, strict=True) if change is not None]
    created = sum(change is not None and change.before is None for change in changes)
    report = ImportReport(
        file_name=table.file_name,
        rows=len(file.rows),
        created=created,
        changed=len(wanted) - created,
        unchanged=len(file.rows) - len(wanted),
        changes=tuple(change for change in changes if change is not None),
        is_dry_run=is_dry_run,
    )
    if wanted and not is_dry_run:
        for row in wanted:
            await duty_store.save_duty(session, sitting_id, row.room.id, row.person.id, row.duty, by=actor, at=now)
        facts = {
            "file": report.file_name,
            "rows": report.rows,
            "duties": [
                {"room": row.room.code, "person": row.person.user_name, "duty": row.duty.value} for row in wanted
            ],
        }
        subject = f"sitting:{sitting_id}"
        await audit.append(session, actor=actor, action="sitting.import_duties", subject=subject, facts=facts, now=now)
    return report
