"""Blueprints from files: JSON as the engine keeps them, or a table of cells as a spreadsheet writes them."""

from collections.abc import Mapping
from typing import Any

import msgspec

from exam_engine.infra.errors import FileRefused, RowError
from exam_engine.infra.files import TableReader, fold_name, read_table
from exam_engine.infra.i18n import N_
from item_bank.forms.blueprint import Blueprint, Cell, ItemKind, Part, PartOrder, parse_blueprint, require_valid
from item_bank.forms.errors import BlueprintInvalid
from item_bank.interchange.columns import NO_WORDS, YES_WORDS, find_kind, word_of
from item_bank.model.taxonomy import find_level

COLUMNS = (
    "part", "kind", "points", "topic", "level", "count", "title", "instructions", "testlets", "order", "shuffle",
    "shuffle_in_testlets", "track", "unscored",
)  # fmt: skip
REQUIRED = ("part", "kind", "points", "count")
ALIASES = {
    "phan": "part",
    "loai": "kind",
    "dang": "kind",
    "dang_thuc": "kind",
    "diem": "points",
    "diem_moi_cau": "points",
    "chu_de": "topic",
    "muc_do": "level",
    "cap_do": "level",
    "so_cau": "count",
    "so_luong": "count",
    "tieu_de": "title",
    "huong_dan": "instructions",
    "so_chum": "testlets",
    "thu_tu": "order",
    "dao_cau": "shuffle",
    "phan_mon": "track",
    "khong_tinh_diem": "unscored",
    "thu_nghiem": "unscored",
}


class BlueprintHeader(msgspec.Struct, frozen=True, kw_only=True):
    """What a table of cells does not say."""

    title: str = ""
    minutes: int = 0
    language: str = "vi"
    paper_code_prefix: str = "00"
    format: str | None = None


def read_blueprint(content: bytes, file_name: str, header: BlueprintHeader) -> Blueprint:
    """Read a blueprint file. JSON says everything itself; a table (CSV, XLSX) takes its head from `header`.

    In a table, a row with a part number begins a run; rows below it without one add cells to it.

    Raises
    ------
    BlueprintInvalid, FileRefused
        Every mistake with its place.
    """
    if content.lstrip(b"\xef\xbb\xbf \r\n\t")[:1] == b"{":
        return parse_blueprint(content)
    parts = _read_parts(content, file_name)
    try:
        blueprint = msgspec.convert({**msgspec.structs.asdict(header), "parts": msgspec.to_builtins(parts)}, Blueprint)
    except msgspec.ValidationError as error:
        raise FileRefused(file_name, [RowError("header", str(error))]) from None
    try:
        require_valid(blueprint)
    except BlueprintInvalid as invalid:
        raise FileRefused(file_name, _faults(invalid)) from invalid
    return blueprint


def _faults(invalid: BlueprintInvalid) -> list[RowError]:
    return [RowError(f.place, f.reason, message=f.message, facts=dict(f.facts)) for f in invalid.faults]


def _read_parts(content: bytes, file_name: str) -> tuple[Part, ...]:
    reader = TableReader(read_table(content, file_name), required=REQUIRED, optional=COLUMNS, aliases=ALIASES)
    runs: list[tuple[dict[str, Any], list[Cell]]] = []
    for row in reader:
        if row.cells.get("part") or not runs:
            runs.append((_read_run(reader, row.cells), []))
        level_word = reader.text("level", required=False)
        level = find_level(level_word) if level_word else None
        if level_word and level is None:
            reader.wrong("level", N_("“{value}” is not a level"), value=level_word[:40])
        count = _above_zero(reader, row.cells, "count", reader.whole("count", None))
        runs[-1][1].append(Cell(count, reader.text("topic", required=False) or None, level))
    reader.finish()
    if not runs:
        raise FileRefused(file_name, [RowError("file", "it has no row")])
    return tuple(Part(**fields, cells=tuple(cells)) for fields, cells in runs)


def _read_run(reader: TableReader, cells: Mapping[str, str]) -> dict[str, Any]:
    kind = find_kind(cells.get("kind", ""))
    if kind is None:
        reader.wrong("kind", N_("“{value}” is not a kind of item"), value=cells.get("kind", "")[:40])
    order = fold_name(cells.get("order", "")) or PartOrder.LEVELS
    if order not in set(PartOrder):
        reader.wrong("order", N_("the order is levels or cells, not “{value}”"), value=order[:40])
    return {
        "part": _above_zero(reader, cells, "part", reader.whole("part", None)),
        "points": _above_zero(reader, cells, "points", reader.hundredths("points", None)),
        "kind": ItemKind(kind) if kind else ItemKind.SINGLE_CHOICE,
        "title": reader.text("title", required=False),
        "instructions": reader.text("instructions", required=False),
        "testlets": reader.whole("testlets", None),
        "order": PartOrder(order) if order in set(PartOrder) else PartOrder.LEVELS,
        "shuffle": _read_yes(reader, cells, "shuffle", default=True),
        "shuffle_in_testlets": _read_yes(reader, cells, "shuffle_in_testlets", default=False),
        "track": reader.text("track", required=False) or None,
        "unscored": _read_yes(reader, cells, "unscored", default=False),
    }


def _above_zero(reader: TableReader, cells: Mapping[str, str], column: str, value: int | None) -> int:
    """Return a number that has to be there; what could not be read at all was told already."""
    if not cells.get(column) or (value is not None and value < 1):
        reader.wrong(column, N_("a number above 0 is needed"))
    return value if value is not None and value >= 1 else 1


def _read_yes(reader: TableReader, cells: Mapping[str, str], column: str, *, default: bool) -> bool:
    word = word_of(cells.get(column, ""))
    if not word:
        return default
    if word not in YES_WORDS | NO_WORDS:
        reader.wrong(column, N_("“{value}” is neither yes nor no"), value=word[:40])
    return word in YES_WORDS
