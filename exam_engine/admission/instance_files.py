"""Whole allocations as files: three tables, or one JSON document of one of three forms; and their results.

docs/formats/admission.md describes each. Scores are hundredths in JSON, points with comma or point in tables.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any

import msgspec

from exam_engine.admission.allocation import (
    Allocation,
    Applicant,
    Aspiration,
    Instance,
    InstanceInvalid,
    Programme,
    Rules,
    TieRule,
)
from exam_engine.admission.choice_files import (
    ApplicantFile,
    AspirationFile,
    AspirationRecord,
    ProgrammeFile,
    read_applicants,
    read_aspirations,
    read_programmes,
)
from exam_engine.infra.errors import FileRefused, RowError
from exam_engine.infra.files import Table
from exam_engine.infra.i18n import N_

TIE_RULES: Mapping[str, TieRule] = {
    **{rule.value: rule for rule in TieRule},
    "none": TieRule.REJECT_ALL,
    "all": TieRule.ADMIT_ALL,
    "key": TieRule.CRITERIA,
}
"""Every name a tie rule goes by."""

TIE = "tie"
"""The sub-criterion of the JSON form with scores: the higher value wins."""

Quota = Annotated[int, msgspec.Meta(ge=0)]


class Problem(msgspec.Struct, frozen=True):
    """One allocation as a file has it: the instance, and what the file says about the rules."""

    name: str
    instance: Instance
    offsets: tuple[int, ...] = ()
    unread: tuple[str, ...] = ()  # fields of the document that no rule looks at


class ScoredApplicant(msgspec.Struct, frozen=True):
    """An applicant of the form with scores; one score for all programmes, or one for each."""

    choices: tuple[str, ...]
    score: int | dict[str, int]
    tie: int | None = None
    criteria: dict[str, int] = {}


class ScoredFile(msgspec.Struct, frozen=True):
    """The form with scores; `aspiration_penalty[r]` is taken off at aspiration r + 1."""

    quotas: dict[str, Quota]
    applicants: dict[str, ScoredApplicant]
    name: str = ""
    aspiration_penalty: tuple[int, ...] | None = None
    floors: dict[str, int] = {}
    stages: dict[str, int] = {}


class ListedProgramme(msgspec.Struct, frozen=True):
    """A programme that orders applicants itself."""

    quota: Quota
    priority: tuple[str, ...]


class ListedFile(msgspec.Struct, frozen=True):
    """The form with strict lists on both sides."""

    applicants: dict[str, tuple[str, ...]]
    programmes: dict[str, ListedProgramme]
    name: str = ""


class PairsFile(msgspec.Struct, frozen=True):
    """Two sides of equal size, numbered from 0, one place each; `men` apply."""

    men: tuple[tuple[int, ...], ...]
    women: tuple[tuple[int, ...], ...]
    name: str = ""


def read_problems(content: bytes, file_name: str) -> tuple[list[Problem], bool]:
    """Read one JSON document: one allocation or a list of them; tell which it was.

    Raises
    ------
    FileRefused
        It is no JSON, has none of the forms, or a name stands twice in one object.
    """
    try:
        document = json.loads(content, object_pairs_hook=_without_repetition)
    except (ValueError, UnicodeDecodeError, RecursionError) as error:
        raise FileRefused(file_name, [RowError("file", f"no valid JSON: {error}")]) from None
    if isinstance(document, list):
        return [_problem(entry, file_name, f"[{i}]") for i, entry in enumerate(document)], True
    return [_problem(document, file_name, "")], False


def read_tables(applicants: Table, aspirations: Table, programmes: Table, *, criteria: Sequence[str] = ()) -> Problem:
    """Read the three tables of one allocation.

    Raises
    ------
    FileRefused
        The first of the files that is wrong, with all its mistakes.
    """
    programme_file = read_programmes(programmes)
    programme_file.reader.finish()
    applicant_file = read_applicants(applicants, criteria=criteria)
    applicant_file.reader.finish()
    people = {record.applicant for record in applicant_file.records}
    codes = {record.code for record in programme_file.records}
    aspiration_file = read_aspirations(aspirations, applicants=people, programmes=codes)
    chosen = _scored(aspiration_file, applicant_file)
    aspiration_file.reader.finish()
    return Problem(aspirations.file_name, _instance(applicant_file, chosen, programme_file))


def result_of(allocation: Allocation, *, has_reasons: bool = True) -> dict[str, Any]:
    """Return an allocation as plain values, with the names the form with scores uses (hundredths)."""
    programmes = allocation.programmes
    result: dict[str, Any] = {
        "assignment": allocation.assignment(),
        "cutoff_score": {p.code: p.cut_off for p in programmes},
        "admitted": {p.code: p.admitted for p in programmes},
        "over_quota": {p.code: p.over_quota for p in programmes},
        "highest_refused": {p.code: p.highest_refused for p in programmes},
        "required": {p.code: list(p.required) for p in programmes},
        "last_admitted": {p.code: p.last_admitted for p in programmes if p.last_admitted is not None},
        "rules": msgspec.to_builtins(allocation.rules),
        "rounds": allocation.rounds,
        "input_hash": allocation.input_hash(),
    }
    if has_reasons:
        result["reasons"] = {o.applicant: msgspec.to_builtins(o.reasons) for o in allocation.outcomes()}
    return result


def rules_for(problem: Problem, rules: Rules) -> Rules:
    """Return the rules given, completed by what the file says: its offsets, and its own sub-criterion."""
    if not rules.offsets and problem.offsets:
        rules = msgspec.structs.replace(rules, offsets=problem.offsets)
    if rules.ties is TieRule.CRITERIA and not rules.criteria:
        has_tie = all(TIE in a.criteria for a in problem.instance.applicants)
        if not has_tie:
            raise InstanceInvalid(["the tie rule needs sub-criteria: name them with --criteria"])
        rules = msgspec.structs.replace(rules, criteria=(TIE,))
    return rules


def _scored(
    aspiration_file: AspirationFile, applicant_file: ApplicantFile
) -> dict[str, list[tuple[AspirationRecord, int]]]:
    """Give every wish its score: its own, or the applicant's."""
    own = {record.applicant: record for record in applicant_file.records}
    chosen: dict[str, list[tuple[AspirationRecord, int]]] = {}
    for record in aspiration_file.records:
        applicant = own.get(record.applicant)
        score = record.score if record.score is not None or applicant is None else applicant.score
        if score is None and applicant is not None:
            message = N_("there is no score, neither here nor in row {other} of the applicants")
            aspiration_file.reader.wrong_in(record.row, "score", message, other=applicant.row)
        chosen.setdefault(record.applicant, []).append((record, score or 0))
    return chosen


