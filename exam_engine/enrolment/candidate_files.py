"""Candidates as files have them: columns by Vietnamese or English names, every cell checked, every mistake placed.

Pure: a table in, records out; what the exam already holds is compared in `candidate_changes`.
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence

import msgspec

from exam_engine.enrolment.birth_dates import parse_birth_date
from exam_engine.enrolment.model import Candidate
from exam_engine.enrolment.time_factors import parse_time_factor
from exam_engine.infra.files import Table, TableReader, fold_name
from exam_engine.infra.i18n import N_
from exam_engine.infra.vietnamese import folded, name_sort_key, normalised_name
from scoring.graduation.records import ALIASES as RECORD_ALIASES

ALIASES: Mapping[str, str] = {
    **RECORD_ALIASES,
    **dict.fromkeys(
        ("sbd", "so_bao_danh", "so_bd", "number", "ma_thi_sinh", "candidate", "registration_number"), "candidate_number"
    ),
    **dict.fromkeys(("ho_va_ten", "ho_ten", "ho_ten_thi_sinh", "ho_va_ten_thi_sinh", "name"), "full_name"),
    **dict.fromkeys(("ho_dem", "ho_va_dem", "ho_va_ten_dem", "ho_lot", "ho_va_ten_lot"), "family_name"),
    **dict.fromkeys(("ten", "ten_goi", "first_name"), "given_name"),
    **dict.fromkeys(("ngay_sinh", "ngay_thang_nam_sinh", "nam_sinh", "dob", "birth_date"), "date_of_birth"),
    **dict.fromkeys(("truong", "ma_truong", "truong_thcs", "truong_thpt", "don_vi", "school_code", "unit"), "school"),
    **dict.fromkeys(("he_so_thoi_gian", "he_so_gio", "nhan_thoi_gian", "extra_time_factor"), "time_factor"),
    **dict.fromkeys(("mon_thi", "mon", "cac_mon_thi", "bai_thi", "subject"), "subjects"),
    **{f"{before}{year}": f"year{year}" for year in (6, 7, 8, 9) for before in ("tb", "tb_", "dtb", "dtb_", "lop_")},
}
"""Folded title → column. Any further column becomes an attribute under its folded title."""

_OWN_COLUMNS = frozenset(
    {"candidate_number", "full_name", "family_name", "given_name", "date_of_birth", "school", "subjects", "time_factor"}
)
_IGNORED = frozenset({"stt", "tt", "so_thu_tu", "no"})
_NUMBER = re.compile(r"[0-9]{4,12}")
_DECIMAL = re.compile(r"-?[0-9]{1,6}(?:[.,][0-9]{1,4})?")
_YEAR_AVERAGE = re.compile(r"year[0-9]{1,2}")
_NOT_IN_NAMES = re.compile(r"[0-9?!@#$%^&*=+<>{}\[\]|\\/_~\ufffd]")


class CandidateRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One candidate as a file has it."""

    row: int
    number: str | None
    full_name: str
    sort_key: str
    date_of_birth: str | None
    school: str | None  # code of the unit
    subjects: tuple[str, ...]  # codes; empty: all of the exam
    time_factor: int | None = None  # hundredths; none: not said
    attributes: dict[str, str]

    @property
    def person(self) -> tuple[str, str | None, str | None]:
        """What tells a person from another where there is no number."""
        return (self.full_name.casefold(), self.date_of_birth, self.school)


class CandidateFile(msgspec.Struct, frozen=True):
    """A file read to its end, with the reader that still takes mistakes found later."""

    records: Sequence[CandidateRecord]
    reader: TableReader

    @property
    def has_given_names(self) -> bool:
        """Whether the file says itself which word a person is sorted by."""
        return "given_name" in self.reader.columns


def read_candidates(
    table: Table,
    *,
    exam_year: int,
    subject_codes: Sequence[str],
    school_codes: frozenset[str],
    mapping: Mapping[str, str] | None = None,
) -> CandidateFile:
    """Read every row; mistakes stay in the reader, which refuses the file when `finish` is called."""
    columns = {{**ALIASES, **_folded_mapping(mapping)}.get(name, name) for name in table.columns}
    names = ("full_name",) if "given_name" not in columns else ("family_name", "given_name")
    reader = TableReader(table, required=names, aliases=ALIASES, mapping=mapping)
    records = []
    for _ in reader:
        record = _record(reader, exam_year, {code.casefold(): code for code in subject_codes}, school_codes)
        records.append(record)
    _refuse_duplicates(reader, records)
    _refuse_odd_lengths(reader, records)
    return CandidateFile(records, reader)


def find_candidate(reader: TableReader, by_number: Mapping[str, Candidate]) -> Candidate | None:
    """Find whom a row names by number, under the same name if it gives one; mistakes stay in the reader."""
    number = reader.text("candidate_number").replace(" ", "")
    if not number:
        return None
    candidate = by_number.get(number)
    if candidate is None:
        reader.wrong("candidate_number", N_("the exam has no candidate {value}"), value=number[:40])
        return None
    name = reader.text("full_name", required=False)
    if name and folded(name) != folded(candidate.full_name):
        message = N_("the number {value} belongs to “{holder}”, not to “{name}”")
        reader.wrong("full_name", message, value=number, holder=candidate.full_name, name=name[:60])
    return candidate


