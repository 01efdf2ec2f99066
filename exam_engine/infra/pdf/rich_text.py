"""Sanitised HTML with MathML as ReportLab flowables: paragraphs, formulas, tables, pictures."""

import unicodedata
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
from lxml import html
from reportlab.lib.abag import ABag
from reportlab.lib.enums import TA_CENTER
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.platypus import Flowable, Paragraph, Spacer, Table, TableStyle
from reportlab.platypus.paraparser import ParaFrag

from exam_engine.infra.pdf.canvas import InlineFormula
from exam_engine.infra.pdf.fonts import REGULAR, font_of
from exam_engine.infra.pdf.formulas import LAYOUT_SIZE, lay_out

LoadPicture = Callable[[str], Flowable | None]
"""From the `src` of an `<img>` to a flowable, or None where the picture is not known."""

_BLOCKS = {"p", "div", "ul", "ol", "table", "blockquote", "h1", "h2", "h3", "h4", "figure", "figcaption", "pre", "li"}
FORMULA_AIR = 1.0  # points above and below a formula that is taller than its line
_UNDERLINE = (0, "underline", None, "", "-0.125*F", 0, 1, "1")


class Ink(msgspec.Struct, frozen=True):
    """How the next letters look."""

    bold: bool = False
    italic: bool = False
    underline: bool = False
    rise: float = 0.0
    scale: float = 1.0


def flow(
    markup: str, style: ParagraphStyle, *, load_picture: LoadPicture | None = None, lead: str = ""
) -> list[Flowable]:
    """Turn a fragment into flowables.

    Parameters
    ----------
    markup : str
        Sanitised HTML + MathML.
    style : ParagraphStyle
        Of the running text.
    load_picture : callable, optional
        Gives the flowable of an `<img>`.
    lead : str
        Bold text before the first line ("Câu 1. ").
    """
    builder = _Builder(style, load_picture)
    if lead:
        builder.text(lead, Ink(bold=True))
    builder.walk(html.fragment_fromstring(unicodedata.normalize("NFC", markup), create_parent="div"), Ink())
    builder.end_paragraph()
    return builder.flowables


def paragraph(frags: Sequence[ParaFrag], style: ParagraphStyle) -> Paragraph:
    """Return a paragraph of ready fragments."""
    return _FormulaParagraph("", style, frags=list(frags))


class _FormulaParagraph(Paragraph):  # type: ignore[misc]
    """A paragraph whose lines are as tall as the formulas in them.

    ReportLab forgets the height of a picture that begins a line because it no longer fitted on the one before.
    """

    def breakLines(self, width: Any) -> Any:  # noqa: N802 (ReportLab's name)
        """Break into lines, then measure each line by what it really holds."""
        broken = super().breakLines(width)
        for line in broken.lines if broken.kind == 1 else ():
            for word in line.words:
                formula = getattr(word, "cbDefn", None)
                if formula is not None:
                    line.ascent = max(line.ascent, formula.height + formula.valign + FORMULA_AIR)
                    line.descent = min(line.descent, formula.valign - FORMULA_AIR)
        return broken


