"""Printed documents of results: the slip a candidate takes along, with every step of the graduation score."""

from collections.abc import Sequence

import msgspec
from reportlab.lib.enums import TA_CENTER
from reportlab.lib.units import mm
from reportlab.platypus import Flowable, Paragraph, Spacer, Table, TableStyle

from exam_engine.infra.i18n import Translator, format_datetime, format_decimal, format_hundredths, translator
from exam_engine.infra.pdf import fonts
from exam_engine.infra.pdf.codes import QrCode
from exam_engine.infra.pdf.page import MARGIN, QUIET, RULE, body_style, build, heading_style, title_style
from exam_engine.results.explanation import MARK_STATES, shown_lines, shown_reason, verdict
from exam_engine.results.model import PublishedGraduation, PublishedResult, PublishedSubject

WIDTH: float = 210 * mm - 2 * MARGIN
QR_SIDE = 30 * mm


class Issue(msgspec.Struct, frozen=True, kw_only=True):
    """Where the result can be looked up again, and how the slip speaks."""

    look_up_url: str  # with exam and number, never with the code
    time_zone: str
    language: str = "vi"


def result_slip(result: PublishedResult, issue: Issue) -> bytes:
    """Print one candidate's published result.

    Parameters
    ----------
    result : PublishedResult
        From `results.look_up`; it names nobody, so the slip does not either.
    issue : Issue
        Address for the QR code, time zone and language.

    Returns
    -------
    bytes
        A PDF of one page, or two when the trace is long.
    """
    _ = translator(issue.language)
    story: list[Flowable] = [
        Paragraph(_escaped(result.exam_name), body_style(11, alignment=TA_CENTER, textColor=QUIET)),
        Paragraph(_("Result slip"), title_style(18)),
        _head(result, issue, _),
        Spacer(1, 5 * mm),
        _scores(result.subjects, issue.language, _),
    ]
    if result.graduation is not None:
        story += _graduation(result.graduation, issue.language, _)
    note = _("This slip repeats what the look-up page shows. Only the page tells what holds now.")
    story += [Spacer(1, 5 * mm), Paragraph(note, body_style(8.5, textColor=QUIET))]
    title = _("Result slip") + " – " + result.candidate_number
    return build(
        story,
        title=title,
        language=issue.language,
        head=title,
        foot=lambda page, pages: _("Page {page} of {pages}", page=page, pages=pages),
    )


def _head(result: PublishedResult, issue: Issue, _: Translator) -> Flowable:
    moment = format_datetime(result.released_at, issue.language, issue.time_zone)
    facts = [
        Paragraph(_("Candidate number"), body_style(9, textColor=QUIET)),
        Paragraph(f"<b>{_escaped(result.candidate_number)}</b>", body_style(24, leading=32)),
        Paragraph(
            _("Published {moment}, release {number}.", moment=moment, number=result.release_number),
            body_style(9, textColor=QUIET),
        ),
        Paragraph(_escaped(issue.look_up_url), body_style(8, textColor=QUIET)),
    ]
    table = Table([[facts, QrCode(issue.look_up_url, QR_SIDE)]], colWidths=[WIDTH - QR_SIDE, QR_SIDE])
    table.setStyle(
        TableStyle(
            [
                ("FONT", (0, 0), (-1, -1), fonts.REGULAR),
                ("VALIGN", (0, 0), (-1, -1), "MIDDLE"),
                ("LEFTPADDING", (0, 0), (-1, -1), 0),
                ("RIGHTPADDING", (0, 0), (-1, -1), 0),
            ]
        )
    )
    return table


def _scores(subjects: Sequence[PublishedSubject], language: str, _: Translator) -> Flowable:
    cell, figure = body_style(10.5), body_style(10.5, alignment=2)
    rows = [[Paragraph("<b>" + _("Subject") + "</b>", cell), Paragraph("<b>" + _("Score") + "</b>", figure)]]
    for subject in subjects:
        parts = " · ".join(
            _("Part {part}", part=part) + ": " + format_decimal(value, language)
            for part, value in subject.parts.items()
        )
        small = f'<br/><font size="8" color="#5b6875">{_escaped(parts)}</font>' if len(subject.parts) > 1 else ""
        rows.append(
            [
                Paragraph(_escaped(subject.name) + small, cell),
                Paragraph(f"<b>{_escaped(_mark(subject, language, _))}</b>", figure),
            ]
        )
    return _ruled(rows, [WIDTH * 0.7, WIDTH * 0.3])


def _mark(subject: PublishedSubject, language: str, _: Translator) -> str:
    if subject.score is None:
        return _(MARK_STATES[subject.state])
    return f"{format_hundredths(subject.score, language)} / {format_hundredths(subject.maximum, language)}"


def _graduation(graduation: PublishedGraduation, language: str, _: Translator) -> list[Flowable]:
    score = "" if graduation.score is None else f": {format_hundredths(graduation.score, language)}"
    heading = _("Graduation score") + score + " – " + verdict(graduation, _)
    cell, figure = body_style(9.5), body_style(9.5, alignment=2)
    rows = [
        [
            Paragraph(_escaped(line.label) + _small(line.note), cell),
            Paragraph(_escaped(line.formula), cell),
            Paragraph(f"<b>{_escaped(line.value)}</b>", figure),
        ]
        for line in shown_lines(graduation.lines, language, _)
    ]
    story: list[Flowable] = [Spacer(1, 4 * mm), Paragraph(_escaped(heading), heading_style(13))]
    story += [Paragraph(_escaped(shown_reason(reason, language, _)), body_style(10)) for reason in graduation.reasons]
    if rows:
        story.append(_ruled(rows, [WIDTH * 0.42, WIDTH * 0.4, WIDTH * 0.18]))
    story.append(Paragraph(_("Rule set {rules}.", rules=graduation.rule_set), body_style(8.5, textColor=QUIET)))
    return story


def _ruled(rows: Sequence[Sequence[Flowable]], widths: Sequence[float]) -> Flowable:
    table = Table([list(row) for row in rows], colWidths=list(widths))
    table.setStyle(
        TableStyle(
            [
                ("FONT", (0, 0), (-1, -1), fonts.REGULAR),
                ("LINEBELOW", (0, 0), (-1, -1), 0.5, RULE),
                ("VALIGN", (0, 0), (-1, -1), "TOP"),
                ("LEFTPADDING", (0, 0), (0, -1), 0),
                ("RIGHTPADDING", (-1, 0), (-1, -1), 0),
                ("TOPPADDING", (0, 0), (-1, -1), 3),
                ("BOTTOMPADDING", (0, 0), (-1, -1), 4),
            ]
        )
    )
    return table


def _small(text: str) -> str:
    return f'<br/><font size="8" color="#5b6875">{_escaped(text)}</font>' if text else ""


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;")
