"""Items, stimuli and topics → rows of the template; reading them back gives equal values."""

from collections.abc import Iterable, Mapping, Sequence

from item_bank.interchange import columns, keys
from item_bank.model.content import split_figure, to_source
from item_bank.model.interactions import Essay, MultipleChoice, ShortNumeric, SingleChoice, TrueFalseCluster
from item_bank.model.item import Item, Stimulus
from item_bank.model.taxonomy import Topic
from scoring.keys.values import ClusterKey, Compare, ShortAnswerKey

Row = Mapping[str, str]


def item_rows(items: Iterable[Item], *, language: str = "vi") -> list[Row]:
    """Write items of a bank in this language as rows by column name; empty cells are left out."""
    return [{column: cell for column, cell in _item_row(item, language).items() if cell} for item in items]


def stimulus_rows(stimuli: Iterable[Stimulus], *, language: str = "vi") -> list[Row]:
    """Write stimuli as rows by column name."""
    rows: list[Row] = []
    for stimulus in stimuli:
        content, figure, alt_text = split_figure(stimulus.content)
        row = {"code": stimulus.code, "title": stimulus.title, "content": to_source(content)}
        row |= {"figure": _file_name(figure), "alt_text": alt_text, "language": _unless(stimulus.language, language)}
        rows.append({column: cell for column, cell in row.items() if cell})
    return rows


def topic_rows(topics: Iterable[Topic]) -> list[Row]:
    """Write topics as rows by column name."""
    return [{"code": topic.code, "name": topic.name, "position": str(topic.position)} for topic in topics]


def titles_of(rows: Sequence[Row], usual: Sequence[str], extra: Sequence[str]) -> tuple[str, ...]:
    """Return the column titles: the usual ones, and those further ones that some row needs."""
    return (*usual, *(column for column in extra if any(column in row for row in rows)))


def lines_of(rows: Sequence[Row], titles: Sequence[str]) -> list[list[str]]:
    """Return the cells of each row in the order of the titles."""
    return [[row.get(title, "") for title in titles] for row in rows]


def figures_of(html: str) -> set[str]:
    """Name the stored figures a text shows, as file names (`<sha256>.svg`)."""
    return {part.split('"', 1)[0] for part in html.split('src="/media/')[1:]}


def _item_row(item: Item, language: str) -> dict[str, str]:
    stem, figure, alt_text = split_figure(item.stem)
    row = {
        "code": item.code,
        "kind": str(item.interaction.__struct_config__.tag),
        "topic": item.topic,
        "level": item.level.value,
        "stimulus": item.stimulus or "",
        "stem": to_source(stem),
        "key": keys.write_key(item.key),
        "figure": _file_name(figure),
        "alt_text": alt_text,
        "explanation": to_source(item.explanation),
        "language": _unless(item.language, language),
    }
    if isinstance(item.key, ShortAnswerKey) and item.key.compare is Compare.LITERAL:
        row["compare"] = item.key.compare.value
    if isinstance(item.key, ClusterKey):
        row["steps"] = keys.write_steps(item.key.steps)
    return {**row, **_interaction_cells(item)}


def _interaction_cells(item: Item) -> dict[str, str]:
    match item.interaction:
        case SingleChoice(options=options) | MultipleChoice(options=options):
            cells = {f"option_{option.id.lower()}": to_source(option.content) for option in options}
            cells["pinned"] = ",".join(option.id for option in options if option.pinned)
            if isinstance(item.interaction, MultipleChoice) and item.interaction.maximum:
                cells["maximum"] = str(item.interaction.maximum)
            return cells
        case TrueFalseCluster(statements=statements, shuffle=shuffle):
            cells = {f"option_{statement.id.lower()}": to_source(statement.content) for statement in statements}
            return {**cells, "shuffle": "yes" if shuffle else ""}
        case ShortNumeric(max_characters=limit):
            return {"max_characters": str(limit)}
        case Essay(max_words=limit):
            return {"max_words": str(limit)}


def _file_name(address: str) -> str:
    return address.removeprefix("/media/")


def _unless(value: str, usual: str) -> str:
    return "" if value == usual else value


USUAL_COLUMNS: Mapping[str, tuple[Sequence[str], Sequence[str]]] = {
    "items": (columns.ITEM_COLUMNS, columns.EXTRA_COLUMNS),
    "stimuli": (columns.STIMULUS_COLUMNS, columns.STIMULUS_EXTRA_COLUMNS),
    "topics": (columns.TOPIC_COLUMNS, ()),
}
"""Per sheet: its columns, and those written only when needed."""
