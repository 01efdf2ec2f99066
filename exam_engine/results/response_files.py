"""Scores of a file, without a server: keys as JSON, responses as a table, as docs/formats/scoring.md describes them."""

import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Annotated

import msgspec

from exam_engine.infra.errors import FileRefused, RowError
from exam_engine.infra.files import Row, read_table
from scoring.errors import KeyInvalid, ScoringError
from scoring.keys import (
    ClusterKey,
    Key,
    OneOptionKey,
    OptionSetKey,
    RubricKey,
    ShortAnswerKey,
    VoidKey,
    require_valid_key,
)
from scoring.totals import AttemptScore, FormKey, SlotKey, score_attempt
from scoring.values import ResponseValue, Rounding, to_decimal, to_hundredths

NUMBER_COLUMNS = ("candidate_number", "so_bao_danh", "sbd")
CODE_COLUMNS = ("paper_code", "ma_de")
TRACK_COLUMNS = ("track", "phan_lua_chon")
IGNORED = frozenset({"full_name", "ho_ten", "ho_va_ten", "school", "truong", "room", "phong", "note", "ghi_chu", "stt"})
LETTERS = "ABCDEFGH"

_SLOT = re.compile(r"(?:slot_?|cau_?|q)?([0-9]{1,3})_?([a-h])?")
_TRUE = frozenset({"T", "Đ", "D", "1", "TRUE", "ĐÚNG", "DUNG"})
_FALSE = frozenset({"F", "S", "0", "FALSE", "SAI"})
_BLANK = frozenset("-_.*")
MOST_POINTS = 1000


class SlotOfFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One slot as a file has it; points are written in points, 0.25."""

    slot: Annotated[int, msgspec.Meta(ge=1)]
    points: Decimal
    key: Key
    part: int = 1
    track: str | None = None


class PlaceOfFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a paper code shows at one place: which slot, its options in displayed order."""

    slot: int
    options: str = ""


class KeysFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The keys of a form, in master letters, and the orderings of its paper codes."""

    slots: tuple[SlotOfFile, ...]
    title: str = ""
    total_rounding: Rounding = Rounding.HALF_UP
    paper_codes: dict[str, tuple[PlaceOfFile, ...]] = {}


class ScoredResponse(msgspec.Struct, frozen=True):
    """One row of the file with its score."""

    row: int
    candidate_number: str
    score: AttemptScore


class _Given(msgspec.Struct):
    """What a row gives: responses by slot, human marks, the chosen track."""

    responses: dict[int, ResponseValue]
    marks: dict[int, int]
    track: str | None


def read_keys(content: bytes, file_name: str) -> KeysFile:
    """Read the keys of a form.

    Raises
    ------
    FileRefused
        It is no JSON of that shape, a slot stands there twice, or a key contradicts itself.
    """
    try:
        keys = msgspec.json.decode(content, type=KeysFile)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise FileRefused(file_name, [RowError("file", str(error))]) from None
    errors = []
    seen: set[int] = set()
    for entry in keys.slots:
        place = f"slot {entry.slot}"
        if entry.slot in seen:
            errors.append(RowError(place, "this slot stands there twice"))
        seen.add(entry.slot)
        if not entry.points.is_finite() or entry.points <= 0 or entry.points.as_tuple().exponent < -2:  # type: ignore[operator]
            errors.append(RowError(f"{place}, points", f"{entry.points} is not a positive number with two decimals"))
        elif entry.points > MOST_POINTS:
            errors.append(RowError(f"{place}, points", f"{entry.points} is more than {MOST_POINTS}"))
        try:
            require_valid_key(entry.key)
        except KeyInvalid as invalid:
            errors.append(RowError(f"{place}, {invalid.place}", invalid.reason))
    for code, places in keys.paper_codes.items():
        if sorted(place.slot for place in places) != sorted(seen):
            errors.append(RowError(f"paper code {code}", "it does not show every slot once"))
        errors.extend(_wrong_options(code, places, {entry.slot: entry.key for entry in keys.slots}))
    if not keys.slots:
        errors.append(RowError("slots", "there are none"))
    if errors:
        raise FileRefused(file_name, errors)
    return keys


def _wrong_options(code: str, places: tuple[PlaceOfFile, ...], keys: Mapping[int, Key]) -> Iterator[RowError]:
    """Find displayed options that are no permutation of the letters, or lack a letter of the key."""
    for place in places:
        key = keys.get(place.slot)
        if not place.options or key is None:
            continue
        options = place.options.upper()
        where, needed = f"paper code {code}, slot {place.slot}", _letters_of(key)
        if not isinstance(key, OneOptionKey | OptionSetKey | ClusterKey | VoidKey):
            yield RowError(where, "this slot has no options")
        elif sorted(options) != list(LETTERS[: len(options)]):
            yield RowError(where, f"“{place.options}” does not show each of {LETTERS[: len(options)]} once")
        elif not needed <= set(options) or (isinstance(key, ClusterKey) and len(options) != len(needed)):
            yield RowError(where, f"“{place.options}” does not show {' '.join(sorted(needed))} of the key")


def _letters_of(key: Key) -> set[str]:
    match key:
        case OneOptionKey():
            return set(key.accepted)
        case OptionSetKey():
            return set(key.correct)
        case ClusterKey():
            return {statement.upper() for statement in key.statements}
        case _:
            return set()


def form_key(keys: KeysFile) -> FormKey:
    """Return the form key of a file."""
    return FormKey(
        tuple(SlotKey(e.slot, e.part, to_hundredths(e.points), e.key, e.track) for e in keys.slots),
        keys.total_rounding,
    )


def score_file(content: bytes, file_name: str, keys: KeysFile) -> list[ScoredResponse]:
    """Score every row of a table of responses, or none.

    Raises
    ------
    FileRefused
        Every cell that is no response to its slot, with row and column.
    """
    table = read_table(content, file_name)
    reader = _RowReader(keys, table.columns)
    errors = list(reader.errors)
    scored: list[ScoredResponse] = []
    seen: set[str] = set()
    whole = form_key(keys)
    for row in table.rows if not errors else ():
        number = next((row.cells[name] for name in NUMBER_COLUMNS if name in row.cells), "")
        if number and number in seen:
            errors.append(_error(row, "candidate_number", f"candidate number {number} stands there twice"))
        seen.add(number)
        given = reader.read(row, errors)
        try:
            score = score_attempt(whole, given.responses, given.marks, track=given.track)
        except ScoringError as refused:
            errors.append(RowError(f"row {row.number}", str(refused), row.number))
            continue
        scored.append(ScoredResponse(row.number, number, score))
    if errors:
        raise FileRefused(file_name, errors)
    return scored


class _RowReader:
    """Knows which column is which slot, also behind a paper code, and reads cells as responses."""

    def __init__(self, keys: KeysFile, columns: tuple[str, ...]) -> None:
        self.keys = keys
        self.by_slot = {entry.slot: entry for entry in keys.slots}
        self.errors: list[RowError] = []
        self.columns: dict[str, tuple[int, str]] = {}
        for column in columns:
            match = _SLOT.fullmatch(column)
            if (match and 1 <= int(match[1]) <= len(keys.slots)) or (match and int(match[1]) in self.by_slot):
                meant = (int(match[1]), match[2] or "")
                other = next((known for known, slot in self.columns.items() if _overlap(slot, meant)), None)
                if other is not None:
                    reason = f"the column {other} gives the same responses"
                    self.errors.append(RowError(f"header, column {column}", reason, column=column))
                self.columns[column] = meant
            elif column not in {*NUMBER_COLUMNS, *CODE_COLUMNS, *TRACK_COLUMNS, *IGNORED}:
                self.errors.append(RowError(f"header, column {column}", "the form has no such slot", column=column))

    def read(self, row: Row, errors: list[RowError]) -> _Given:
        """Read the cells of a row; what cannot be read is noted."""
        track = next((row.cells[name] for name in TRACK_COLUMNS if row.cells.get(name)), None)
        given = _Given({}, {}, track)
        places = self._places(row, errors)
        for column, (position, statement) in self.columns.items():
            cell = row.cells.get(column, "")
            place = places.get(position)
            if not cell or not places:
                continue
            if place is None:
                errors.append(_error(row, column, "the form has no such slot"))
                continue
            entry = self.by_slot[place.slot]
            try:
                if isinstance(entry.key, RubricKey):
                    given.marks[place.slot] = _mark(cell, entry.key)
                elif statement:
                    judged = given.responses.setdefault(place.slot, {})
                    if not isinstance(judged, dict) or not isinstance(entry.key, ClusterKey):
                        raise ValueError("this slot has no statements")  # noqa: TRY004
                    judged.update(_judgement(_master(statement.upper(), place, len(entry.key.statements)), cell))
                else:
                    given.responses[place.slot] = _response(entry.key, cell, place)
            except ValueError as error:
                errors.append(_error(row, column, str(error)))
        return given

    def _places(self, row: Row, errors: list[RowError]) -> Mapping[int, PlaceOfFile]:
        code = next((row.cells[name] for name in CODE_COLUMNS if row.cells.get(name)), "")
        if not code:
            return {slot: PlaceOfFile(slot) for slot in self.by_slot}
        if code not in self.keys.paper_codes:
            known = ", ".join(self.keys.paper_codes) or "none"
            errors.append(_error(row, "paper_code", f"there is no paper code {code}; known: {known}"))
            return {}
        return dict(enumerate(self.keys.paper_codes[code], start=1))


def _response(key: Key, cell: str, place: PlaceOfFile) -> ResponseValue:
    match key:
        case ShortAnswerKey() | RubricKey():
            return cell
        case ClusterKey():
            return _judgements(key, cell, place)
        case OptionSetKey():
            return sorted(_letters(cell, place))
        case OneOptionKey() | VoidKey():
            return "".join(_letters(cell, place)) or None


def _letters(cell: str, place: PlaceOfFile) -> list[str]:
    """Read option letters, however they are separated; "-" is blank, "*" marked twice."""
    text = re.sub(r"[\s,;/-]", "", cell.upper())
    if re.fullmatch(r"[*A-H]*", text) is None:
        raise ValueError(f"“{cell[:40]}” is not a letter of an option")
    return [letter if letter == "*" else _master(letter, place, len(LETTERS)) for letter in text]


def _judgements(key: ClusterKey, cell: str, place: PlaceOfFile) -> dict[str, bool]:
    text = re.sub(r"[\s,;/]", "", cell.upper())
    n = len(key.statements)
    if len(text) != n:
        raise ValueError(f"“{cell[:40]}” does not judge {n} statements, like {'TFTF'[:n]} or T-F*")
    judged: dict[str, bool] = {}
    for position, sign in enumerate(text):
        judged |= _judgement(_master(LETTERS[position], place, n), sign)
    return judged


def _judgement(statement: str, sign: str) -> dict[str, bool]:
    sign = sign.upper()
    if sign in _BLANK:
        return {}
    if sign not in _TRUE | _FALSE:
        raise ValueError(f"“{sign[:40]}” is neither true nor false")
    return {statement.lower(): sign in _TRUE}


def _master(letter: str, place: PlaceOfFile, n: int) -> str:
    """Return the master letter of what the paper showed under a letter."""
    position = LETTERS.index(letter)
    if not place.options:
        return letter
    if position >= min(len(place.options), n):
        raise ValueError(f"the paper shows no option {letter}")
    return place.options[position].upper()


def _mark(cell: str, key: RubricKey) -> int:
    if re.fullmatch(r"[0-9]{1,4}([.,][0-9]{1,2})?", cell) is None:
        raise ValueError(f"“{cell[:40]}” is not a mark with at most two decimals")
    mark, maximum = to_hundredths(Decimal(cell.replace(",", "."))), sum(c.maximum for c in key.criteria)
    if mark > maximum:
        raise ValueError(f"{cell} is more than the rubric gives, {to_decimal(maximum)}")
    return mark


def _overlap(first: tuple[int, str], second: tuple[int, str]) -> bool:
    """Tell whether two columns speak about the same thing: one slot whole, or one statement of it."""
    return first[0] == second[0] and (first[1] == second[1] or "" in {first[1], second[1]})


def _error(row: Row, column: str, reason: str) -> RowError:
    return RowError(f"row {row.number}, column {column}", reason, row.number, column)
