"""The report as a PDF: the same blocks as the page, figures as vectors, each item kept on one page."""

from collections.abc import Iterator, Sequence
from typing import Any
from xml.sax.saxutils import escape

from reportlab.lib import colors
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.platypus import Flowable, KeepTogether, Paragraph, Spacer, TableStyle
from reportlab.platypus import Table as Grid

from exam_engine.calibration.figures import LOOKS, Area, Bar, Dot, Figure, Label, Line, Mark
from exam_engine.calibration.report.blocks import (
    Block,
    Cards,
    Cell,
    Facts,
    Heading,
    Kept,
    Pictures,
    Said,
    Sentences,
    Table,
    Text,
    Tone,
)
from exam_engine.infra.i18n import N_, translator
from exam_engine.infra.pdf import fonts
from exam_engine.infra.pdf.page import INK, MARGIN, QUIET, RULE, body_style, build, heading_style

_WIDTH = A4[0] - 2 * MARGIN
_GAP = 8.0
_TONES = {
    Tone.PLAIN: INK,
    Tone.FAINT: QUIET,
    Tone.GOOD: colors.HexColor("#17663f"),
    Tone.WARN: colors.HexColor("#7c4a03"),
    Tone.BAD: colors.HexColor("#a3221c"),
}
_SIGNS = {Tone.PLAIN: "·", Tone.FAINT: "·", Tone.GOOD: "+", Tone.WARN: "!", Tone.BAD: "×"}
# A table names its font even where every cell brings its own.
_FONT = ("FONTNAME", (0, 0), (-1, -1), fonts.REGULAR)
_FOOT = N_("Page {page} of {pages}")


def document(blocks: Sequence[Block], *, language: str) -> bytes:
    """Set blocks as a PDF; the first heading is its title.

    Raises
    ------
    FontsMissing
        The build has not copied the fonts yet.
    """
    title = next(block.text for block in blocks if isinstance(block, Heading))
    say = translator(language)
    story = [flowable for block in blocks for flowable in _flowables(block)]

    def foot(number: int, pages: int) -> str:
        return say(_FOOT, page=number, pages=pages)

    return build(story, title=title, language=language, head=title, foot=foot)


class Drawn(Flowable):  # type: ignore[misc]
    """A figure drawn in a given width."""

    def __init__(self, figure: Figure, width: float) -> None:
        super().__init__()
        self._figure, self._zoom = figure, width / figure.width
        self.width, self.height = width, figure.height * self._zoom

    def draw(self) -> None:
        """Draw the marks, y turned upwards."""
        canvas = self.canv
        canvas.saveState()
        canvas.scale(self._zoom, self._zoom)
        for mark in self._figure.marks:
            canvas.saveState()
            _dress(canvas, mark.role)
            _draw(canvas, mark, self._figure.height)
            canvas.restoreState()
        canvas.restoreState()


def _dress(canvas: Any, role: str) -> None:
    look = LOOKS[role]
    if look.stroke != "none":
        canvas.setStrokeColor(_colour(look.stroke))
        canvas.setStrokeAlpha(look.opacity)
        canvas.setLineWidth(look.width)
        canvas.setLineJoin(1)
        if look.dash:
            canvas.setDash(list(look.dash))
    if look.fill != "none":
        canvas.setFillColor(_colour(look.fill))
        canvas.setFillAlpha(look.opacity)


def _colour(name: str) -> colors.Color:
    return INK if name == "ink" else colors.HexColor(name)


def _draw(canvas: Any, mark: Mark, height: float) -> None:
    match mark:
        case Line(points=points) | Area(points=points):
            path = canvas.beginPath()
            path.moveTo(points[0][0], height - points[0][1])
            for x, y in points[1:]:
                path.lineTo(x, height - y)
            is_area = isinstance(mark, Area)
            canvas.drawPath(path, stroke=int(not is_area), fill=int(is_area))
        case Dot(at=(x, y), radius=radius):
            canvas.circle(x, height - y, radius, stroke=0, fill=1)
        case Bar(at=(x, y), width=width, height=tall):
            canvas.rect(x, height - y - tall, width, tall, stroke=0, fill=1)
        case Label():
            _write(canvas, mark, height)


def _write(canvas: Any, label: Label, height: float) -> None:
    canvas.setFont(fonts.REGULAR, label.size)
    canvas.translate(label.at[0], height - label.at[1])
    if not label.is_upright:
        canvas.rotate(90)
    draw = {"start": canvas.drawString, "middle": canvas.drawCentredString, "end": canvas.drawRightString}
    draw[label.anchor](0, 0, label.text)


def _flowables(block: Block) -> Iterator[Flowable]:
    match block:
        case Heading(level=level, text=text, anchor=anchor):
            mark = f'<a name="{anchor}"/>' if anchor else ""
            yield Paragraph(mark + escape(text), heading_style({1: 18.0, 2: 13.0, 3: 11.0}[level]))
        case Text(text=text, tone=tone):
            yield Paragraph(escape(text), _style(9.5, tone, spaceAfter=4))
        case Sentences(sentences=sentences):
            yield from (_sentence(sentence, 9.5) for sentence in sentences)
            yield Spacer(1, 4)
        case Cards():
            yield _cards(block)
            yield Spacer(1, 6)
        case Facts():
            yield _facts(block)
            yield Spacer(1, 4)
        case Table():
            yield from _table(block)
        case Pictures():
            yield from _pictures(block)
        case Kept(blocks=blocks):
            inner = [flowable for each in blocks for flowable in _flowables(each)]
            yield KeepTogether([*inner, Spacer(1, 4)])


