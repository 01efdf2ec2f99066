"""Duties as files have them: a row a room and a person; every cell checked, every mistake placed.

Pure. Rows add duties or change them; who is not in the file keeps theirs.
"""

from collections.abc import Mapping, Sequence

import msgspec

from exam_engine.enrolment.model import Change, Room
from exam_engine.identity.model import Person, fold_user_name
from exam_engine.identity.permissions import Permission
from exam_engine.infra.files import Table, TableReader
from exam_engine.infra.i18n import N_
from exam_engine.infra.vietnamese import folded
from exam_engine.invigilation.duties import Duty

ALIASES: Mapping[str, str] = {
    **dict.fromkeys(("phong", "phong_thi", "ma_phong", "ma_phong_thi", "room_code"), "room"),
    **dict.fromkeys(("ten_dang_nhap", "tai_khoan", "nguoi_dung", "user_name", "username"), "user"),
    **dict.fromkeys(("nhiem_vu", "phan_cong", "role"), "duty"),
}
"""Folded title → column. Further columns, such as a full name, are for who reads the file."""

WORDS: Mapping[str, Duty] = {
    **dict.fromkeys(("", "invigilator", "giam thi", "can bo coi thi", "cbct"), Duty.INVIGILATOR),
    **dict.fromkeys(("deputy", "nguoi thay", "du phong", "giam thi du phong"), Duty.DEPUTY),
}
"""What a cell may say, folded; an empty one means an invigilator."""

SHOWN = 12


class DutyRow(msgspec.Struct, frozen=True):
    """One row that was understood."""

    room: Room
    person: Person
    duty: Duty

    @property
    def shown(self) -> str:
        """Whom and what a row is about, for a list of changes."""
        return f"{self.room.code} · {self.person.user_name}"


class DutyFile(msgspec.Struct, frozen=True):
    """A file read to its end, with the reader that holds its mistakes."""

    rows: Sequence[DutyRow]
    reader: TableReader


def read_duties(table: Table, rooms: Sequence[Room], people: Sequence[Person]) -> DutyFile:
    """Read every row; mistakes stay in the reader, which refuses the file when `finish` is called."""
    reader = TableReader(table, required=("room", "user"), aliases=ALIASES)
    named = {person.user_name: person for person in people}
    rows: list[DutyRow] = []
    seen: dict[tuple[str, str], int] = {}
    for _ in reader:
        room, person, duty = _room(reader, rooms), _person(reader, named), _duty(reader)
        if room is None or person is None or duty is None:
            continue
        place = (room.code, person.user_name)
        if place in seen:
            reader.wrong("user", N_("this person already stands for this room in row {first}"), first=seen[place])
            continue
        seen[place] = reader.row_number
        rows.append(DutyRow(room, person, duty))
    return DutyFile(rows, reader)


def difference(row: DutyRow, before: Duty | None) -> Change | None:
    """Return what a row changes, if anything."""
    if before is row.duty:
        return None
    return Change(row.shown, "duty", before.value if before else None, row.duty.value)


def _room(reader: TableReader, rooms: Sequence[Room]) -> Room | None:
    text = reader.text("room")
    if not text:
        return None
    found = [room for room in rooms if room.code == text] or [one for one in rooms if folded(one.code) == folded(text)]
    if len(found) == 1:
        return found[0]
    known = ", ".join([room.code for room in rooms[:SHOWN]] + ["…"] * (len(rooms) > SHOWN))
    reader.wrong("room", N_("the exam has no room {value}; it has: {known}"), value=text[:40], known=known)
    return None


def _person(reader: TableReader, named: Mapping[str, Person]) -> Person | None:
    text = reader.text("user")
    if not text:
        return None
    person = named.get(fold_user_name(text))
    if person is None:
        reader.wrong("user", N_("nobody has the user name {value}"), value=text[:40])
        return None
    if not person.may_somewhere(Permission.INVIGILATE):
        message = N_("{name} has no role by which people invigilate")
        reader.wrong("user", message, name=person.display_name)
        return None
    return person


def _duty(reader: TableReader) -> Duty | None:
    text = reader.text("duty", required=False)
    duty = WORDS.get(folded(text))
    if duty is None:
        reader.wrong("duty", N_("“{value}” is no duty: invigilator or deputy"), value=text[:40])
    return duty
