"""Programmes, aspirations and applicants as tables have them: every row checked, every mistake placed.

Pure: tables in, records out. The room stores them; the command `admission allocate` computes from them at once.
"""

import re
from collections.abc import Collection, Mapping, Sequence

import msgspec

from exam_engine.infra.files import Table, TableReader
from exam_engine.infra.i18n import N_
from exam_engine.infra.vietnamese import normalised

PROGRAMME_ALIASES: Mapping[str, str] = {
    **dict.fromkeys(("ma", "ma_nguyen_vong", "ma_nganh", "ma_chuong_trinh", "programme", "program"), "code"),
    **dict.fromkeys(("ten", "ten_truong", "ten_nganh", "ten_chuong_trinh"), "name"),
    **dict.fromkeys(("truong", "ma_truong"), "school"),
    **dict.fromkeys(("chi_tieu", "places", "seats"), "quota"),
    **dict.fromkeys(("diem_san", "san"), "floor"),
    **dict.fromkeys(("dot", "dot_xet"), "stage"),
}
ASPIRATION_ALIASES: Mapping[str, str] = {
    **dict.fromkeys(
        ("sbd", "so_bao_danh", "applicant", "candidate", "number", "id", "ma_hoc_sinh"), "candidate_number"
    ),
    **dict.fromkeys(("nv", "nguyen_vong", "thu_tu", "thu_tu_nguyen_vong", "stt_nguyen_vong"), "rank"),
    **dict.fromkeys(("truong", "ma_truong", "ma_nguyen_vong", "ma_nganh", "code", "program"), "programme"),
    **dict.fromkeys(("diem", "diem_xet_tuyen", "tong_diem"), "score"),
}
APPLICANT_ALIASES: Mapping[str, str] = {
    name: column for name, column in ASPIRATION_ALIASES.items() if column in {"candidate_number", "score"}
}

IGNORED = ("stt", "ghi_chu", "note", "full_name", "ho_ten", "ho_va_ten", "date_of_birth", "ngay_sinh", "lop", "class")
PROGRAMME_COLUMNS = ("name", "school", "floor", "stage", *IGNORED)
ASPIRATION_COLUMNS = ("score", "name", "school", *IGNORED)
"""A column nobody knows is refused: a misspelt floor would be a floor that does not hold."""

MAXIMUM_RANK = 100
_RANK = re.compile(r"(?:nv|nguyện vọng)?\s*0*([1-9][0-9]{0,2})", re.IGNORECASE)


class ProgrammeRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One programme as a file has it; hundredths for the floor."""

    row: int
    code: str
    name: str
    school: str | None
    quota: int
    floor: int | None
    stage: int


class AspirationRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One wish as a file has it; a score of its own only where programmes compare different scores."""

    row: int
    applicant: str
    rank: int
    programme: str
    score: int | None


class ApplicantRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One applicant as a file has it; criteria in hundredths."""

    row: int
    applicant: str
    score: int | None
    criteria: dict[str, int]


class ProgrammeFile(msgspec.Struct, frozen=True):
    """A file read to its end, with the reader that holds its mistakes."""

    records: Sequence[ProgrammeRecord]
    reader: TableReader


class AspirationFile(msgspec.Struct, frozen=True):
    """A file read to its end, with the reader that holds its mistakes."""

    records: Sequence[AspirationRecord]
    reader: TableReader


class ApplicantFile(msgspec.Struct, frozen=True):
    """A file read to its end, with the reader that holds its mistakes."""

    records: Sequence[ApplicantRecord]
    reader: TableReader


def read_programmes(
    table: Table, *, school_codes: Collection[str] | None = None, mapping: Mapping[str, str] | None = None
) -> ProgrammeFile:
    """Read programmes; `school_codes` are the units that exist, None where nobody asks."""
    reader = TableReader(
        table, required=("code", "quota"), optional=PROGRAMME_COLUMNS, aliases=PROGRAMME_ALIASES, mapping=mapping
    )
    records: list[ProgrammeRecord] = []
    seen: dict[str, int] = {}
    for row in reader:
        code = normalised(reader.text("code"))
        if code in seen:
            reader.wrong("code", N_("programme {value} already stands in row {first}"), value=code, first=seen[code])
        seen.setdefault(code, row.number)
        school = reader.text("school", required=False) or None
        if school is not None and school_codes is not None and school not in school_codes:
            reader.wrong("school", N_("there is no unit {value}"), value=school[:60])
        quota = reader.whole("quota", None)
        if quota is None or quota < 0:
            reader.wrong("quota", N_("a quota is a whole number from 0"))
        stage = reader.whole("stage", 1)
        records.append(
            ProgrammeRecord(
                row=row.number,
                code=code,
                name=normalised(reader.text("name", required=False)) or code,
                school=school,
                quota=max(quota or 0, 0),
                floor=reader.hundredths("floor", None),
                stage=stage,
            )
        )
    return ProgrammeFile(records, reader)


def read_aspirations(
    table: Table,
    *,
    applicants: Collection[str],
    programmes: Collection[str],
    mapping: Mapping[str, str] | None = None,
) -> AspirationFile:
    """Read wishes; each applicant's ranks must run from 1 without a gap and name each programme once."""
    required = ("candidate_number", "rank", "programme")
    reader = TableReader(
        table, required=required, optional=ASPIRATION_COLUMNS, aliases=ASPIRATION_ALIASES, mapping=mapping
    )
    records = []
    for row in reader:
        applicant = reader.text("candidate_number").replace(" ", "")
        if applicant and applicant not in applicants:
            reader.wrong("candidate_number", N_("there is no applicant {value}"), value=applicant[:40])
        programme = normalised(reader.text("programme"))
        if programme and programme not in programmes:
            reader.wrong("programme", N_("there is no programme {value}"), value=programme[:60])
        rank = _rank(reader)
        if applicant and programme and rank is not None:
            score = _score(reader)
            record = AspirationRecord(row=row.number, applicant=applicant, rank=rank, programme=programme, score=score)
            records.append(record)
    _refuse_repetitions(reader, records)
    return AspirationFile(records, reader)


