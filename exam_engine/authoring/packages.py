"""Files an author hands in → items, stimuli, topics and figures, with everything the checks found. No database.

`item check` and the import read the same way; only the import knows what the bank already has.
"""

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet

import msgspec

from exam_engine.infra.errors import FileRefused, RowError
from exam_engine.infra.files import Table, read_table, sheet_names
from exam_engine.infra.i18n import N_
from item_bank.checks import Finding, Place, Surroundings, check_items, check_stimulus
from item_bank.checks.findings import error, warning
from item_bank.errors import FigureRefused
from item_bank.interchange import columns, rows
from item_bank.interchange.gift import GiftDefaults, read_gift
from item_bank.messages import message
from item_bank.model.figures import Figure, read_figure
from item_bank.model.item import Item, Stimulus
from item_bank.model.taxonomy import Topic

FIGURE_SUFFIXES = (".svg", ".png", ".jpg", ".jpeg")


class Sheet(msgspec.Struct, frozen=True):
    """What one sheet may be called, and how it names its columns."""

    names: frozenset[str]
    aliases: Mapping[str, str]
    required: Sequence[str]
    known: Sequence[str]


SHEETS: Mapping[str, Sheet] = {
    "items": Sheet(
        frozenset({"items", "cau_hoi"}),
        columns.ITEM_ALIASES,
        ("code", "kind", "topic", "level", "stem", "key"),
        (*columns.ITEM_COLUMNS, *columns.EXTRA_COLUMNS),
    ),
    "stimuli": Sheet(
        frozenset({"stimuli", "ngu_lieu"}),
        columns.STIMULUS_ALIASES,
        ("code", "content"),
        (*columns.STIMULUS_COLUMNS, *columns.STIMULUS_EXTRA_COLUMNS),
    ),
    "topics": Sheet(frozenset({"topics", "chu_de"}), columns.TOPIC_ALIASES, ("code", "name"), columns.TOPIC_COLUMNS),
}


class SourceFile(msgspec.Struct, frozen=True):
    """A file by name and bytes."""

    name: str
    content: bytes


class Package(msgspec.Struct, frozen=True, kw_only=True):
    """What is handed in together: a table or workbook or GIFT text of items, and what belongs to it."""

    items: SourceFile
    stimuli: SourceFile | None = None
    topics: SourceFile | None = None
    figures: Sequence[SourceFile] = ()
    language: str = "vi"
    gift: GiftDefaults | None = None


class Contents(msgspec.Struct, frozen=True, kw_only=True):
    """What a package holds, and all that was found in it; errors are among the findings."""

    file: str
    items: tuple[Item, ...] = ()
    stimuli: tuple[Stimulus, ...] = ()
    topics: tuple[Topic, ...] = ()
    figures: tuple[Figure, ...] = ()  # those the texts show
    findings: tuple[Finding, ...] = ()


class ImportRefused(FileRefused):
    """The package has errors; nothing of it was kept."""

    def __init__(self, file_name: str, findings: Sequence[Finding]) -> None:
        self.findings = tuple(findings)
        super().__init__(file_name, [_row_error(finding) for finding in self.findings])


def read_package(package: Package, *, known: Surroundings | None = None) -> Contents:
    """Read and check a package; `known` is what the bank has already.

    Without `known` (a file alone), references are checked against the package's own topics and stimuli, if it has any.

    Raises
    ------
    FileRefused
        A file is no table at all.
    GiftSyntax
        A GIFT text breaks its grammar.
    """
    figures, findings = _read_figures(package.figures)
    addresses = {figure.file_name: figure.address for figure in figures}
    name = package.items.name
    sheets: dict[str, SourceFile | None] = {"stimuli": package.stimuli, "topics": package.topics}
    if _is_workbook(package.items):
        sheets |= {sheet: package.items for sheet, given in sheets.items() if not given and _has(package.items, sheet)}
    topics = rows.read_topics(_rows_of(sheets["topics"], "topics"), file=_file(sheets["topics"], "topics"))
    stimuli = rows.read_stimuli(
        _rows_of(sheets["stimuli"], "stimuli"),
        file=_file(sheets["stimuli"], "stimuli"),
        figures=addresses,
        language=package.language,
    )
    if _is_gift(package.items):
        read = read_gift(
            package.items.content,
            _gift_defaults(package, known, topics.topics),
            file=name,
            figures=addresses,
            language=package.language,
        )
    else:
        read = rows.read_items(
            _rows_of(package.items, "items"),
            file=_file(package.items, "items"),
            figures=addresses,
            language=package.language,
        )
    findings += [*topics.findings, *stimuli.findings, *read.findings]
    surroundings = _surroundings(package, known, topics.topics, stimuli.stimuli)
    for stimulus in stimuli.stimuli:
        findings += check_stimulus(stimulus, stimuli.places[stimulus.code])
    findings += check_items(read.items, surroundings, read.places)
    return Contents(
        file=name,
        items=read.items,
        stimuli=stimuli.stimuli,
        topics=topics.topics,
        figures=_shown(figures, read.items, stimuli.stimuli),
        findings=tuple(findings),
    )