def _instance(
    applicants: ApplicantFile,
    chosen: Mapping[str, Iterable[tuple[AspirationRecord, int]]],
    programmes: ProgrammeFile,
) -> Instance:
    return Instance(
        tuple(Programme(p.code, p.quota, floor=p.floor, stage=p.stage) for p in programmes.records),
        tuple(
            Applicant(
                a.applicant,
                tuple(
                    Aspiration(record.programme, score)
                    for record, score in sorted(chosen.get(a.applicant, ()), key=lambda pair: pair[0].rank)
                ),
                a.criteria,
            )
            for a in applicants.records
        ),
    )


def _problem(document: Any, file_name: str, place: str) -> Problem:
    try:
        if isinstance(document, dict) and "quotas" in document:
            return _noting_unread(_scored_problem(msgspec.convert(document, ScoredFile)), document, ScoredFile)
        if isinstance(document, dict) and "programmes" in document:
            return _noting_unread(_listed_problem(msgspec.convert(document, ListedFile)), document, ListedFile)
        if isinstance(document, dict) and "men" in document:
            return _noting_unread(_pairs_problem(msgspec.convert(document, PairsFile)), document, PairsFile)
    except msgspec.ValidationError as error:
        raise FileRefused(file_name, [RowError(place or "file", str(error))]) from None
    reason = 'none of the forms: an object with "quotas", with "programmes", or with "men" and "women"'
    raise FileRefused(file_name, [RowError(place or "file", reason)])


def _noting_unread(problem: Problem, document: dict[str, Any], form: type[msgspec.Struct]) -> Problem:
    known = {field.encode_name for field in msgspec.structs.fields(form)}
    return msgspec.structs.replace(problem, unread=tuple(name for name in document if name not in known))


def _scored_problem(file: ScoredFile) -> Problem:
    problems = [f"floor: there is no programme {code}" for code in file.floors if code not in file.quotas]
    for name, applicant in file.applicants.items():
        if isinstance(applicant.score, dict):
            missing = [code for code in applicant.choices if code not in applicant.score]
            problems += [f"applicant {name}: no score for programme {code}" for code in missing]
    if problems:
        raise InstanceInvalid(problems)
    programmes = tuple(
        Programme(code, quota, floor=file.floors.get(code), stage=file.stages.get(code, 1))
        for code, quota in file.quotas.items()
    )
    applicants = []
    for name, a in file.applicants.items():
        aspirations = tuple(Aspiration(c, a.score if isinstance(a.score, int) else a.score[c]) for c in a.choices)
        criteria = a.criteria if a.tie is None else {TIE: a.tie, **a.criteria}
        applicants.append(Applicant(name, aspirations, criteria))
    return Problem(file.name, Instance(programmes, tuple(applicants)), file.aspiration_penalty or ())


def _listed_problem(file: ListedFile) -> Problem:
    programmes = tuple(Programme(code, p.quota, priority=p.priority) for code, p in file.programmes.items())
    applicants = tuple(Applicant(n, tuple(Aspiration(c) for c in choices)) for n, choices in file.applicants.items())
    return Problem(file.name, Instance(programmes, applicants))


def _pairs_problem(file: PairsFile) -> Problem:
    programmes = tuple(Programme(str(i), 1, priority=tuple(map(str, order))) for i, order in enumerate(file.women))
    applicants = tuple(
        Applicant(str(i), tuple(Aspiration(str(c)) for c in choices)) for i, choices in enumerate(file.men)
    )
    return Problem(file.name, Instance(programmes, applicants))


def _without_repetition(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f'"{twice}" stands twice in one object')
    return found
