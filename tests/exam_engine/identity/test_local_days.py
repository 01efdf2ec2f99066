"""A grant holds by the day of the installation, everywhere: an hour after midnight in Hà Nội it is yesterday in UTC."""

from datetime import UTC, date, datetime
from uuid import uuid4

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from exam_engine.authoring import service as authoring
from exam_engine.authoring.service import NewBank
from exam_engine.identity import service
from exam_engine.identity.errors import PermissionDenied
from exam_engine.identity.permissions import Permission, Role
from exam_engine.infra.clock import local_day
from tests.exam_engine.identity.people import saved, unit

ZONE = "Asia/Ho_Chi_Minh"
MIDNIGHT = datetime(2027, 6, 9, 17, 0, tzinfo=UTC)  # the tenth begins in Hà Nội
LAST_MINUTE = datetime(2027, 6, 9, 16, 59, tzinfo=UTC)


@pytest.mark.parametrize(
    ("now", "first", "last", "may"),
    [
        pytest.param(MIDNIGHT, date(2027, 6, 10), None, True, id="begins at the local midnight"),
        pytest.param(LAST_MINUTE, date(2027, 6, 10), None, False, id="not a minute before"),
        pytest.param(LAST_MINUTE, date(2027, 6, 1), date(2027, 6, 10), True, id="holds to the last local minute"),
        pytest.param(MIDNIGHT, date(2027, 6, 1), date(2027, 6, 10), False, id="ends at the local midnight"),
    ],
)
async def test_guards_and_services_agree_on_the_day(
    session: AsyncSession, now: datetime, first: date, last: date | None, may: bool
) -> None:
    place = unit()
    await saved(session, place)
    new = NewBank(
        code=f"b-{uuid4().hex[:8]}", name="Toán", subject_code="TOAN", grade=12, unit_id=place.id, language="vi"
    )
    bank = await authoring.create_bank(session, new, actor="test", now=now)
    made = await service.create_person(session, f"p-{uuid4().hex[:8]}", "An", actor="test", now=now)
    await service.grant_role(session, made, Role.AUTHOR, place, valid_from=first, valid_to=last, actor="test", now=now)
    person = await service.load_person(session, made.id, on=local_day(now, ZONE))
    assert person.may_somewhere(Permission.READ_ITEMS) is may
    assert (bank in [found.bank for found in await authoring.list_banks(session, actor=person)]) is may
    if may:
        await authoring.require(session, Permission.WRITE_ITEMS, bank, actor=person)
    else:
        with pytest.raises(PermissionDenied):
            await authoring.require(session, Permission.WRITE_ITEMS, bank, actor=person)


@pytest.mark.parametrize(
    ("zone", "day"), [(ZONE, date(2027, 6, 10)), ("UTC", date(2027, 6, 9)), ("America/New_York", date(2027, 6, 9))]
)
def test_a_day_is_that_of_the_place(zone: str, day: date) -> None:
    assert local_day(MIDNIGHT, zone) == day
