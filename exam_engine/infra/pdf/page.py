"""Page set-up shared by all documents: A4, styles, running head and foot with page numbers."""

from collections.abc import Callable, Sequence
from functools import partial
from io import BytesIO
from typing import Any

from reportlab.lib import colors
from reportlab.lib.enums import TA_CENTER
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.platypus import BaseDocTemplate, Flowable, Frame, PageTemplate

from exam_engine.infra.pdf import fonts
from exam_engine.infra.pdf.canvas import DocumentCanvas

MARGIN = 18 * mm
INK = colors.HexColor("#16202a")
QUIET = colors.HexColor("#5b6875")
RULE = colors.HexColor("#c9d1d9")
ACCENT = colors.HexColor("#0b5394")


def body_style(size: float = 10.5, **changes: Any) -> ParagraphStyle:
    """Running text: lines grow with the formulas in them."""
    fonts.register_fonts()
    settings: dict[str, Any] = {
        "fontName": fonts.REGULAR,
        "fontSize": size,
        "leading": size * 1.35,
        "textColor": INK,
        "autoLeading": "max",
        "splitLongWords": 1,
    }
    return ParagraphStyle("body", **(settings | changes))


def heading_style(size: float = 14.0, **changes: Any) -> ParagraphStyle:
    """Headings: bold, kept with what follows."""
    return body_style(
        size, **({"fontName": fonts.BOLD, "keepWithNext": 1, "spaceBefore": 6, "spaceAfter": 4} | changes)
    )


def title_style(size: float = 16.0, **changes: Any) -> ParagraphStyle:
    """The title of a document, centred."""
    return heading_style(size, **({"alignment": TA_CENTER} | changes))


def build(
    story: Sequence[Flowable],
    *,
    title: str,
    language: str,
    head: str = "",
    foot: Callable[[int, int], str] | None = None,
    author: str = "",
) -> bytes:
    """Set a story in pages and return the PDF.

    Parameters
    ----------
    story : sequence of Flowable
    title, language, author : str
        Document information.
    head : str
        Running head on every page but the first.
    foot : callable, optional
        From (page, pages) to the running foot.
    """
    buffer = BytesIO()
    document = BaseDocTemplate(
        buffer,
        pagesize=A4,
        title=title,
        author=author,
        lang=language,
        leftMargin=MARGIN,
        rightMargin=MARGIN,
        topMargin=MARGIN,
        bottomMargin=MARGIN,
    )
    frame = Frame(
        MARGIN,
        MARGIN,
        A4[0] - 2 * MARGIN,
        A4[1] - 2 * MARGIN,
        leftPadding=0,
        rightPadding=0,
        topPadding=0,
        bottomPadding=0,
    )
    document.addPageTemplates(PageTemplate(id="page", frames=[frame]))

    def decorate(canvas: Any, number: int, pages: int) -> None:
        _decorate(canvas, head if number > 1 else "", foot(number, pages) if foot else "")

    document.build(list(story), canvasmaker=partial(DocumentCanvas, decorate=decorate))
    return buffer.getvalue()


def _decorate(canvas: Any, head: str, foot: str) -> None:
    canvas.saveState()
    canvas.setFillColor(QUIET)
    canvas.setFont(fonts.REGULAR, 8)
    if head:
        canvas.drawString(MARGIN, A4[1] - MARGIN + 4 * mm, head)
    if foot:
        canvas.drawCentredString(A4[0] / 2, MARGIN - 8 * mm, foot)
    canvas.restoreState()