def require_sound(contents: Contents) -> None:
    """Refuse a package with errors, naming every one.

    Raises
    ------
    ImportRefused
        There are errors.
    """
    errors = [finding for finding in contents.findings if finding.is_error]
    if errors:
        raise ImportRefused(contents.file, errors)


def _read_figures(files: Iterable[SourceFile]) -> tuple[list[Figure], list[Finding]]:
    figures: list[Figure] = []
    findings: list[Finding] = []
    for file in files:
        if not file.name.lower().endswith(FIGURE_SUFFIXES):
            continue
        place = Place(file=file.name)
        try:
            figure = read_figure(file.content, file.name)
        except FigureRefused as refusal:
            findings.append(error("figure-refused", place, refusal.reason))
            continue
        figures.append(figure)
        if figure.removed:
            reason = message("the figure lost what is not kept: {parts}", parts=", ".join(figure.removed))
            findings.append(warning("figure-cleaned", place, reason))
    return figures, findings


def _rows_of(file: SourceFile | None, sheet: str) -> list[tuple[int, Mapping[str, str]]]:
    if file is None or _is_gift(file):
        return []
    table = read_table(file.content, file.name, sheet=_sheet_of(file, sheet))
    renamed = {column: SHEETS[sheet].aliases.get(column, column) for column in table.columns}
    _require_columns(table, renamed, SHEETS[sheet])
    return [(row.number, {renamed[name]: _bare(cell) for name, cell in row.cells.items()}) for row in table.rows]


def _bare(cell: str) -> str:
    # The apostrophe that keeps a spreadsheet from running a text as a formula is not part of the text.
    return cell[1:] if cell[:2] in {"'=", "'@"} else cell


def _has(file: SourceFile, sheet: str) -> bool:
    return not SHEETS[sheet].names.isdisjoint(sheet_names(file.content, file.name))


def _sheet_of(file: SourceFile, sheet: str) -> str | None:
    """Name the sheet in this workbook; a workbook with a single sheet may call it anything."""
    if not _is_workbook(file):
        return None
    present = sheet_names(file.content, file.name)
    return next((name for name in present if name in SHEETS[sheet].names), None if len(present) == 1 else sheet)


def _require_columns(table: Table, renamed: Mapping[str, str], sheet: Sheet) -> None:
    """Refuse unknown columns: a misspelt one would drop its cells in silence."""
    missing = [name for name in sheet.required if name not in renamed.values()]
    errors = [_header_error(N_("the column {column} is missing"), name) for name in missing]
    for written, name in renamed.items():
        if name not in sheet.known:
            errors.append(_header_error(N_("the column {column} is not known"), table.titles[written]))
        elif list(renamed.values()).count(name) > 1:
            errors.append(_header_error(N_("two columns mean {column}"), table.titles[written]))
    if errors:
        raise FileRefused(table.file_name, errors)


def _header_error(text: str, column: str) -> RowError:
    return RowError("header", text.format(column=column), None, column, text, {"column": column})


def _row_error(finding: Finding) -> RowError:
    reason = finding.message
    return RowError(
        finding.place.described() or "file",
        str(reason),
        finding.place.row or None,
        finding.place.field or None,
        reason.id,
        dict(reason.facts),
    )


def _gift_defaults(package: Package, known: Surroundings | None, topics: Sequence[Topic]) -> GiftDefaults:
    """A GIFT category is a topic if there is one of its name; without any to compare with, it is taken as one."""
    codes = {topic.code for topic in topics} | set((known and known.topics) or ())
    defaults = package.gift or GiftDefaults()
    return msgspec.structs.replace(defaults, topics=frozenset(codes)) if codes else defaults


def _surroundings(
    package: Package, known: Surroundings | None, topics: Sequence[Topic], stimuli: Sequence[Stimulus]
) -> Surroundings:
    topic_codes: AbstractSet[str] = {topic.code for topic in topics}
    stimulus_codes: AbstractSet[str] = {stimulus.code for stimulus in stimuli}
    if known is not None:
        return Surroundings((known.topics or set()) | topic_codes, (known.stimuli or set()) | stimulus_codes)
    has_stimuli = package.stimuli is not None or bool(stimuli) or _is_workbook(package.items)
    return Surroundings(topic_codes or None, stimulus_codes if has_stimuli else None)


def _shown(figures: Sequence[Figure], items: Sequence[Item], stimuli: Sequence[Stimulus]) -> tuple[Figure, ...]:
    # The encoded values hold every text; an address stands in them as it is.
    texts = msgspec.json.encode([items, stimuli]).decode()
    unique = {figure.sha256: figure for figure in figures if figure.address in texts}
    return tuple(unique.values())


def _is_workbook(file: SourceFile) -> bool:
    return file.content[:2] == b"PK"


def _is_gift(file: SourceFile) -> bool:
    return file.name.lower().endswith((".gift", ".txt"))


def _file(file: SourceFile | None, sheet: str) -> str:
    if file is None:
        return ""
    return f"{file.name} ({sheet})" if _is_workbook(file) else file.name