def _record(
    reader: TableReader, exam_year: int, subject_codes: Mapping[str, str], school_codes: frozenset[str]
) -> CandidateRecord:
    full_name, sort_key = _name(reader)
    return CandidateRecord(
        row=reader.row_number,
        number=_number(reader),
        full_name=full_name,
        sort_key=sort_key,
        date_of_birth=_birth_date(reader, exam_year),
        school=_school(reader, school_codes),
        subjects=_subjects(reader, subject_codes),
        time_factor=_time_factor(reader),
        attributes=_attributes(reader),
    )


def _number(reader: TableReader) -> str | None:
    text = reader.text("candidate_number", required=False).replace(" ", "")
    if text and not _NUMBER.fullmatch(text):
        reader.wrong("candidate_number", N_("“{value}” is no candidate number: 4 to 12 digits"), value=text[:40])
        return None
    return text or None


def _name(reader: TableReader) -> tuple[str, str]:
    if "given_name" in reader.columns:
        given = normalised_name(reader.text("given_name"))
        full_name = normalised_name(f"{reader.text('family_name', required=False)} {given}")
        column = "given_name"
    else:
        given, full_name, column = None, normalised_name(reader.text("full_name")), "full_name"
    strange = _NOT_IN_NAMES.search(full_name)
    if strange:
        message = N_("“{value}” cannot be a name: it holds “{character}”")
        reader.wrong(column, message, value=full_name[:60], character=strange.group())
    return full_name, name_sort_key(full_name, given)


def _birth_date(reader: TableReader, exam_year: int) -> str | None:
    text = reader.text("date_of_birth", required=False)
    try:
        return parse_birth_date(text, exam_year)
    except ValueError:
        message = N_("“{value}” is no date of birth like 31/12/2009 or 2009")
        reader.wrong("date_of_birth", message, value=text[:40])
        return None


def _school(reader: TableReader, school_codes: frozenset[str]) -> str | None:
    code = reader.text("school", required=False)
    if code and code not in school_codes:
        reader.wrong("school", N_("there is no unit {value}"), value=code[:60])
        return None
    return code or None


def _subjects(reader: TableReader, known: Mapping[str, str]) -> tuple[str, ...]:
    wanted = [word for word in re.split(r"[\s,;+]+", reader.text("subjects", required=False)) if word]
    for word in wanted:
        if word.casefold() not in known:
            message = N_("the exam has no subject {value}; it has: {known}")
            reader.wrong("subjects", message, value=word[:40], known=", ".join(known.values()))
    chosen = {known[word.casefold()] for word in wanted if word.casefold() in known}
    return tuple(code for code in known.values() if code in chosen)


def _time_factor(reader: TableReader) -> int | None:
    text = reader.text("time_factor", required=False)
    try:
        return parse_time_factor(text) if text else None
    except ValueError:
        message = N_("“{value}” is no time factor from 1 to 3 like 1.25")
        reader.wrong("time_factor", message, value=text[:40])
        return None


def _attributes(reader: TableReader) -> dict[str, str]:
    attributes = {}
    for column in reader.columns:
        if column in _OWN_COLUMNS or column in _IGNORED:
            continue
        text = reader.text(column, required=False)
        if _DECIMAL.fullmatch(text):
            text = text.replace(",", ".")
        if _YEAR_AVERAGE.fullmatch(column) and text and not _is_mark(text):
            reader.wrong(column, N_("“{value}” is no average between 0 and 10"), value=text[:40])
        if text:
            attributes[column] = text
    return attributes


def _is_mark(text: str) -> bool:
    return re.fullmatch(r"[0-9]{1,2}(\.[0-9]{1,2})?", text) is not None and float(text) <= 10


def _refuse_duplicates(reader: TableReader, records: Sequence[CandidateRecord]) -> None:
    by_number: dict[str, CandidateRecord] = {}
    by_person: dict[tuple[str, str | None, str | None], CandidateRecord] = {}
    for record in records:
        if record.number is not None:
            first = by_number.setdefault(record.number, record)
            if first is not record:
                message = N_("the number {value} already stands in row {first}: “{first_name}” and “{name}”")
                reader.wrong_in(
                    record.row,
                    "candidate_number",
                    message,
                    value=record.number,
                    first=first.row,
                    first_name=first.full_name,
                    name=record.full_name,
                )
            continue
        first = by_person.setdefault(record.person, record)
        if first is not record and record.full_name:
            message = N_("“{name}” stands with the same date of birth and school in row {first} already; give numbers")
            reader.wrong_in(record.row, "full_name", message, name=record.full_name, first=first.row)


def _refuse_odd_lengths(reader: TableReader, records: Sequence[CandidateRecord]) -> None:
    lengths = Counter(len(record.number) for record in records if record.number)
    if len(lengths) < 2:
        return
    usual = max(lengths, key=lambda length: (lengths[length], length))
    for record in records:
        if record.number and len(record.number) != usual:
            message = N_(
                "“{value}” has {length} digits, the others {usual}; leading zeros count, so keep the column as text"
            )
            reader.wrong_in(
                record.row,
                "candidate_number",
                message,
                value=record.number,
                length=len(record.number),
                usual=usual,
            )


def _folded_mapping(mapping: Mapping[str, str] | None) -> dict[str, str]:
    return {fold_name(title): column for title, column in (mapping or {}).items()}
