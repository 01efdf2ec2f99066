"""Printed documents of delivery: the statement of a room, to be signed by the people who were there."""

from collections.abc import Mapping, Sequence
from datetime import datetime

import msgspec
from reportlab.lib.enums import TA_CENTER, TA_LEFT, TA_RIGHT
from reportlab.lib.units import mm
from reportlab.platypus import Flowable, KeepTogether, PageBreak, Paragraph, Spacer, Table, TableStyle

from exam_engine.delivery.signing import VerifyingKey
from exam_engine.delivery.statements import AttemptLine, SignedStatement, StatementGap
from exam_engine.infra.i18n import N_, Translator, format_datetime, translator
from exam_engine.infra.pdf import fonts
from exam_engine.infra.pdf.codes import QrCode
from exam_engine.infra.pdf.page import MARGIN, QUIET, RULE, body_style, build, heading_style, title_style

WIDTH: float = 210 * mm - 2 * MARGIN
QR_SIDE = 26 * mm
GAPS_PRINTED = 60

OUTCOMES: Mapping[str, str] = {
    "submitted": N_("handed in"),
    "time": N_("closed by time"),
    "sitting": N_("closed with the sitting"),
    "absent": N_("absent"),
    "invigilator": N_("closed by the invigilator"),
    "malpractice": N_("closed for malpractice"),
}
_COLUMNS = (
    N_("Seat no."),
    N_("Candidate number"),
    N_("Paper code"),
    N_("Outcome"),
    N_("At the seat"),
    N_("On the server"),
    N_("Stored"),
    N_("Raw events"),
    N_("Hash of answers"),
)
_WIDTHS = (12, 23, 15, 30, 16, 18, 14, 18, 28)  # millimetres
_SIDES = (TA_LEFT, TA_LEFT, TA_LEFT, TA_LEFT, TA_RIGHT, TA_RIGHT, TA_RIGHT, TA_RIGHT, TA_RIGHT)
_PLACES: Mapping[str, str] = {
    "sequence": N_("order of answers"),
    "value": N_("the answer"),
    "state": N_("state"),
    "receipt": N_("the receipt"),
}


class StatementIssue(msgspec.Struct, frozen=True, kw_only=True):
    """How a statement speaks."""

    time_zone: str
    language: str = "vi"


def statement_document(signed: Sequence[SignedStatement], issue: StatementIssue) -> bytes:
    """Print statements, one after the other, each on pages of its own.

    Parameters
    ----------
    signed : sequence of SignedStatement
    issue : StatementIssue

    Returns
    -------
    bytes
        A PDF; the same statements give the same pages.
    """
    _ = translator(issue.language)
    story: list[Flowable] = []
    for position, one in enumerate(signed):
        story += [PageBreak()] if position else []
        story += _statement(one, issue, _)
    title = _("Reconciliation statement") + (f" – {signed[0].statement.sitting}" if signed else "")
    return build(
        story,
        title=title,
        language=issue.language,
        head=title,
        foot=lambda page, pages: _("Page {page} of {pages}", page=page, pages=pages),
    )


def _statement(signed: SignedStatement, issue: StatementIssue, _: Translator) -> list[Flowable]:
    statement = signed.statement
    room = _("Room {code}", code=statement.room) if statement.room else _("Without a room")
    verdict = (
        _("Seat, server and database held the same answers, to the one.")
        if statement.is_whole
        else _("{count} places differ; they are named below.", count=len(statement.gaps))
    )
    story: list[Flowable] = [
        Paragraph(_escaped(f"{statement.exam} · {statement.subject}"), body_style(10.5, alignment=TA_CENTER)),
        Paragraph(_("Reconciliation statement"), title_style(17)),
        Paragraph(_escaped(f"{room} · {statement.sitting}"), body_style(12, alignment=TA_CENTER)),
        Spacer(1, 3 * mm),
        _head(signed, issue, _),
        Spacer(1, 3 * mm),
        Paragraph(f"<b>{_escaped(verdict)}</b>", body_style(11)),
        Spacer(1, 2 * mm),
        _attempts(statement.attempts, _),
    ]
    if statement.gaps:
        story += [Paragraph(_("Differences"), heading_style(12)), *_gaps(statement.gaps, _)]
    story += [Spacer(1, 5 * mm), KeepTogether(_signatures(_))]
    return story


