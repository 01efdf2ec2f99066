"""The canvas every document is drawn on: embeds only our fonts, draws formulas where a picture is asked for."""

from collections.abc import Callable
from typing import Any

from reportlab.pdfgen.canvas import Canvas

from exam_engine.infra.pdf import fonts
from exam_engine.infra.pdf.formulas import Formula, draw_formula


class InlineFormula:
    """A formula standing in a line of text at a font size; ReportLab places it as if it were a picture."""

    def __init__(self, formula: Formula, size: float) -> None:
        self.formula = formula
        self.size = size

    @property
    def descent(self) -> float:
        """Depth below the baseline, points."""
        return self.formula.descent * self.size / 12.0


Decorate = Callable[[Any, int, int], None]
"""Draws what stands on every page, from (canvas, page number, number of pages)."""


class DocumentCanvas(Canvas):  # type: ignore[misc]
    """A canvas whose first font is ours, so that no un-embedded font is listed (PDF/A, signatures).

    Pages are held back until the end, so that a page can name how many there are.
    """

    def __init__(self, *arguments: Any, decorate: Decorate | None = None, **options: Any) -> None:
        fonts.register_fonts()
        options["initialFontName"] = fonts.REGULAR
        options["invariant"] = 1  # the same content gives the same bytes
        super().__init__(*arguments, **options)
        self._decorate = decorate
        self._held_pages: list[dict[str, Any]] = []

    def showPage(self) -> None:  # noqa: N802 (ReportLab's name)
        """Hold a finished page back."""
        self._held_pages.append(dict(self.__dict__))
        self._startPage()

    def save(self) -> None:
        """Write all pages, each decorated with its number."""
        pages = self._held_pages
        for number, held in enumerate(pages, start=1):
            self.__dict__.update(held)
            if self._decorate is not None:
                self._decorate(self, number, len(pages))
            super().showPage()
        super().save()

    def drawImage(self, image: Any, x: float, y: float, *arguments: Any, **options: Any) -> Any:  # noqa: N802
        """Draw a picture, or a formula that stands in its place."""
        if isinstance(image, InlineFormula):
            draw_formula(self, image.formula, x, y + image.descent, image.size)
            return None
        return super().drawImage(image, x, y, *arguments, **options)