class _Builder:
    def __init__(self, style: ParagraphStyle, load_picture: LoadPicture | None) -> None:
        self.flowables: list[Flowable] = []
        self._style = style
        self._load_picture = load_picture
        self._frags: list[ParaFrag] = []

    def walk(self, element: Any, ink: Ink) -> None:
        if element.text:
            self.text(element.text, ink)
        for child in element:
            self._element(child, ink)
            if child.tail:
                self.text(child.tail, ink)

    def text(self, text: str, ink: Ink) -> None:
        words = " ".join(text.replace("\xa0", "\x00").split()).replace("\x00", "\xa0")
        starts, ends = text[:1].isspace(), text[-1:].isspace()
        shown = (" " if starts and self._frags else "") + words + (" " if ends and words else "")
        if not words:
            shown = " " if self._frags and not str(self._frags[-1].text).endswith(" ") else ""
        if shown:
            self._frags.append(self._frag(shown, ink))

    def end_paragraph(self) -> None:
        while self._frags and not hasattr(self._frags[-1], "cbDefn") and not str(self._frags[-1].text).strip():
            self._frags.pop()
        if self._frags:
            self.flowables.append(paragraph(self._frags, self._style))
        self._frags = []

    def _element(self, element: Any, ink: Ink) -> None:
        tag = str(element.tag).rpartition("}")[2] if isinstance(element.tag, str) else ""
        if tag == "math":
            self._math(element)
        elif tag == "br":
            self._frags.append(self._frag("", ink, line_break=True))
        elif tag == "img":
            self._picture(element)
        elif tag == "table":
            self.end_paragraph()
            self.flowables.append(self._table(element))
        elif tag in _BLOCKS:
            if len(self.flowables) or len(self._frags) > 1:  # a lead shares its line with the first block
                self.end_paragraph()
            if tag == "li":
                self.text("• ", ink)
            self.walk(element, ink)
            self.end_paragraph()
        elif tag:
            self.walk(element, _inked(ink, tag))

    def _frag(self, text: str, ink: Ink, *, line_break: bool = False) -> ParaFrag:
        frag = ParaFrag(
            text=text,
            fontName=font_of(bold=ink.bold, italic=ink.italic),
            fontSize=self._style.fontSize * ink.scale,
            textColor=self._style.textColor,
            rise=ink.rise * self._style.fontSize,
            bold=int(ink.bold),
            italic=int(ink.italic),
            greek=0,
            link=[],
            us_lines=[_UNDERLINE] if ink.underline else [],
        )
        if line_break:
            frag.lineBreak = True
        return frag

    def _math(self, element: Any) -> None:
        tail, element.tail = element.tail, None
        formula = lay_out(html.tostring(element, encoding="unicode", method="xml"))
        element.tail = tail
        size = self._style.fontSize
        inline = InlineFormula(formula, size)
        is_display = element.get("display") == "block"
        if is_display:
            self.end_paragraph()
        frag = self._frag("", Ink())
        frag.cbDefn = ABag(
            kind="img",
            image=inline,
            width=formula.width * size / LAYOUT_SIZE,
            height=(formula.ascent + formula.descent) * size / LAYOUT_SIZE,
            valign=-inline.descent,
        )
        self._frags.append(frag)
        if is_display:
            centred = ParagraphStyle("display", parent=self._style, alignment=TA_CENTER, spaceBefore=3, spaceAfter=3)
            self.flowables.append(paragraph(self._frags, centred))
            self._frags = []

    def _picture(self, element: Any) -> None:
        flowable = self._load_picture(element.get("src", "")) if self._load_picture else None
        self.end_paragraph()
        if flowable is not None:
            flowable.hAlign = "CENTER"
            self.flowables.extend((Spacer(1, 2 * mm), flowable, Spacer(1, 2 * mm)))
        else:
            self.text(f"[{element.get('alt', '')}]", Ink(italic=True))
            self.end_paragraph()

    def _table(self, element: Any) -> Flowable:
        rows: list[list[list[Flowable]]] = []
        for row in element.iter("tr"):
            cells = []
            for cell in row:
                inner = _Builder(self._style, self._load_picture)
                inner.walk(cell, Ink(bold=cell.tag == "th"))
                inner.end_paragraph()
                cells.append(inner.flowables or [Spacer(1, 1)])
            rows.append(cells)
        columns = max((len(row) for row in rows), default=1)
        padded = [row + [[Spacer(1, 1)]] * (columns - len(row)) for row in rows] or [[[Spacer(1, 1)]]]
        table = Table(padded, hAlign="CENTER")
        table.setStyle(TableStyle(grid_commands()))
        return table


def grid_commands() -> list[tuple[Any, ...]]:
    """Table style of all documents: thin rules and our font, since ReportLab's own would be listed un-embedded."""
    return [
        ("FONT", (0, 0), (-1, -1), REGULAR),
        ("GRID", (0, 0), (-1, -1), 0.5, "#444444"),
        ("VALIGN", (0, 0), (-1, -1), "MIDDLE"),
    ]


def _inked(ink: Ink, tag: str) -> Ink:
    match tag:
        case "b" | "strong":
            return msgspec.structs.replace(ink, bold=True)
        case "i" | "em":
            return msgspec.structs.replace(ink, italic=True)
        case "u":
            return msgspec.structs.replace(ink, underline=True)
        case "sup":
            return msgspec.structs.replace(ink, rise=ink.rise + 0.35, scale=0.7)
        case "sub":
            return msgspec.structs.replace(ink, rise=ink.rise - 0.2, scale=0.7)
        case _:
            return ink
