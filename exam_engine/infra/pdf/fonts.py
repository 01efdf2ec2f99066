"""Fonts of every PDF: Be Vietnam Pro, whole, embedded as subsets. The build copies the files beside this module."""

from functools import cache
from pathlib import Path

from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont

from exam_engine.infra.errors import EngineError

FOLDER = Path(__file__).parent / "fonts"

REGULAR = "BeVietnamPro"
BOLD = "BeVietnamPro-Bold"
ITALIC = "BeVietnamPro-Italic"
BOLD_ITALIC = "BeVietnamPro-BoldItalic"

_FILES = {
    REGULAR: "BeVietnamPro_400Regular.ttf",
    BOLD: "BeVietnamPro_700Bold.ttf",
    ITALIC: "BeVietnamPro_400Regular_Italic.ttf",
    BOLD_ITALIC: "BeVietnamPro_700Bold_Italic.ttf",
}


class FontsMissing(EngineError):
    """The build has not copied the fonts yet."""

    def __init__(self, folder: str) -> None:
        self.folder = folder
        super().__init__(f"the fonts for PDF are not in {folder}; run `make build` once")


@cache
def register_fonts() -> None:
    """Register the four styles with ReportLab, once a process.

    Raises
    ------
    FontsMissing
        A font file is not there.
    """
    for name, file_name in _FILES.items():
        path = FOLDER / file_name
        if not path.exists():
            raise FontsMissing(FOLDER.name)
        pdfmetrics.registerFont(TTFont(name, path))
    pdfmetrics.registerFontFamily(REGULAR, normal=REGULAR, bold=BOLD, italic=ITALIC, boldItalic=BOLD_ITALIC)


def font_of(*, bold: bool, italic: bool) -> str:
    """Return the name of a style."""
    return {(False, False): REGULAR, (True, False): BOLD, (False, True): ITALIC, (True, True): BOLD_ITALIC}[
        bool(bold), bool(italic)
    ]
