"""The report as one HTML page: nothing is loaded, no script runs; light, dark, narrow and printed it reads as well."""

from collections.abc import Sequence
from html import escape
from importlib import resources

from exam_engine.calibration.figures import svg
from exam_engine.calibration.report.blocks import (
    Block,
    Card,
    Cards,
    Cell,
    Facts,
    Heading,
    Kept,
    Pictures,
    Sentences,
    Table,
    Text,
    Tone,
)
from exam_engine.calibration.report.markup import Markup, joined, tag

# Whatever an item is called, the page can load and run nothing.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'"


def page(blocks: Sequence[Block], *, language: str) -> bytes:
    """Set blocks as a page; the first heading is its title."""
    title = next(block.text for block in blocks if isinstance(block, Heading))
    style = resources.files(__package__).joinpath("style.css").read_text("utf-8")
    head = joined(
        Markup('<meta charset="utf-8">'),
        Markup(f'<meta http-equiv="Content-Security-Policy" content="{escape(_POLICY)}">'),
        Markup('<meta name="viewport" content="width=device-width, initial-scale=1">'),
        Markup('<meta name="color-scheme" content="light dark">'),
        tag("title", title),
        tag("style", Markup(style)),
    )
    main = tag("main", *_sections(blocks))
    contents = _contents(blocks)
    body = tag("body", contents, main) if contents else tag("body", main)
    return f'<!doctype html>\n<html lang="{escape(language)}">{tag("head", head)}{body}</html>\n'.encode()


def _contents(blocks: Sequence[Block]) -> Markup:
    """List the sections."""
    links = [
        tag("li", tag("a", block.text, href=f"#{block.anchor}"))
        for block in blocks
        if isinstance(block, Heading) and block.level == 2 and block.anchor
    ]
    return tag("nav", tag("ol", *links), class_="contents") if links else Markup("")


def _sections(blocks: Sequence[Block]) -> list[Markup]:
    """Put each heading of level 2 with what follows it into a section."""
    sections: list[list[Markup]] = [[]]
    anchors = [""]
    for block in blocks:
        if isinstance(block, Heading) and block.level == 2:
            sections.append([])
            anchors.append(block.anchor)
            block = Heading(2, block.text)
        sections[-1].append(_block(block))
    head, *rest = sections
    return [tag("header", *head), *(tag("section", *s, id=a) for s, a in zip(rest, anchors[1:], strict=True))]


def _block(block: Block) -> Markup:
    match block:
        case Heading(level=level, text=text, anchor=anchor):
            return tag(f"h{level}", text, id=anchor)
        case Text(text=text, tone=tone):
            return tag("p", text, class_=_class(tone))
        case Sentences(sentences=sentences):
            return tag("ul", *(tag("li", s.text, class_=_class(s.tone)) for s in sentences), class_="sentences")
        case Cards(cards=cards):
            return tag("dl", *(_card(card) for card in cards), class_="cards")
        case Facts(facts=facts):
            rows = (tag("div", tag("dt", name), tag("dd", value, class_=_class(tone))) for name, value, tone in facts)
            return tag("dl", *rows, class_="facts")
        case Table():
            return _table(block)
        case Pictures(figures=figures, anchor=anchor):
            pictures = (
                tag(
                    "figure",
                    Markup(svg(figure, f"{anchor}-{i}")),
                    tag("figcaption", figure.title),
                    class_="wide" if figure.width > 600 else "",
                )
                for i, figure in enumerate(figures)
            )
            return tag("div", *pictures, class_="pictures")
        case Kept(blocks=kept):
            return tag("article", *(_block(each) for each in kept))


def _card(card: Card) -> Markup:
    note = tag("dd", card.note, class_="note") if card.note else Markup("")
    return tag("div", tag("dt", card.label), tag("dd", card.value, class_="value"), note, class_=_class(card.tone))


def _table(table: Table) -> Markup:
    heads = (tag("th", c.title, scope="col", class_="number" if c.is_number else "") for c in table.columns)
    rows = []
    for cells in table.rows:
        name, *others = cells
        written = [tag("th", _content(name), scope="row", class_=_class(name.tone))]
        for cell, column in zip(others, table.columns[1:], strict=True):
            names = " ".join(part for part in ("number" if column.is_number else "", _class(cell.tone)) if part)
            written.append(tag("td", _content(cell), class_=names, data_label=column.title))
        rows.append(tag("tr", *written))
    caption = tag("caption", table.caption) if table.caption else Markup("")
    inner = tag("table", caption, tag("thead", tag("tr", *heads)), tag("tbody", *rows))
    return tag("div", inner, class_="frame", tabindex="0", role="region", aria_label=table.caption or "table")


def _content(cell: Cell) -> str:
    if cell.lines:
        return tag("ul", *(tag("li", line.text, class_=_class(line.tone)) for line in cell.lines), class_="sentences")
    return tag("a", cell.text, href=f"#{cell.link}") if cell.link else cell.text


def _class(tone: Tone) -> str:
    return "" if tone is Tone.PLAIN else f"tone-{tone.value}"
