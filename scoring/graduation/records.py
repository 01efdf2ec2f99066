"""A candidate's record for the graduation score, read from cells of text: a file's row, or what an exam holds.

Every mistake of a record is found in one pass and named by its column. Nothing is guessed: an unknown column is one.
"""

import re
from collections.abc import Iterable, Mapping
from decimal import Decimal
from fractions import Fraction

import msgspec

from scoring.errors import Mistake, RecordInvalid
from scoring.graduation.rules import Combine, RuleSet
from scoring.values import to_decimal, to_hundredths

YEARS = ("10", "11", "12")

ALIASES: Mapping[str, str] = {
    "so_bao_danh": "candidate_number",
    "sbd": "candidate_number",
    "he": "programme",
    "chuong_trinh": "programme",
    "nam_thi": "exam_year",
    "mien_thi": "exempt",
    "khuyen_khich": "encouragement",
    "diem_khuyen_khich": "encouragement",
    "kk": "encouragement",
    "dien_uu_tien": "priority_group",
    "nhom_uu_tien": "priority_group",
    "diem_uu_tien": "priority_points",
    "ut": "priority_points",
    "bao_luu": "conserved",
    "huy_ket_qua": "cancelled",
    "dac_cach": "special_case",
    "hoc_nuoc_ngoai": "years_abroad",
    **{f"{name}{year}": f"year{year}" for year in YEARS for name in ("tb", "tb_", "dtb", "dtb_", "lop_", "year_")},
}
"""Other names of the columns, folded as file readers do: lower case, no marks, "_" between words."""

COLUMNS = frozenset(
    {
        "candidate_number",
        "programme",
        "exam_year",
        "exempt",
        "years_abroad",
        "encouragement",
        "priority_group",
        "priority_points",
        "conserved",
        "cancelled",
        "special_case",
        *(f"year{year}" for year in YEARS),
        *(f"year{year}_subjects" for year in YEARS),
    }
)
IGNORED = frozenset(
    {"full_name", "ho_ten", "ho_va_ten", "date_of_birth", "ngay_sinh", "school", "truong", "class", "lop"}
    | {"note", "ghi_chu", "stt"}
)
"""Columns lists of candidates carry along; they do not touch the score."""

ABSENT = frozenset({"v", "vắng", "vang", "absent"})
EXEMPT = frozenset({"mt", "miễn", "mien", "miễn thi", "exempt"})
ABROAD = frozenset({"abroad", "nước ngoài", "nuoc ngoai"})
YES = frozenset({"yes", "true", "1", "x", "có", "co"})
NO = frozenset({"", "no", "false", "0", "không", "khong"})

_SEPARATOR = re.compile(r"[;|]|,(?![0-9])")  # a comma between digits is a decimal comma
_DECIMAL = re.compile(r"[0-9]{1,6}([.,][0-9]{1,6})?")


class Points(msgspec.Struct, frozen=True):
    """Points claimed, with the award or group they come from (a message id; empty: given as a number)."""

    points: Decimal
    name: str = ""
    kind: str = ""


class Conserved(msgspec.Struct, frozen=True):
    """A mark of an earlier exam; without a year it is taken to be of the exam before."""

    mark: Decimal
    year: int | None = None


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """Everything about one candidate that the graduation score depends on."""

    programme: str
    candidate_number: str = ""
    exam_year: int | None = None
    marks: dict[str, Decimal] = {}
    absent: tuple[str, ...] = ()
    exempt: tuple[str, ...] = ()
    is_exempt_from_all: bool = False
    years: dict[str, Decimal] = {}
    years_abroad: tuple[str, ...] = ()
    encouragement: tuple[Points, ...] = ()
    priority: tuple[Points, ...] = ()
    conserved: dict[str, Conserved] = {}
    is_cancelled: bool = False
    is_special_case: bool = False


def read_record(cells: Mapping[str, str], rules: RuleSet) -> Record:
    """Read one record.

    Parameters
    ----------
    cells : mapping
        Folded column name to text. Subjects stand under their code or an alias of the rule set, in lower case.
        Several values of one cell are separated by ";" or "|". Decimals take a comma or a point.
    rules : RuleSet

    Raises
    ------
    RecordInvalid
        Every mistake, each with its column.
    """
    return _Reader(cells, rules).record()