def _head(signed: SignedStatement, issue: StatementIssue, _: Translator) -> Flowable:
    statement, small = signed.statement, body_style(8.5)
    moment = {name: _moment(getattr(statement, name), issue) for name in ("starts_at", "ends_at", "made_at")}
    lines = [
        _("Sitting from {start} to {end}", start=moment["starts_at"], end=moment["ends_at"]),
        _("Statement no. {number}, made {moment}", number=statement.number, moment=moment["made_at"]),
        _("Form {hash}", hash=_grouped(statement.form_hash)),
        _("Root {hash}", hash=_grouped(statement.root)),
        _("Signed with key {key}, signature {signature}", key=_key_id(signed), signature=_short(signed.signature)),
    ]
    words = [Paragraph(_escaped(line), small) for line in lines]
    code = QrCode(f"EXAM-STATEMENT:{statement.sitting}:{statement.room}:{statement.number}:{statement.root}", QR_SIDE)
    table = Table([[words, code]], colWidths=[WIDTH - QR_SIDE - 2 * mm, QR_SIDE + 2 * mm])
    table.setStyle(TableStyle([("VALIGN", (0, 0), (-1, -1), "MIDDLE"), ("LEFTPADDING", (0, 0), (0, 0), 0)]))
    return table


def _attempts(lines: Sequence[AttemptLine], _: Translator) -> Flowable:
    heads = [body_style(7.5, textColor=QUIET, alignment=side) for side in _SIDES]
    cells = [body_style(8.5, alignment=side) for side in _SIDES]
    rows = [[Paragraph(_escaped(_(name)), head) for name, head in zip(_COLUMNS, heads, strict=True)]]
    for line in sorted(lines, key=lambda line: (line.seat_number or 0, line.candidate_number)):
        outcome = _(OUTCOMES[line.state]) if line.state in OUTCOMES else line.state
        texts = (
            line.seat_number or "–",
            line.candidate_number,
            line.paper_code,
            outcome,
            "–" if line.at_seat is None else line.at_seat,
            "–" if line.in_redis is None else line.in_redis,
            line.stored,
            line.events,
            _grouped(line.answers_hash[:12]),
        )
        rows.append([Paragraph(_escaped(str(text)), cell) for text, cell in zip(texts, cells, strict=True)])
    totals = (
        *("", _("Total"), "", _("{count} attempts", count=len(lines))),
        sum(line.at_seat or 0 for line in lines),
        sum(line.in_redis or 0 for line in lines),
        *(sum(line.stored for line in lines), sum(line.events for line in lines), ""),
    )
    rows.append([Paragraph(f"<b>{_escaped(str(text))}</b>", cell) for text, cell in zip(totals, cells, strict=True)])
    table = Table(rows, colWidths=[width * mm for width in _WIDTHS], repeatRows=1)
    table.setStyle(
        TableStyle(
            [
                ("FONT", (0, 0), (-1, -1), fonts.REGULAR),
                ("LINEBELOW", (0, 0), (-1, -1), 0.4, RULE),
                ("LINEABOVE", (0, -1), (-1, -1), 0.8, QUIET),
                ("VALIGN", (0, 0), (-1, -1), "MIDDLE"),
                ("LEFTPADDING", (0, 0), (-1, -1), 2),
                ("RIGHTPADDING", (0, 0), (-1, -1), 2),
                ("TOPPADDING", (0, 0), (-1, -1), 2),
                ("BOTTOMPADDING", (0, 0), (-1, -1), 2),
            ]
        )
    )
    return table


def _gaps(gaps: Sequence[StatementGap], _: Translator) -> list[Flowable]:
    small = body_style(9)
    words = []
    for gap in gaps[:GAPS_PRINTED]:
        place = _("whole paper") if gap.slot is None else _("slot {slot}", slot=gap.slot)
        sides = ((_("seat"), gap.at_seat), (_("server"), gap.in_redis), (_("database"), gap.stored))
        told = ", ".join(f"{name} {text}" for name, text in sides if text)
        words.append(Paragraph(_escaped(f"{gap.candidate_number} · {place} · {_(_PLACES[gap.what])}: {told}"), small))
    if len(gaps) > GAPS_PRINTED:
        more = len(gaps) - GAPS_PRINTED
        words.append(Paragraph(_("… and {count} more, in the JSON of this statement", count=more), small))
    return words


def _signatures(_: Translator) -> list[Flowable]:
    style, quiet = body_style(10, alignment=TA_CENTER), body_style(8, alignment=TA_CENTER, textColor=QUIET)
    people = (_("Invigilator 1"), _("Invigilator 2"), _("Head of the examination site"))
    rows = [
        [Paragraph(f"<b>{_escaped(person)}</b>", style) for person in people],
        [Paragraph(_("(signature, full name)"), quiet) for _person in people],
        [Spacer(1, 22 * mm)] * 3,
    ]
    note = _("The statement is signed electronically as well; this print is checked by its root.")
    return [Table(rows, colWidths=[WIDTH / 3] * 3), Paragraph(_escaped(note), body_style(8, textColor=QUIET))]


def _key_id(signed: SignedStatement) -> str:
    return VerifyingKey(signed.public_key).id


def _short(signature: bytes) -> str:
    return _grouped(signature.hex()[:16]) + " …"


def _grouped(hexadecimal: str) -> str:
    return " ".join(hexadecimal[i : i + 4] for i in range(0, len(hexadecimal), 4))


def _moment(moment: datetime, issue: StatementIssue) -> str:
    return format_datetime(moment, issue.language, issue.time_zone)


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;")
