"""Marks as files have them: one row a candidate, one column a subject; comma or point, "V" for absent.

Pure: a table and the exam's candidates in, marks out. What is outside the scale is a mistake, never repaired.
"""

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal

import msgspec

from exam_engine.enrolment.candidate_files import ALIASES, find_candidate
from exam_engine.enrolment.model import Candidate, Change, ExamSubject, MarkNote, SubjectMark, SubjectMode
from exam_engine.infra.files import Table, TableReader, fold_name
from exam_engine.infra.i18n import N_
from exam_engine.infra.vietnamese import folded

NOTES: Mapping[str, MarkNote] = {
    **dict.fromkeys(("v", "vang", "vt", "vang thi", "absent", "bo thi"), MarkNote.ABSENT),
    **dict.fromkeys(("dc", "dinh chi", "suspended"), MarkNote.SUSPENDED),
    **dict.fromkeys(("mt", "mien", "mien thi", "exempt"), MarkNote.EXEMPT),
}
REMOVED = "-"
"""Takes a mark away; an empty cell only says nothing."""

_BESIDE = frozenset(
    {"full_name", "family_name", "given_name", "date_of_birth", "school", "stt", "tt", "room", "phong", "phong_thi"}
)
_MARK = re.compile(r"[0-9]{1,4}([.,][0-9]{1,2})?")


class MarkRecord(msgspec.Struct, frozen=True):
    """One cell of a marks file."""

    row: int
    candidate: Candidate
    subject: ExamSubject
    hundredths: int | None
    note: MarkNote | None

    @property
    def is_removal(self) -> bool:
        """Whether the cell takes a mark away."""
        return self.hundredths is None and self.note is None


class MarkFile(msgspec.Struct, frozen=True):
    """A file read to its end, with the reader that holds its mistakes."""

    records: Sequence[MarkRecord]
    reader: TableReader
    rows: int


class MarkChanges(msgspec.Struct, frozen=True):
    """The work of an import of marks."""

    created: Sequence[MarkRecord]
    changed: Sequence[MarkRecord]
    removed: Sequence[MarkRecord]
    unchanged: int
    changes: Sequence[Change]


def read_marks(
    table: Table,
    candidates: Sequence[Candidate],
    subjects: Sequence[ExamSubject],
    mapping: Mapping[str, str] | None = None,
) -> MarkFile:
    """Read every cell; mistakes stay in the reader, which refuses the file when `finish` is called."""
    aliases = {**ALIASES, **{fold_name(s.name): fold_name(s.code) for s in subjects}}
    folded_mapping = {title: fold_name(column) for title, column in (mapping or {}).items()}
    reader = TableReader(table, required=("candidate_number",), aliases=aliases, mapping=folded_mapping)
    by_number = {c.number: c for c in candidates if c.number}
    columns = _subject_columns(reader, subjects)
    records: list[MarkRecord] = []
    seen: dict[str, int] = {}
    rows = 0
    for _ in reader:
        rows += 1
        candidate = _candidate(reader, by_number, seen)
        if candidate is not None:
            cells = (_record(reader, candidate, column, subject) for column, subject in columns.items())
            records += [record for record in cells if record is not None]
    return MarkFile(records, reader, rows)


def compare_marks(file: MarkFile, present: Sequence[SubjectMark]) -> MarkChanges:
    """Compare a file with the marks already there."""
    held = {(m.candidate_id, m.exam_subject_code): m for m in present}
    created: list[MarkRecord] = []
    changed: list[MarkRecord] = []
    removed: list[MarkRecord] = []
    changes: list[Change] = []
    unchanged = 0
    for record in file.records:
        before = held.get((record.candidate.id, record.subject.code))
        old = None if before is None else show_mark(before.hundredths, before.note)
        new = None if record.is_removal else show_mark(record.hundredths, record.note)
        if old == new:
            unchanged += 1
            continue
        (created if old is None else removed if new is None else changed).append(record)
        if old is not None:
            changes.append(Change(record.candidate.number or "", record.subject.code, old, new))
    return MarkChanges(created, changed, removed, unchanged, changes)


def show_mark(hundredths: int | None, note: str | None) -> str:
    """Return a mark as files and reports have it: "7.50", or the note."""
    return note or "" if hundredths is None else f"{Decimal(hundredths).scaleb(-2):.2f}"


def _subject_columns(reader: TableReader, subjects: Sequence[ExamSubject]) -> dict[str, ExamSubject]:
    by_column = {fold_name(s.code): s for s in subjects}
    found = {}
    for column in reader.columns:
        subject = by_column.get(column)
        if subject is None and column != "candidate_number" and column not in _BESIDE:
            message = N_("the exam has no subject {value}; it has: {known}")
            reader.wrong_in(1, column, message, value=column, known=", ".join(s.code for s in subjects))
        elif subject is not None and subject.mode is SubjectMode.ONLINE:
            message = N_("{value} is sat on line: its marks do not come from a file")
            reader.wrong_in(1, column, message, value=subject.code)
        elif subject is not None:
            found[column] = subject
    return found


def _candidate(reader: TableReader, by_number: Mapping[str, Candidate], seen: dict[str, int]) -> Candidate | None:
    number = reader.text("candidate_number").replace(" ", "")
    if not number:
        return None
    if number in seen:
        message = N_("the candidate {value} already stands in row {first}")
        reader.wrong("candidate_number", message, value=number[:40], first=seen[number])
        return None
    seen[number] = reader.row_number
    return find_candidate(reader, by_number)


def _record(reader: TableReader, candidate: Candidate, column: str, subject: ExamSubject) -> MarkRecord | None:
    text = reader.text(column, required=False)
    if not text:
        return None
    if subject.code not in candidate.subjects:
        message = N_("candidate {number} is not registered for {subject}")
        reader.wrong(column, message, number=candidate.number or "", subject=subject.code)
        return None
    if text == REMOVED:
        return MarkRecord(reader.row_number, candidate, subject, None, None)
    note = NOTES.get(folded(text))
    if note is not None:
        return MarkRecord(reader.row_number, candidate, subject, None, note)
    if not _MARK.fullmatch(text):
        message = N_("“{value}” is no mark: a number with at most two decimals, or V for absent")
        reader.wrong(column, message, value=text[:40])
        return None
    hundredths = int(Decimal(text.replace(",", ".")).scaleb(2))
    if hundredths > subject.maximum:
        message = N_("{value} is outside 0 to {maximum}")
        reader.wrong(column, message, value=text, maximum=f"{Decimal(subject.maximum).scaleb(-2).normalize():f}")
        return None
    return MarkRecord(reader.row_number, candidate, subject, hundredths, None)
