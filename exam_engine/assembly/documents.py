"""Printed papers and keys of a form: parts, options in as few lines as fit, the key as a matrix of paper codes."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from reportlab.lib.enums import TA_CENTER
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.platypus import Flowable, KeepTogether, Paragraph, Spacer, Table, TableStyle
from sqlalchemy.ext.asyncio import AsyncSession

from exam_engine.authoring import service as authoring
from exam_engine.infra.i18n import Translator, format_hundredths, translator
from exam_engine.infra.pdf import fonts
from exam_engine.infra.pdf.page import MARGIN, QUIET, body_style, build, heading_style, title_style
from exam_engine.infra.pdf.pictures import picture
from exam_engine.infra.pdf.rich_text import LoadPicture, flow, grid_commands
from item_bank.forms.paper import (
    CandidateCluster,
    CandidateEssay,
    CandidateItem,
    CandidateMultipleChoice,
    CandidateShortNumeric,
    CandidateSingleChoice,
    CandidateStimulus,
    PrintedPaper,
    PrintedPart,
)
from item_bank.forms.printed_key import PrintedKey, PrintedKeyPart

FIGURE_WIDTH, FIGURE_HEIGHT = 110 * mm, 65 * mm
_MEDIA = re.compile(r"/media/([0-9a-f]{64}\.[a-z]+)")
PAGE_WIDTH: float = 210 * mm - 2 * MARGIN


def paper_document(paper: PrintedPaper, *, exam_name: str, load_picture: LoadPicture | None = None) -> bytes:
    """Print one paper code of a form, keyless.

    Parameters
    ----------
    paper : PrintedPaper
        From `assembly.service.paper_for_print`.
    exam_name : str
        First line of the head.
    load_picture : callable, optional
        Gives the flowable of an `<img>`.
    """
    _ = translator(paper.language)
    counted = 0

    def foot(page: int, pages: int) -> str:
        nonlocal counted
        counted = pages
        return _("Paper code {code} – page {page} of {pages}", code=paper.code, page=page, pages=pages)

    def printed(pages: int) -> bytes:
        return build(
            _story(paper, exam_name, pages, load_picture, _),
            title=f"{paper.title} – {paper.code}",
            language=paper.language,
            head=paper.title + " · " + _("paper code {code}", code=paper.code),
            foot=foot,
        )

    # The head names the number of pages, which is known only once they are set.
    first = printed(pages=1)
    return first if counted == 1 else printed(pages=counted)


def _story(
    paper: PrintedPaper, exam_name: str, pages: int, load_picture: LoadPicture | None, _: Translator
) -> list[Flowable]:
    body = body_style(10.5)
    story: list[Flowable] = [_head(paper, exam_name, pages, _), Spacer(1, 4 * mm)]
    stimuli = {stimulus.id: stimulus for stimulus in paper.stimuli}
    for part in paper.parts:
        story += _part(part, stimuli, body, load_picture, _)
    end = body_style(10.5, alignment=TA_CENTER, spaceBefore=8)
    story.append(Paragraph("<b>" + _("END") + "</b>", end))
    return story


async def load_pictures(session: AsyncSession, paper: PrintedPaper) -> LoadPicture:
    """Load the figures a paper shows and return what draws them."""
    contents = [item for part in paper.parts for item in part.items]
    markup = msgspec.json.encode([contents, paper.stimuli]).decode()
    stored = {}
    for name in set(_MEDIA.findall(markup)):
        media = await authoring.load_media(session, name.partition(".")[0])
        stored[f"/media/{name}"] = (media.content, media.media_type)

    def load(source: str) -> Flowable | None:
        found = stored.get(source)
        return None if found is None else picture(*found, FIGURE_WIDTH, FIGURE_HEIGHT)

    return load


def key_document(key: PrintedKey, *, exam_name: str, language: str = "vi") -> bytes:
    """Print the key of a form: a matrix of numbers by paper codes for each part, and the rubrics of essays."""
    _ = translator(language)
    title = _("Key") + " – " + key.title
    story: list[Flowable] = [
        Paragraph(_escaped(exam_name), title_style(11)),
        Paragraph(_escaped(title), title_style(15)),
        Paragraph(_("Confidential until the exam is over."), body_style(9, alignment=TA_CENTER, textColor=QUIET)),
        Spacer(1, 3 * mm),
    ]
    for part in key.parts:
        story += _key_part(part, key.codes, _)
    for rubric in key.rubrics:
        numbers = ", ".join(f"{code}: {number}" for code, number in zip(key.codes, rubric.numbers, strict=True))
        story.append(Paragraph(_escaped(_("Rubric") + f" ({numbers})"), heading_style(11)))
        rows = [[c.title, format_hundredths(c.maximum, language)] for c in rubric.criteria]
        story.append(_matrix([[_("Criterion"), _("Points")], *rows], [120 * mm, 25 * mm]))
    return build(
        story,
        title=title,
        language=language,
        head=title,
        foot=lambda page, pages: _("Page {page} of {pages}", page=page, pages=pages),
    )


def _head(paper: PrintedPaper, exam_name: str, pages: int, _: Translator) -> Flowable:
    left = body_style(10, alignment=TA_CENTER)
    quiet = body_style(9, alignment=TA_CENTER, textColor=QUIET)
    code = body_style(
        11, alignment=TA_CENTER, fontName=fonts.BOLD, borderWidth=0.8, borderColor="#16202a", borderPadding=4
    )
    cells = [
        [
            Paragraph(f"<b>{_escaped(exam_name)}</b>", left),
            Paragraph("(" + _("The paper has {pages} pages", pages=f"{pages:02}") + ")", quiet),
        ],
        [
            Paragraph(f"<b>{_escaped(paper.title)}</b>", body_style(12.5, alignment=TA_CENTER)),
            Paragraph(_("Time: {minutes} minutes, without handing-out", minutes=paper.minutes), quiet),
        ],
    ]
    top = Table([cells], colWidths=[PAGE_WIDTH * 0.45, PAGE_WIDTH * 0.55])
    top.setStyle(TableStyle([("VALIGN", (0, 0), (-1, -1), "TOP"), ("FONT", (0, 0), (-1, -1), fonts.REGULAR)]))
    full_name = _("Full name") + ": " + "." * 60
    number = _("Candidate number") + ": " + "." * 48
    name = Paragraph(f"{full_name}<br/>{number}", body_style(10, leading=17))
    lines = Table(
        [[name, Paragraph(_("Paper code {code}", code=paper.code), code)]],
        colWidths=[PAGE_WIDTH * 0.72, PAGE_WIDTH * 0.28],
    )
    lines.setStyle(TableStyle([("VALIGN", (0, 0), (-1, -1), "MIDDLE"), ("FONT", (0, 0), (-1, -1), fonts.REGULAR)]))
    outer = Table([[top], [lines]], colWidths=[PAGE_WIDTH])
    outer.setStyle(TableStyle([("FONT", (0, 0), (-1, -1), fonts.REGULAR), ("LEFTPADDING", (0, 0), (-1, -1), 0)]))
    return outer


def _part(
    part: PrintedPart,
    stimuli: Mapping[str, CandidateStimulus],
    body: ParagraphStyle,
    load_picture: LoadPicture | None,
    _: Translator,
) -> list[Flowable]:
    heading = [Paragraph(f"<b>{_escaped(part.part.title)}</b>", heading_style(11))] if part.part.title else []
    if part.part.instructions:
        heading.append(Paragraph(_escaped(part.part.instructions), body_style(10, keepWithNext=1)))
    flowables: list[Flowable] = [*heading]
    shown: str | None = None
    for printed in part.items:
        item = printed.item
        if item.stimulus is not None and item.stimulus != shown:
            flowables += _stimulus(stimuli[item.stimulus], body, load_picture)
        shown = item.stimulus
        lead = _("Question {number}. ", number=printed.number)
        stem = flow(item.stem, body, load_picture=load_picture, lead=lead)
        flowables.append(KeepTogether([*stem, *_answers(item, body, load_picture, _), Spacer(1, 2.2 * mm)]))
    return flowables


def _stimulus(stimulus: CandidateStimulus, body: ParagraphStyle, load_picture: LoadPicture | None) -> list[Flowable]:
    title = (
        [Paragraph(f"<b>{_escaped(stimulus.title)}</b>", body_style(10.5, keepWithNext=1))] if stimulus.title else []
    )
    indented = ParagraphStyle("passage", parent=body, leftIndent=6 * mm, rightIndent=6 * mm, spaceAfter=3)
    return [Spacer(1, 2 * mm), *title, *flow(stimulus.content, indented, load_picture=load_picture), Spacer(1, 2 * mm)]


def _answers(
    item: CandidateItem, body: ParagraphStyle, load_picture: LoadPicture | None, _: Translator
) -> list[Flowable]:
    match item:
        case CandidateSingleChoice() | CandidateMultipleChoice():
            cells = [
                flow(option.content, body, load_picture=load_picture, lead=f"{'ABCDEFGH'[place]}. ")
                for place, option in enumerate(item.options)
            ]
            return [_options(cells)]
        case CandidateCluster():
            inset = ParagraphStyle("statement", parent=body, leftIndent=5 * mm)
            return [
                flowable
                for place, statement in enumerate(item.statements)
                for flowable in flow(statement.content, inset, load_picture=load_picture, lead=f"{'abcdefgh'[place]}) ")
            ]
        case CandidateShortNumeric():
            return [Paragraph(_("Answer") + ": " + "." * 24, ParagraphStyle("line", parent=body, leftIndent=5 * mm))]
        case CandidateEssay():
            return []


def _options(cells: Sequence[list[Flowable]]) -> Flowable:
    """Four beside each other, else two, else one below the other: as few lines as the widest option allows."""
    widest = max((_natural_width(cell) for cell in cells), default=0.0)
    inner = PAGE_WIDTH - 5 * mm
    columns = next((n for n in (4, 2) if widest + 2 * mm <= inner / n and len(cells) % n == 0), 1)
    rows = [list(cells[start : start + columns]) for start in range(0, len(cells), columns)]
    table = Table(rows, colWidths=[inner / columns] * columns, hAlign="RIGHT")
    table.setStyle(
        TableStyle(
            [
                ("FONT", (0, 0), (-1, -1), fonts.REGULAR),
                ("VALIGN", (0, 0), (-1, -1), "TOP"),
                ("LEFTPADDING", (0, 0), (-1, -1), 0),
                ("TOPPADDING", (0, 0), (-1, -1), 0.5),
                ("BOTTOMPADDING", (0, 0), (-1, -1), 0.5),
            ]
        )
    )
    return table


def _natural_width(cell: Sequence[Flowable]) -> float:
    if len(cell) != 1 or not isinstance(cell[0], Paragraph):
        return PAGE_WIDTH
    paragraph: Any = cell[0]
    endless = 100_000.0
    paragraph.wrap(endless, endless)
    spare = (line[0] if isinstance(line, tuple) else line.extraSpace for line in paragraph.blPara.lines)
    widths: list[float] = [endless - float(extra) for extra in spare]
    return max(widths, default=0.0)


def _key_part(part: PrintedKeyPart, codes: Sequence[str], _: Translator) -> list[Flowable]:
    rows = [[str(row.number), *row.keys] for row in part.rows]
    width = min(30 * mm, (PAGE_WIDTH - 16 * mm) / max(len(codes), 1))
    matrix = _matrix([[_("No."), *codes], *rows], [16 * mm, *([width] * len(codes))])
    return [Paragraph(_escaped(part.title), heading_style(11)), matrix, Spacer(1, 3 * mm)]


def _matrix(rows: Sequence[Sequence[str]], widths: Sequence[float]) -> Flowable:
    table = Table([list(row) for row in rows], colWidths=list(widths), hAlign="LEFT", repeatRows=1)
    table.setStyle(
        TableStyle(
            [
                *grid_commands(),
                ("FONT", (0, 0), (-1, 0), fonts.BOLD, 9),
                ("FONT", (0, 1), (-1, -1), fonts.REGULAR, 9),
                ("BACKGROUND", (0, 0), (-1, 0), "#e8edf2"),
                ("ALIGN", (0, 0), (-1, -1), "CENTER"),
                ("TOPPADDING", (0, 0), (-1, -1), 2),
                ("BOTTOMPADDING", (0, 0), (-1, -1), 2),
            ]
        )
    )
    return table


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;")
