"""Accommodations as files have them: a row a candidate and subject; every cell checked, every mistake placed.

Pure. A row that grants nothing (an empty line beside the number) takes the accommodation away.
"""

from collections.abc import Mapping, Sequence

import msgspec

from exam_engine.enrolment.accommodations import MOST_MINUTES, MOST_NOTE, Accommodation, Granted, parse_minutes
from exam_engine.enrolment.candidate_files import ALIASES as CANDIDATE_ALIASES
from exam_engine.enrolment.candidate_files import find_candidate
from exam_engine.enrolment.errors import ExtraMinutesInvalid
from exam_engine.enrolment.model import Candidate, ExamSubject
from exam_engine.enrolment.time_factors import parse_time_factor
from exam_engine.infra.files import Table, TableReader
from exam_engine.infra.i18n import N_
from exam_engine.infra.vietnamese import folded

ALIASES: Mapping[str, str] = {
    **CANDIDATE_ALIASES,
    **dict.fromkeys(("mon_thi", "mon", "ma_mon", "bai_thi", "subjects"), "subject"),
    **dict.fromkeys(("them_phut", "so_phut_them", "phut_them", "phut", "minutes"), "extra_minutes"),
    **dict.fromkeys(("ghi_chu", "che_do_ho_tro", "ho_tro", "notes"), "note"),
}


class AccommodationFile(msgspec.Struct, frozen=True):
    """A file read to its end, with the reader that holds its mistakes."""

    rows: Sequence[tuple[Candidate, ExamSubject | None, Accommodation]]
    reader: TableReader


def read_accommodations(
    table: Table, candidates: Sequence[Candidate], subjects: Sequence[ExamSubject]
) -> AccommodationFile:
    """Read every row; mistakes stay in the reader, which refuses the file when `finish` is called."""
    reader = TableReader(table, required=("candidate_number",), aliases=ALIASES)
    by_number = {candidate.number: candidate for candidate in candidates if candidate.number}
    named = {folded(name): subject for subject in subjects for name in (subject.code, subject.name)}
    rows: list[tuple[Candidate, ExamSubject | None, Accommodation]] = []
    seen: dict[tuple[str, str], int] = {}
    for _ in reader:
        candidate = find_candidate(reader, by_number)
        subject, is_known = _subject(reader, named, candidate)
        granted = _granted(reader)
        if candidate is None or not is_known:
            continue
        place = (candidate.number or "", subject.code if subject else "")
        if place in seen:
            message = N_("this candidate and subject already stand in row {first}")
            reader.wrong("candidate_number", message, first=seen[place])
            continue
        seen[place] = reader.row_number
        subject_id = subject.id if subject else None
        accommodation = Accommodation(candidate_id=candidate.id, exam_subject_id=subject_id, granted=granted)
        rows.append((candidate, subject, accommodation))
    return AccommodationFile(rows, reader)


def _subject(
    reader: TableReader, named: Mapping[str, ExamSubject], candidate: Candidate | None
) -> tuple[ExamSubject | None, bool]:
    text = reader.text("subject", required=False)
    if not text:
        return None, True
    subject = named.get(folded(text))
    if subject is None:
        known = ", ".join(dict.fromkeys(one.code for one in named.values()))
        message = N_("the exam has no subject {value}; it has: {known}")
        reader.wrong("subject", message, value=text[:40], known=known)
        return None, False
    if candidate is not None and subject.code not in candidate.subjects:
        message = N_("candidate {number} is not registered for {subject}")
        reader.wrong("subject", message, number=candidate.number or "", subject=subject.code)
    return subject, True


def _granted(reader: TableReader) -> Granted:
    factor, minutes = reader.text("time_factor", required=False), reader.text("extra_minutes", required=False)
    try:
        time_factor = parse_time_factor(factor) if factor else 100
    except ValueError:
        reader.wrong("time_factor", N_("“{value}” is no time factor from 1 to 3 like 1.25"), value=factor[:40])
        time_factor = 100
    try:
        extra_minutes = parse_minutes(minutes)
    except ExtraMinutesInvalid:
        message = N_("“{value}” is no number of minutes from 0 to {most}")
        reader.wrong("extra_minutes", message, value=minutes[:40], most=MOST_MINUTES)
        extra_minutes = 0
    note = reader.text("note", required=False)
    if len(note) > MOST_NOTE:
        reader.wrong("note", N_("a note has at most {most} characters"), most=MOST_NOTE)
    return Granted(time_factor=time_factor, extra_minutes=extra_minutes, note=note)
