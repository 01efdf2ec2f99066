"""Units and people from files: all or nothing, every wrong line named."""

from uuid import uuid4

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from exam_engine.identity import service
from exam_engine.identity.imports import PeopleImport, UnitImport, import_people, import_units
from exam_engine.identity.permissions import Role
from exam_engine.infra.errors import FileRefused
from exam_engine.infra.files import Table, read_table
from tests.exam_engine.identity.people import NOW, TODAY


def table(text: str, name: str = "units.csv") -> Table:
    return read_table(text.encode(), name)


async def imported_units(session: AsyncSession, text: str) -> UnitImport:
    return await import_units(session, table(text), actor="system:test", now=NOW)


async def imported_people(session: AsyncSession, text: str) -> PeopleImport:
    return await import_people(session, table(text, "people.csv"), today=TODAY, actor="system:test", now=NOW)


@pytest.fixture
def mark() -> str:
    return uuid4().hex[:6]


async def test_a_tree_is_read_in_any_order_with_vietnamese_headers(session: AsyncSession, mark: str) -> None:
    result = await imported_units(
        session,
        "Mã;Tên;Loại;Trực thuộc;Từ ngày;Đến ngày\n"
        f"S-{mark};Trường Bình Minh;school;C-{mark};01/07/2025;\n"
        f"C-{mark};Xã Hòa Bình;commune;P-{mark};2025-07-01;\n"
        f"P-{mark};Tỉnh Mẫu;province;;1/1/2020;31/12/2030\n",
    )
    assert result == UnitImport(added=3, changed=0, unchanged=0)
    school = await service.load_unit_coded(session, f"S-{mark}")
    commune = await service.load_unit_coded(session, f"C-{mark}")
    assert school.name == "Trường Bình Minh"
    assert school.parent_id == commune.id


async def test_an_import_done_again_changes_nothing_and_a_changed_line_only_itself(
    session: AsyncSession, mark: str
) -> None:
    text = f"code,name,valid_from,parent\nP-{mark},Province,2020-01-01,\nS-{mark},School,2020-01-01,P-{mark}\n"
    await imported_units(session, text)
    before = await service.load_unit_coded(session, f"S-{mark}")
    assert await imported_units(session, text) == UnitImport(added=0, changed=0, unchanged=2)
    changed = await imported_units(session, text.replace("School", "Better School"))
    assert changed == UnitImport(added=0, changed=1, unchanged=1)
    after = await service.load_unit_coded(session, f"S-{mark}")
    assert (after.id, after.name, after.parent_id) == (before.id, "Better School", before.parent_id)


async def test_every_wrong_line_of_units_is_named_and_nothing_is_written(session: AsyncSession, mark: str) -> None:
    with pytest.raises(FileRefused) as refused:
        await imported_units(
            session,
            "code,name,parent,valid_from,valid_to,successor\n"
            f"A-{mark},Good,,2020-01-01,,\n"
            f"B-{mark},,nowhere,2020-01-01,,\n"
            f"A-{mark},Twice,,2020-01-01,,\n"
            f"C-{mark},Dates,,2020-13-01,,\n"
            f"D-{mark},Ends,,2020-02-01,2020-01-01,\n"
            f"E-{mark},None,,,,gone\n",
        )
    assert [error.place for error in refused.value.errors] == [
        "row 3, column name",
        "row 3, column parent",
        "row 4, column code",
        "row 5, column valid_from",
        "row 6, column valid_to",
        "row 7, column valid_from",
        "row 7, column successor",
    ]
    assert not [unit for unit in await service.load_units(session) if unit.code.endswith(mark)]


async def test_units_in_a_circle_are_refused_through_units_known_before_too(session: AsyncSession, mark: str) -> None:
    header = "code,name,valid_from,parent\n"
    await imported_units(session, f"{header}A-{mark},A,2020-01-01,\nB-{mark},B,2020-01-01,A-{mark}\n")
    with pytest.raises(FileRefused, match="circle"):
        await imported_units(session, f"{header}A-{mark},A,2020-01-01,B-{mark}\n")
    with pytest.raises(FileRefused, match="circle"):
        await imported_units(session, f"code,name,valid_from,successor\nC-{mark},C,2020-01-01,C-{mark}\n")


async def test_people_get_their_roles_line_by_line(session: AsyncSession, mark: str) -> None:
    await imported_units(session, f"code,name,valid_from\nP-{mark},Province,2020-01-01\n")
    text = (
        "user_name,display_name,role,unit,password\n"
        f"an.{mark},Nguyễn Thị An,author,P-{mark},a sound of rain\n"
        f"an.{mark},Nguyễn Thị An,reviewer,P-{mark},\n"
        f"binh.{mark},Trần Bình,,,\n"
    )
    assert await imported_people(session, text) == PeopleImport(added=2, known=0, grants_added=2)
    an = await service.load_person_named(session, f"an.{mark}", on=TODAY)
    assert an.roles == {Role.AUTHOR, Role.REVIEWER}
    (await service.sign_in(session, f"an.{mark}", "a sound of rain", NOW, on=TODAY)).require_person()
    assert await imported_people(session, text) == PeopleImport(added=0, known=2, grants_added=0)


async def test_every_wrong_line_of_people_is_named_and_nobody_is_written(session: AsyncSession, mark: str) -> None:
    await imported_units(session, f"code,name,valid_from\nP-{mark},Province,2020-01-01\n")
    with pytest.raises(FileRefused) as refused:
        await imported_people(
            session,
            "user_name,display_name,role,unit,password,language\n"
            f"an.{mark},An,author,P-{mark},,\n"
            f"Nguyễn,An,author,P-{mark},,\n"
            f"b.{mark},,king,nowhere,,\n"
            f"c.{mark},C,author,,short,fr\n",
        )
    assert [error.place for error in refused.value.errors] == [
        "row 3, column user_name",
        "row 4, column display_name",
        "row 4, column role",
        "row 4, column unit",
        "row 5, column unit",
        "row 5, column password",
        "row 5, column language",
    ]
    assert "short" not in str(refused.value)
    assert mark not in " ".join(p.user_name for p in await service.load_people(session, on=TODAY))