def unknown_columns(columns: Iterable[str], rules: RuleSet) -> list[Mistake]:
    """Return a mistake for every column that means nothing to the rule set: a table is told once, not by row."""
    reader = _Reader(dict.fromkeys(columns, ""), rules)
    return reader.mistakes


def year_average(marks: list[Decimal]) -> Decimal:
    """Mean of the subjects marked with numbers in a school year, half up to two decimals (TT 24/2024, article 44)."""
    return to_decimal(to_hundredths(sum(map(Fraction, marks), Fraction(0)) / len(marks)))


class _Reader:
    """Goes through the cells of one record and collects what is wrong."""

    def __init__(self, cells: Mapping[str, str], rules: RuleSet) -> None:
        self.rules = rules
        self.mistakes: list[Mistake] = []
        self.subjects = {
            alias.lower(): subject.code for subject in rules.subjects for alias in (subject.code, *subject.aliases)
        }
        self.cells: dict[str, str] = {}
        self.subject_cells: dict[str, tuple[str, str]] = {}
        for column, cell in cells.items():
            self._take(column.strip().lower(), cell.strip())

    def record(self) -> Record:
        marks, absent, exempt = self._marks()
        exempt_cell = self._list("exempt")
        is_exempt_from_all = any(value.lower() in {"all", "tất cả", "tat ca"} for value in exempt_cell)
        exempt.extend(self._exempt(value) for value in exempt_cell if not is_exempt_from_all)
        years, abroad = self._years()
        programme = self._programme()
        record = Record(
            programme=programme,
            candidate_number=self.cells.get("candidate_number", ""),
            exam_year=self._year("exam_year", self.cells.get("exam_year", "")),
            marks=marks,
            absent=tuple(absent),
            exempt=tuple(dict.fromkeys(exempt)),
            is_exempt_from_all=is_exempt_from_all,
            years=years,
            years_abroad=tuple(abroad),
            encouragement=self._encouragement(programme),
            priority=self._priority(),
            conserved=self._conserved(),
            is_cancelled=self._truth("cancelled"),
            is_special_case=self._truth("special_case"),
        )
        if self.mistakes:
            raise RecordInvalid(self.mistakes)
        return record

    def _take(self, column: str, cell: str) -> None:
        column = ALIASES.get(column, column)
        if column in self.subjects:
            code = self.subjects[column]
            held = self.subject_cells.get(code)
            if held is not None and held[1] and cell:
                self._wrong(column, "{column} and {other} are the same subject", other=held[0])
            elif held is None or cell:
                self.subject_cells[code] = (column, cell)
        elif column in COLUMNS:
            if self.cells.get(column) and cell:
                self._wrong(column, "the column {column} stands there twice")
            self.cells[column] = cell or self.cells.get(column, "")
        elif column not in IGNORED:
            self._wrong(column, "the column {column} is not known")

    def _wrong(self, column: str, message: str, **facts: str) -> None:
        self.mistakes.append(Mistake(column, message, {"column": column, **facts}))

    def _list(self, column: str) -> list[str]:
        return [value.strip() for value in _SEPARATOR.split(self.cells.get(column, "")) if value.strip()]

    def _number(self, column: str, text: str, maximum: int = 10) -> Decimal | None:
        if not _DECIMAL.fullmatch(text.removeprefix("-")):
            self._wrong(column, "“{value}” is not a number", value=text[:40])
            return None
        value = Decimal(text.replace(",", "."))
        if text.startswith("-") or value > maximum:
            self._wrong(column, "{value} is outside 0 to {maximum}", value=text, maximum=str(maximum))
            return None
        if value * 100 != (value * 100).to_integral_value():
            self._wrong(column, "{value} has more than two decimals", value=text)
            return None
        return value

    def _marks(self) -> tuple[dict[str, Decimal], list[str], list[str]]:
        marks, absent, exempt = {}, [], []
        for code, (column, cell) in self.subject_cells.items():
            if not cell:
                continue
            if cell.lower() in ABSENT:
                absent.append(code)
            elif cell.lower() in EXEMPT:
                exempt.append(self._exempt(code, column))
            else:
                mark = self._number(column, cell)
                if mark is not None:
                    marks[code] = mark
        return marks, absent, exempt

    def _exempt(self, value: str, column: str = "exempt") -> str:
        code = self.subjects.get(value.lower(), value)
        if code not in {exemption.subject for exemption in self.rules.exemptions}:
            self._wrong(column, "nobody can be exempt from {subject}", subject=value)
        return code

    def _programme(self) -> str:
        text = self.cells.get("programme", "").lower()
        if text and text not in self.rules.programmes:
            known = ", ".join(self.rules.programmes)
            self._wrong("programme", "there is no programme {value}; known: {known}", value=text, known=known)
        return text if text in self.rules.programmes else self.rules.default_programme

    def _year(self, column: str, text: str) -> int | None:
        if not text:
            return None
        if not re.fullmatch(r"[0-9]{4}", text):
            self._wrong(column, "“{value}” is not a year like 2027", value=text[:40])
            return None
        return int(text)

    def _years(self) -> tuple[dict[str, Decimal], list[str]]:
        years: dict[str, Decimal] = {}
        abroad = []
        for value in self._list("years_abroad"):
            if value not in YEARS:
                self._wrong("years_abroad", "“{value}” is not one of the years 10, 11, 12", value=value)
            abroad.append(value)
        for year in YEARS:
            column, cell = f"year{year}", self.cells.get(f"year{year}", "")
            marks = [self._number(f"{column}_subjects", text) for text in self._list(f"{column}_subjects")]
            if cell.lower() in ABROAD:
                abroad.append(year)
                continue
            average = self._number(column, cell) if cell else None
            if not cell and marks and None not in marks:
                average = year_average([mark for mark in marks if mark is not None])
            if average is not None:
                years[year] = average
            if average is not None and year in abroad:
                self._wrong("years_abroad", "year {year} has an average and is said to be abroad", year=year)
        return years, list(dict.fromkeys(abroad))

    def _encouragement(self, programme: str) -> tuple[Points, ...]:
        rule = self.rules.encouragement
        awards = {award.code: award for award in rule.awards}
        # A sum is cut at its maximum later, with a line that says so; a single prize above the highest does not exist.
        most = Decimal(10) if rule.combine is Combine.SUM else rule.maximum
        found = []
        for index, value in enumerate(self._list("encouragement")):
            award = awards.get(value.lower())
            if award is not None:
                if award.programmes and programme not in award.programmes:
                    self._wrong(
                        "encouragement",
                        "{value} does not count in programme {programme}",
                        value=value,
                        programme=programme,
                    )
                found.append(Points(award.points, award.name, award.kind))
            elif _DECIMAL.fullmatch(value):
                points = self._points("encouragement", value, most)
                found.append(Points(points, "", f"given {index}"))
            else:
                known = ", ".join(awards)
                self._wrong(
                    "encouragement",
                    "“{value}” is neither points nor an award; known: {known}",
                    value=value,
                    known=known,
                )
        return tuple(found)

    def _priority(self) -> tuple[Points, ...]:
        groups = {group.code: group for group in self.rules.priority.groups}
        found = []
        for value in self._list("priority_group"):
            group = groups.get(value.lower().removeprefix("group_"))
            if group is None:
                known = ", ".join(groups)
                self._wrong(
                    "priority_group", "there is no priority group {value}; known: {known}", value=value, known=known
                )
            else:
                found.append(Points(group.points, group.name))
        most = max(group.points for group in self.rules.priority.groups)
        found.extend(Points(self._points("priority_points", value, most)) for value in self._list("priority_points"))
        return tuple(found)

    def _points(self, column: str, text: str, maximum: Decimal) -> Decimal:
        value = self._number(column, text)
        if value is not None and value > maximum:
            self._wrong(column, "{value} is outside 0 to {maximum}", value=text, maximum=str(maximum))
        return value if value is not None else Decimal(0)

    def _conserved(self) -> dict[str, Conserved]:
        found: dict[str, Conserved] = {}
        for value in self._list("conserved"):
            name, _, rest = value.partition(":")
            text, _, year = rest.partition(":")
            code = self.subjects.get(name.strip().lower())
            if code is None or not text.strip():
                self._wrong("conserved", "“{value}” is not like TOAN:6.25 or TOAN:6.25:2024", value=value[:40])
                continue
            if code in found:
                self._wrong("conserved", "{subject} stands there twice", subject=code)
            mark = self._number("conserved", text.strip())
            if mark is not None:
                found[code] = Conserved(mark, self._year("conserved", year.strip()))
        return found

    def _truth(self, column: str) -> bool:
        text = self.cells.get(column, "").lower()
        if text not in YES and text not in NO:
            self._wrong(column, "“{value}” is neither yes nor no", value=text[:40])
        return text in YES
