"""Printed documents of enrolment: candidate cards with codes and QR, eight to an A4 sheet, cut along the lines."""

import unicodedata
from collections.abc import Sequence
from io import BytesIO
from typing import Any

from reportlab.lib.pagesizes import A4
from reportlab.lib.units import mm
from reportlab.pdfbase.pdfmetrics import stringWidth
from reportlab.platypus import Paragraph

from exam_engine.enrolment.model import CandidateCard, SubjectMode
from exam_engine.infra.i18n import translator
from exam_engine.infra.pdf import fonts
from exam_engine.infra.pdf.canvas import DocumentCanvas
from exam_engine.infra.pdf.codes import draw_qr
from exam_engine.infra.pdf.page import ACCENT, INK, QUIET, RULE, body_style

COLUMNS, ROWS = 2, 4
WIDTH, HEIGHT = A4[0] / COLUMNS, A4[1] / ROWS
PAD = 6 * mm
QR_SIDE = 22 * mm


def candidate_cards(cards: Sequence[CandidateCard], language: str = "vi") -> bytes:
    """Print candidate cards.

    Parameters
    ----------
    cards : sequence of CandidateCard
        In the order they shall be cut and handed out.
    language : str
        Of the labels; "vi" or "en".

    Returns
    -------
    bytes
        A PDF; the same cards give the same bytes.
    """
    buffer = BytesIO()
    translate = translator(language)
    canvas = DocumentCanvas(buffer, pagesize=A4, lang=language)
    canvas.setTitle(translate("Candidate cards"))
    per_page = COLUMNS * ROWS
    for index, card in enumerate(cards):
        place = index % per_page
        if place == 0:
            if index:
                canvas.showPage()
            _cutting_lines(canvas)
        column, row = place % COLUMNS, place // COLUMNS
        _card(canvas, card, column * WIDTH, A4[1] - (row + 1) * HEIGHT, language)
    if not cards:
        canvas.drawString(PAD, A4[1] - 2 * PAD, translate("There is no candidate with a number and a seat yet."))
    canvas.showPage()
    canvas.save()
    return buffer.getvalue()


def _card(canvas: Any, card: CandidateCard, x: float, y: float, language: str) -> None:
    translate = translator(language)
    left, right, top = x + PAD, x + WIDTH - PAD, y + HEIGHT - PAD
    inner = right - left
    canvas.setFillColor(QUIET)
    _fitted(canvas, card.exam_name, left, top - 2.5 * mm, inner, fonts.REGULAR, 7.5)
    canvas.setFillColor(INK)
    _fitted(canvas, card.full_name, left, top - 9.5 * mm, inner, fonts.BOLD, 13)
    canvas.setFont(fonts.REGULAR, 7.5)
    born = f"{translate('Born')} {card.date_of_birth}" if card.date_of_birth else ""
    _fitted(
        canvas, " · ".join(part for part in (born, card.school or "") if part), left, top - 13 * mm, inner, size=7.5
    )

    number_line = top - 25 * mm
    _label(canvas, translate("Candidate number"), left, number_line + 4.8 * mm)
    canvas.setFillColor(ACCENT)
    canvas.setFont(fonts.BOLD, 17)
    canvas.drawString(left, number_line - 1.6 * mm, card.number)
    canvas.setFillColor(INK)
    _label(canvas, translate("Room · seat"), left + 42 * mm, number_line + 4.8 * mm)
    canvas.setFont(fonts.BOLD, 12)
    canvas.setFillColor(INK)
    seat = f"{card.room} · {card.seat}" if card.room else "–"
    canvas.drawString(left + 42 * mm, number_line - 1 * mm, seat)

    codes_line = number_line - 11.5 * mm
    _label(canvas, translate("Code to enter the exam"), left, codes_line + 3.6 * mm)
    _label(canvas, translate("Code to look results up"), left, codes_line - 6.6 * mm)
    canvas.setFont(fonts.BOLD, 11.5)
    canvas.setFillColor(INK)
    canvas.drawString(left, codes_line - 0.6 * mm, card.sit_code)
    canvas.drawString(left, codes_line - 10.9 * mm, card.look_up_code)
    draw_qr(canvas, card.look_up_url, right - QR_SIDE, codes_line - 10.5 * mm, QR_SIDE)
    _label(canvas, translate("Results"), right - QR_SIDE + 2 * mm, codes_line - 12 * mm)

    subjects = ", ".join(
        translate("{subject} ({minutes} minutes)", subject=subject.name, minutes=subject.minutes)
        if subject.mode == SubjectMode.ONLINE
        else subject.name
        for subject in card.subjects
    )
    note = translate("Keep both codes to yourself: whoever has them can sit for you or see your results.")
    style = body_style(6.6, leading=8.2, textColor=QUIET)
    text = Paragraph(unicodedata.normalize("NFC", f"{_escaped(subjects)}<br/>{_escaped(note)}"), style)
    _, height = text.wrap(inner - QR_SIDE - 3 * mm, 14 * mm)
    text.drawOn(canvas, left, max(codes_line - 14 * mm - height, y + 3 * mm))


def _label(canvas: Any, text: str, x: float, y: float) -> None:
    canvas.setFillColor(QUIET)
    canvas.setFont(fonts.REGULAR, 6)
    canvas.drawString(x, y, text)


def _fitted(
    canvas: Any, text: str, x: float, y: float, width: float, font: str = fonts.REGULAR, size: float = 9.0
) -> None:
    """Draw one line, smaller where it would not fit, and shortened where even that is not enough."""
    text = unicodedata.normalize("NFC", text)
    while size > 6.0 and stringWidth(text, font, size) > width:
        size -= 0.25
    while len(text) > 1 and stringWidth(text, font, size) > width:
        text = text[:-2] + "…"
    canvas.setFont(font, size)
    canvas.drawString(x, y, text)


def _cutting_lines(canvas: Any) -> None:
    canvas.saveState()
    canvas.setStrokeColor(RULE)
    canvas.setDash(2, 3)
    canvas.setLineWidth(0.5)
    canvas.line(WIDTH, 0, WIDTH, A4[1])
    for row in range(1, ROWS):
        canvas.line(0, row * HEIGHT, A4[0], row * HEIGHT)
    canvas.restoreState()


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;")
