"""What a file of candidates would change: new people, changed fields, and collisions with those already there."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import msgspec

from exam_engine.enrolment.birth_dates import show_birth_date
from exam_engine.enrolment.candidate_files import CandidateFile, CandidateRecord
from exam_engine.enrolment.model import Candidate, Change
from exam_engine.enrolment.time_factors import show_time_factor
from exam_engine.infra.i18n import N_


class CandidateChanges(msgspec.Struct, frozen=True):
    """The work of an import: records to create, candidates with new values, and how many stay as they are."""

    created: Sequence[CandidateRecord]
    changed: Sequence[Candidate]
    unchanged: int
    changes: Sequence[Change]


def compare(
    file: CandidateFile, candidates: Sequence[Candidate], schools: Mapping[str, UUID], subject_codes: Sequence[str]
) -> CandidateChanges:
    """Compare a file with the candidates of the exam; collisions are noted in the file's reader.

    A row belongs to the candidate with its number; without one, to the candidate of the same name, date of birth and
    school. Candidates the file does not name stay as they are, and a cell left empty takes nothing away.
    """
    codes = {unit: code for code, unit in schools.items()}
    by_number = {c.number: c for c in candidates if c.number is not None}
    by_person = {_person(c, codes): c for c in candidates}
    created: list[CandidateRecord] = []
    changed: list[Candidate] = []
    changes: list[Change] = []
    unchanged = 0
    for record in file.records:
        present = by_number.get(record.number) if record.number else None
        if present is not None and _is_somebody_else(record, present):
            _refuse_collision(file, record, present)
            continue
        if present is None:
            present = by_person.get(record.person)
            if present is not None and record.number and present.number:
                # The same person under another number: either number may be on a printed card.
                _refuse_second_number(file, record, present)
                continue
        if present is None:
            created.append(record)
            continue
        wanted = _updated(present, record, schools, subject_codes)
        if wanted.full_name == present.full_name and not file.has_given_names:
            wanted = msgspec.structs.replace(wanted, sort_key=present.sort_key)
        differences = _differences(present, wanted, codes)
        changes += differences
        if differences:
            changed.append(wanted)
        else:
            unchanged += 1
    return CandidateChanges(created, changed, unchanged, changes)


def _person(candidate: Candidate, codes: Mapping[UUID, str]) -> tuple[str, str | None, str | None]:
    school = codes.get(candidate.school_unit_id) if candidate.school_unit_id else None
    return (candidate.full_name.casefold(), candidate.date_of_birth, school)


def _is_somebody_else(record: CandidateRecord, present: Candidate) -> bool:
    other_name = record.full_name.casefold() != present.full_name.casefold()
    known = record.date_of_birth is not None and present.date_of_birth is not None
    return other_name and (not known or record.date_of_birth != present.date_of_birth)


def _refuse_collision(file: CandidateFile, record: CandidateRecord, present: Candidate) -> None:
    message = N_("the number {value} belongs to “{holder}”, not to “{name}”")
    facts = {"value": record.number or "", "holder": present.full_name, "name": record.full_name}
    file.reader.wrong_in(record.row, "candidate_number", message, **facts)


def _refuse_second_number(file: CandidateFile, record: CandidateRecord, present: Candidate) -> None:
    message = N_("“{name}” already has the number {held}; a second one, {value}, would be another candidate")
    facts = {"value": record.number or "", "held": present.number or "", "name": record.full_name}
    file.reader.wrong_in(record.row, "candidate_number", message, **facts)


def _updated(
    present: Candidate, record: CandidateRecord, schools: Mapping[str, UUID], subject_codes: Sequence[str]
) -> Candidate:
    subjects = record.subjects or tuple(subject_codes)
    return msgspec.structs.replace(
        present,
        number=record.number or present.number,
        full_name=record.full_name,
        sort_key=record.sort_key,
        date_of_birth=record.date_of_birth or present.date_of_birth,
        school_unit_id=schools[record.school] if record.school else present.school_unit_id,
        time_factor=record.time_factor or present.time_factor,
        attributes={**present.attributes, **record.attributes},
        subjects=subjects if record.subjects else present.subjects or subjects,
    )


def _differences(before: Candidate, after: Candidate, codes: Mapping[UUID, str]) -> list[Change]:
    old, new = _shown(before, codes), _shown(after, codes)
    subject = before.number or before.full_name
    return [
        Change(subject, field, old.get(field), new.get(field))
        for field in dict.fromkeys((*old, *new))
        if old.get(field) != new.get(field)
    ]


def _shown(candidate: Candidate, codes: Mapping[UUID, str]) -> dict[str, Any]:
    return {
        "candidate_number": candidate.number,
        "full_name": candidate.full_name,
        "date_of_birth": show_birth_date(candidate.date_of_birth) or None,
        "school": codes.get(candidate.school_unit_id) if candidate.school_unit_id else None,
        "subjects": " ".join(candidate.subjects),
        "sort_key": candidate.sort_key,
        "time_factor": show_time_factor(candidate.time_factor),
        **candidate.attributes,
    }