def read_applicants(
    table: Table, *, criteria: Sequence[str] = (), mapping: Mapping[str, str] | None = None
) -> ApplicantFile:
    """Read applicants with their score and the columns of the sub-criteria."""
    reader = TableReader(table, required=("candidate_number", *criteria), aliases=APPLICANT_ALIASES, mapping=mapping)
    records = []
    seen: dict[str, int] = {}
    for row in reader:
        applicant = reader.text("candidate_number").replace(" ", "")
        if applicant in seen:
            message = N_("the applicant {value} already stands in row {first}")
            reader.wrong("candidate_number", message, value=applicant[:40], first=seen[applicant])
        seen.setdefault(applicant, row.number)
        values = {}
        for name in criteria:
            value = reader.hundredths(name, None)
            if value is None:
                reader.wrong(name, N_("the sub-criterion has no value here"))
            else:
                values[name] = value
        score = _score(reader)
        records.append(ApplicantRecord(row=row.number, applicant=applicant, score=score, criteria=values))
    return ApplicantFile(records, reader)


def _score(reader: TableReader) -> int | None:
    score = reader.hundredths("score", None)
    if score is not None and score < 0:
        reader.wrong("score", N_("a score is never below 0"))
    return score


def _rank(reader: TableReader) -> int | None:
    text = reader.text("rank")
    match = _RANK.fullmatch(text)
    rank = int(match.group(1)) if match else 0
    if text and not 0 < rank <= MAXIMUM_RANK:
        reader.wrong("rank", N_("“{value}” is no rank: 1, 2, 3 … (or NV1, NV2 …)"), value=text[:20])
    return rank or None


def _refuse_repetitions(reader: TableReader, records: Sequence[AspirationRecord]) -> None:
    ranks: dict[str, dict[int, AspirationRecord]] = {}
    programmes: dict[tuple[str, str], AspirationRecord] = {}
    for record in records:
        mine = ranks.setdefault(record.applicant, {})
        first = mine.setdefault(record.rank, record)
        if first is not record:
            message = N_("applicant {applicant} has rank {rank} in row {first} already")
            facts: dict[str, str | int] = {"applicant": record.applicant, "rank": record.rank, "first": first.row}
            reader.wrong_in(record.row, "rank", message, **facts)
        first = programmes.setdefault((record.applicant, record.programme), record)
        if first is not record:
            message = N_("applicant {applicant} chooses {programme} in row {first} already")
            facts = {"applicant": record.applicant, "programme": record.programme, "first": first.row}
            reader.wrong_in(record.row, "programme", message, **facts)
    for applicant, mine in ranks.items():
        for rank in sorted(mine):
            if rank > 1 and rank - 1 not in mine:
                message = N_("applicant {applicant} has rank {rank} but no rank {missing}")
                facts = {"applicant": applicant, "rank": rank, "missing": rank - 1}
                reader.wrong_in(mine[rank].row, "rank", message, **facts)