def _style(size: float, tone: Tone = Tone.PLAIN, **changes: Any) -> ParagraphStyle:
    return body_style(size, textColor=_TONES[tone], **changes)


def _sentence(said: Said, size: float) -> Paragraph:
    style = _style(size, said.tone, leftIndent=size, bulletIndent=0, bulletFontName=fonts.BOLD, bulletFontSize=size)
    return Paragraph(escape(said.text), style, bulletText=_SIGNS[said.tone])


def _cards(cards: Cards) -> Grid:
    n = len(cards.cards)
    row = [
        [
            Paragraph(escape(card.label), _style(8, Tone.FAINT)),
            Paragraph(escape(card.value), _style(14, card.tone, fontName=fonts.BOLD, leading=18)),
            Paragraph(escape(card.note), _style(7.5, Tone.FAINT)),
        ]
        for card in cards.cards
    ]
    style = TableStyle([_FONT, ("VALIGN", (0, 0), (-1, -1), "TOP"), ("BOX", (0, 0), (-1, -1), 0.5, RULE)])
    style.add("INNERGRID", (0, 0), (-1, -1), 0.5, RULE)
    return Grid([row], colWidths=[_WIDTH / n] * n, style=style, spaceBefore=6)


def _facts(facts: Facts) -> Grid:
    columns = 4 if len(facts.facts) <= 8 else 6
    cells = [
        [Paragraph(escape(name), _style(7.5, Tone.FAINT)), Paragraph(escape(value), _style(9, tone))]
        for name, value, tone in facts.facts
    ]
    cells += [[] for _ in range(-len(cells) % columns)]
    rows = [cells[start : start + columns] for start in range(0, len(cells), columns)]
    style = TableStyle(
        [
            _FONT,
            ("VALIGN", (0, 0), (-1, -1), "TOP"),
            ("LEFTPADDING", (0, 0), (-1, -1), 0),
            ("TOPPADDING", (0, 0), (-1, -1), 1),
            ("BOTTOMPADDING", (0, 0), (-1, -1), 2),
        ]
    )
    return Grid(rows, colWidths=[_WIDTH / columns] * columns, style=style)


def _table(table: Table) -> Iterator[Flowable]:
    if table.caption:
        yield Paragraph(escape(table.caption), _style(8, Tone.FAINT, spaceAfter=3))
    total = sum(column.share for column in table.columns)
    widths = [_WIDTH * column.share / total for column in table.columns]
    right = {"alignment": 2}
    head = [Paragraph(escape(c.title), _style(7, Tone.FAINT, **(right if c.is_number else {}))) for c in table.columns]
    rows = [
        [_cell(cell, is_number=c.is_number) for cell, c in zip(cells, table.columns, strict=True)]
        for cells in table.rows
    ]
    style = TableStyle(
        [
            _FONT,
            ("VALIGN", (0, 0), (-1, -1), "TOP"),
            ("LINEBELOW", (0, 0), (-1, -1), 0.4, RULE),
            ("LEFTPADDING", (0, 0), (-1, -1), 2),
            ("RIGHTPADDING", (0, 0), (-1, -1), 2),
            ("TOPPADDING", (0, 0), (-1, -1), 2),
            ("BOTTOMPADDING", (0, 0), (-1, -1), 3),
        ]
    )
    yield Grid([head, *rows], colWidths=widths, repeatRows=1, style=style)
    yield Spacer(1, 6)


def _cell(cell: Cell, *, is_number: bool) -> list[Paragraph] | Paragraph:
    if cell.lines:
        return [_sentence(line, 7.0) for line in cell.lines]
    style = _style(7.5, cell.tone, alignment=2 if is_number else 0)
    text = escape(cell.text)
    return Paragraph(f'<a href="#{cell.link}">{text}</a>' if cell.link else text, style)


def _pictures(pictures: Pictures) -> Iterator[Flowable]:
    n = len(pictures.figures)
    if n == 1:
        (figure,) = pictures.figures
        yield Drawn(figure, min(_WIDTH, figure.width * (0.72 if figure.width > 600 else 0.55)))
        return
    width = (_WIDTH - (n - 1) * _GAP) / n
    drawn = [Drawn(figure, width) for figure in pictures.figures]
    titles = [Paragraph(escape(figure.title), _style(6.5, Tone.FAINT, alignment=1)) for figure in pictures.figures]
    style = TableStyle([_FONT, ("LEFTPADDING", (0, 0), (-1, -1), 0), ("RIGHTPADDING", (0, 0), (-1, -1), _GAP)])
    style.add("TOPPADDING", (0, 0), (-1, -1), 1)
    style.add("BOTTOMPADDING", (0, 0), (-1, -1), 1)
    yield Grid([drawn, titles], colWidths=[width + _GAP] * n, style=style)
