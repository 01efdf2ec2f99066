"""QR codes as vector squares."""

from typing import Any

import segno
from reportlab.platypus import Flowable


class QrCode(Flowable):  # type: ignore[misc]
    """A QR code of a given side length in points, quiet zone included; error correction M."""

    def __init__(self, content: str, side: float) -> None:
        super().__init__()
        self.width = self.height = side
        self._matrix = list(segno.make(content, error="m", micro=False).matrix_iter(scale=1, border=2))

    def draw(self) -> None:
        """Draw it with its lower left corner at the origin."""
        draw_matrix(self.canv, self._matrix, 0, 0, self.width)


def draw_qr(canvas: Any, content: str, x: float, y: float, side: float) -> None:
    """Draw a QR code directly on a canvas."""
    draw_matrix(canvas, list(segno.make(content, error="m", micro=False).matrix_iter(scale=1, border=2)), x, y, side)


def draw_matrix(canvas: Any, matrix: list[Any], x: float, y: float, side: float) -> None:
    """Draw a matrix of dark (true) and light modules, runs of dark ones as one rectangle."""
    module = side / len(matrix)
    path = canvas.beginPath()
    for row, line in enumerate(matrix):
        column = 0
        while column < len(line):
            if not line[column]:
                column += 1
                continue
            start = column
            while column < len(line) and line[column]:
                column += 1
            path.rect(x + start * module, y + side - (row + 1) * module, (column - start) * module, module)
    canvas.saveState()
    canvas.setFillGray(0)
    canvas.drawPath(path, stroke=0, fill=1)
    canvas.restoreState()
