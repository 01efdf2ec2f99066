"""Units and people from files: everything is read and checked first, so that nothing is half-imported."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from uuid import uuid4

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from exam_engine.audit import service as audit
from exam_engine.identity import model, service, store
from exam_engine.identity.errors import PasswordWeak, UnitsCircular
from exam_engine.identity.model import OrgUnit, Person, UnitId
from exam_engine.identity.permissions import Role
from exam_engine.infra.errors import FileRefused, RowError
from exam_engine.infra.files import Table, TableReader
from exam_engine.infra.i18n import LANGUAGES, N_

UNIT_ALIASES = {
    "ma": "code",
    "ma_don_vi": "code",
    "ten": "name",
    "ten_don_vi": "name",
    "loai": "kind",
    "truc_thuoc": "parent",
    "don_vi_cha": "parent",
    "tu_ngay": "valid_from",
    "den_ngay": "valid_to",
    "don_vi_ke_thua": "successor",
}
PEOPLE_ALIASES = {
    "ten_dang_nhap": "user_name",
    "ho_ten": "display_name",
    "ho_va_ten": "display_name",
    "vai_tro": "role",
    "don_vi": "unit",
    "mat_khau": "password",
    "ngon_ngu": "language",
    "tu_ngay": "valid_from",
    "den_ngay": "valid_to",
}


class UnitImport(msgspec.Struct, frozen=True):
    """What an import of units did."""

    added: int
    changed: int
    unchanged: int


class PeopleImport(msgspec.Struct, frozen=True):
    """What an import of people did. Passwords of people who were here before are left as they are."""

    added: int
    known: int
    grants_added: int


async def import_units(session: AsyncSession, table: Table, *, actor: str, now: datetime) -> UnitImport:
    """Add units, or change those whose code is known; lines may come in any order.

    Raises
    ------
    FileRefused
        Names every wrong line; nothing was written.
    """
    await store.lock_units(session)
    known = {unit.code: unit for unit in await store.load_units(session)}
    units = _read_units(table, known)
    changed = [unit for unit in units if unit.code in known and known[unit.code] != unit]
    added = [unit for unit in units if unit.code not in known]
    await store.save_units(session, [*added, *changed])
    result = UnitImport(added=len(added), changed=len(changed), unchanged=len(units) - len(added) - len(changed))
    facts = {**msgspec.structs.asdict(result), "file": table.file_name}
    await audit.append(session, actor=actor, action="unit.import", subject="unit", facts=facts, now=now)
    return result


async def import_people(session: AsyncSession, table: Table, *, today: date, actor: str, now: datetime) -> PeopleImport:
    """Add people and their grants; several lines with one user name are several grants of one person.

    Raises
    ------
    FileRefused
        Names every wrong line; nothing was written.
    """
    units = {unit.code: unit for unit in await store.load_units(session)}
    lines = _read_people(table, units, today)
    people: dict[str, Person] = {person.user_name: person for person in await store.load_people(session, today)}
    added = grants_added = 0
    touched: set[str] = set()
    for line in lines:
        person = people.get(line.user_name)
        if person is None:
            person = await service.create_person(
                session,
                line.user_name,
                line.display_name,
                password=line.password,
                language=line.language,
                actor=actor,
                now=now,
            )
            added += 1
        touched.add(line.user_name)
        if line.role is not None and line.unit is not None:
            grant = await service.grant_role(
                session,
                person,
                line.role,
                line.unit,
                valid_from=line.valid_from,
                valid_to=line.valid_to,
                actor=actor,
                now=now,
            )
            if grant not in person.grants:
                person = msgspec.structs.replace(person, grants=(*person.grants, grant))
                grants_added += 1
        people[line.user_name] = person
    result = PeopleImport(added=added, known=len(touched) - added, grants_added=grants_added)
    facts = {**msgspec.structs.asdict(result), "file": table.file_name}
    await audit.append(session, actor=actor, action="person.import", subject="person", facts=facts, now=now)
    return result


class _PersonLine(msgspec.Struct, frozen=True):
    user_name: str
    display_name: str
    role: Role | None
    unit: OrgUnit | None
    password: str | None
    language: str
    valid_from: date
    valid_to: date | None


def _read_units(table: Table, known: Mapping[str, OrgUnit]) -> Sequence[OrgUnit]:
    optional = ("kind", "parent", "valid_to", "successor")
    reader = TableReader(table, required=("code", "name", "valid_from"), optional=optional, aliases=UNIT_ALIASES)
    rows: dict[str, tuple[int, OrgUnit, str, str]] = {}
    for row in reader:
        code = reader.text("code")
        if code in rows:
            reader.wrong("code", N_("the code {code} stands in row {other} already"), code=code, other=rows[code][0])
            continue
        valid_from, valid_to = reader.date("valid_from", None), reader.date("valid_to", None)
        if valid_from is None and not row.cells.get("valid_from"):
            reader.wrong("valid_from", N_("the cell is empty"))
        if valid_from and valid_to and valid_to <= valid_from:
            reader.wrong("valid_to", N_("the end does not come after the beginning"))
        unit = OrgUnit(
            id=known[code].id if code in known else UnitId(uuid4()),
            code=code,
            name=reader.text("name"),
            kind=reader.text("kind", required=False),
            parent_id=None,
            valid_from=valid_from or date.min,
            valid_to=valid_to,
        )
        parent, successor = reader.text("parent", required=False), reader.text("successor", required=False)
        rows[code] = (row.number, unit, parent, successor)
    ids = {code: unit.id for code, unit in known.items()} | {code: entry[1].id for code, entry in rows.items()}
    for number, _, parent, successor in rows.values():
        for column, code in (("parent", parent), ("successor", successor)):
            if code and code not in ids:
                reader.wrong_in(number, column, N_("there is no unit {code}"), code=code)
    reader.finish()
    units = [
        msgspec.structs.replace(unit, parent_id=ids.get(parent), successor_id=ids.get(successor))
        for _, unit, parent, successor in rows.values()
    ]
    _require_no_circle(table.file_name, [*known.values(), *units])
    return units


def _require_no_circle(file_name: str, units: Sequence[OrgUnit]) -> None:
    codes = {unit.id: unit.code for unit in units}
    parents = {unit.code: codes.get(unit.parent_id) if unit.parent_id else None for unit in units}
    successors = {unit.code: codes.get(unit.successor_id) if unit.successor_id else None for unit in units}
    try:
        model.require_no_circle(parents)
        model.require_no_circle(successors)
    except UnitsCircular as error:
        raise FileRefused(file_name, [RowError(f"unit {error.codes[0]}", str(error))]) from error


def _read_people(table: Table, units: Mapping[str, OrgUnit], today: date) -> Sequence[_PersonLine]:
    optional = ("role", "unit", "password", "language", "valid_from", "valid_to")
    reader = TableReader(table, required=("user_name", "display_name"), optional=optional, aliases=PEOPLE_ALIASES)
    lines: list[_PersonLine] = []
    for row in reader:
        name, display_name = model.fold_user_name(reader.text("user_name")), reader.text("display_name")
        if name and not model.is_user_name(name):
            reader.wrong("user_name", N_("“{value}” is not a user name"), value=name[:40])
        role_name, unit_code = reader.text("role", required=False), reader.text("unit", required=False)
        if role_name and role_name not in {str(role) for role in Role}:
            reader.wrong("role", N_("there is no role {value}"), value=role_name[:40])
        if unit_code and unit_code not in units:
            reader.wrong("unit", N_("there is no unit {code}"), code=unit_code[:40])
        if bool(role_name) != bool(unit_code):
            reader.wrong("unit" if role_name else "role", N_("role and unit belong together"))
        password = row.cells.get("password") or None
        if password is not None:
            try:
                model.require_strong(password, name)
            except PasswordWeak as error:
                reader.wrong(
                    "password",
                    N_("the password is too weak: {minimum} characters or more, and not a common one"),
                    minimum=error.minimum_characters,
                )
        language = reader.text("language", required=False) or "vi"
        if language not in LANGUAGES:
            reader.wrong("language", N_("“{value}” is not a language of the interface"), value=language[:40])
        valid_from, valid_to = reader.date("valid_from", today), reader.date("valid_to", None)
        if valid_to is not None and valid_to <= valid_from:
            reader.wrong("valid_to", N_("the end does not come after the beginning"))
        if reader.errors:
            continue
        role = Role(role_name) if role_name else None
        lines.append(
            _PersonLine(
                user_name=name,
                display_name=display_name,
                role=role,
                unit=units.get(unit_code),
                password=password,
                language=language,
                valid_from=valid_from,
                valid_to=valid_to,
            )
        )
    reader.finish()
    return lines
