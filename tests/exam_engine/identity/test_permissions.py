"""Who may do what, where: the table, and the reach of a grant over a dated tree."""

from datetime import date, timedelta

import msgspec
import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from exam_engine.identity import service
from exam_engine.identity.errors import GrantUnknown, PermissionDenied
from exam_engine.identity.model import OrgUnit, Person
from exam_engine.identity.permissions import PERMISSIONS, Permission, Role, permits, roles_with
from tests.exam_engine.identity.people import NOW, TODAY, person, saved, unit

MERGER = date(2025, 7, 1)


def test_every_role_has_its_line_and_every_permission_somebody_who_holds_it() -> None:
    assert set(PERMISSIONS) == set(Role)
    assert {permission for held in PERMISSIONS.values() for permission in held} == set(Permission)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param(Permission.WRITE_ITEMS, Permission.REVIEW_ITEMS, id="writing and reviewing items"),
        pytest.param(Permission.WRITE_FORMS, Permission.SEAL_FORMS, id="assembling and sealing forms"),
        pytest.param(Permission.MANAGE_PEOPLE, Permission.READ_KEYS, id="granting roles and reading keys"),
        pytest.param(Permission.MARK_ESSAYS, Permission.RELEASE_RESULTS, id="marking and releasing"),
    ],
)
def test_no_single_role_holds_both_ends_of_a_four_eyes_step(one: Permission, other: Permission) -> None:
    assert not roles_with(one) & roles_with(other)


def test_an_invigilator_and_an_administrator_see_no_item_and_no_key() -> None:
    for role in (Role.INVIGILATOR, Role.ADMINISTRATOR, Role.ADMISSION_OFFICER):
        assert not permits(role, Permission.READ_ITEMS)
        assert not permits(role, Permission.READ_KEYS)


async def may(session: AsyncSession, who: Person, where: OrgUnit, on: date = TODAY) -> bool:
    """Ask both ways, which must always agree."""
    units = await service.permitted_units(session, who.id, Permission.WRITE_ITEMS, on=on)
    try:
        await service.require(session, who.id, Permission.WRITE_ITEMS, where.id, on=on)
    except PermissionDenied:
        assert where.id not in units
        return False
    assert where.id in units
    return True


async def test_a_grant_holds_on_its_unit_and_everything_below_it_and_nowhere_else(session: AsyncSession) -> None:
    province = unit()
    commune, other = unit(province), unit(province)
    school = unit(commune)
    await saved(session, province, commune, other, school)
    author = await person(session, (Role.AUTHOR, commune))
    assert [await may(session, author, where) for where in (province, commune, school, other)] == [
        False,
        True,
        True,
        False,
    ]


async def test_another_role_on_the_same_unit_carries_nothing_of_this_one(session: AsyncSession) -> None:
    province = unit()
    await saved(session, province)
    assert not await may(session, await person(session, (Role.REVIEWER, province)), province)


async def test_a_grant_holds_from_its_first_day_until_the_day_before_its_end(session: AsyncSession) -> None:
    province = unit()
    await saved(session, province)
    author = await person(session)
    last = TODAY + timedelta(days=1)
    await service.grant_role(
        session, author, Role.AUTHOR, province, valid_from=TODAY, valid_to=last, actor="system:test", now=NOW
    )
    days = [TODAY - timedelta(days=1), TODAY, last]
    assert [await may(session, author, province, day) for day in days] == [False, True, False]


async def test_an_ended_grant_holds_no_longer_and_cannot_end_twice(session: AsyncSession) -> None:
    province = unit()
    await saved(session, province)
    author = await person(session, (Role.AUTHOR, province))
    (grant,) = author.grants
    await service.end_grant(session, grant.id, on=TODAY, actor="system:test", now=NOW)
    assert not await may(session, author, province)
    assert await may(session, author, province, TODAY - timedelta(days=1))
    with pytest.raises(GrantUnknown):
        await service.end_grant(session, grant.id, on=TODAY, actor="system:test", now=NOW)


async def test_somebody_shut_out_may_do_nothing_any_more(session: AsyncSession) -> None:
    province = unit()
    await saved(session, province)
    author = await person(session, (Role.AUTHOR, province))
    await service.set_active(session, author, is_active=False, actor="system:test", now=NOW)
    assert not await may(session, author, province)


async def test_a_grant_on_a_merged_unit_goes_on_in_its_successor_from_that_day_on(session: AsyncSession) -> None:
    merged = unit()
    old = unit(valid_to=MERGER, successor_id=merged.id)
    school = unit(merged)
    await saved(session, merged, old, school)
    author = await person(session, (Role.AUTHOR, old))
    before = MERGER - timedelta(days=1)
    assert [await may(session, author, where, before) for where in (old, merged, school)] == [True, False, False]
    assert [await may(session, author, where, MERGER) for where in (old, merged, school)] == [True, True, True]


async def test_the_successor_takes_over_the_records_of_the_unit_it_replaced(session: AsyncSession) -> None:
    province = unit()
    merged = unit(province)
    old = unit(valid_to=MERGER, successor_id=merged.id)
    school_of_old = unit(old)
    await saved(session, province, merged, old, school_of_old)
    author = await person(session, (Role.AUTHOR, province))
    assert [await may(session, author, where, TODAY) for where in (old, school_of_old)] == [True, True]
    assert [await may(session, author, where, date(2025, 6, 30)) for where in (old, school_of_old)] == [False, False]


async def test_successors_are_followed_through_several_mergers(session: AsyncSession) -> None:
    newest = unit()
    middle = unit(valid_to=date(2026, 1, 1), successor_id=newest.id)
    oldest = unit(valid_to=date(2023, 1, 1), successor_id=middle.id)
    await saved(session, newest, middle, oldest)
    author = await person(session, (Role.AUTHOR, oldest))
    assert [await may(session, author, newest, day) for day in (date(2024, 1, 1), TODAY)] == [False, True]


async def test_the_same_grant_given_twice_stands_once(session: AsyncSession) -> None:
    province = unit()
    await saved(session, province)
    author = await person(session, (Role.AUTHOR, province), (Role.AUTHOR, province))
    loaded = await service.load_person(session, author.id, on=TODAY)
    assert len(loaded.grants) == 1
    assert loaded.roles == {Role.AUTHOR}
    assert loaded.may_somewhere(Permission.WRITE_ITEMS)
    assert not loaded.may_somewhere(Permission.SEAL_FORMS)
    assert not msgspec.structs.replace(loaded, is_active=False).may_somewhere(Permission.WRITE_ITEMS)
