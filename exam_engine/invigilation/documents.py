"""What hangs at the door and lies on the invigilator's desk: room list, seat map by rows, the minutes of incidents."""

from collections.abc import Sequence
from io import BytesIO

import msgspec
from reportlab.lib.enums import TA_CENTER
from reportlab.lib.units import mm
from reportlab.platypus import Flowable, Image, KeepTogether, Paragraph, Spacer, Table, TableStyle

from exam_engine.infra.i18n import N_, Translator, format_datetime, format_time, translator
from exam_engine.infra.pdf import fonts
from exam_engine.infra.pdf.page import INK, MARGIN, QUIET, RULE, body_style, build, heading_style, title_style
from exam_engine.invigilation.incidents import TITLES, Incident

WIDTH: float = 210 * mm - 2 * MARGIN
COLUMNS_UNKNOWN = 6
PHOTO_WIDTH: float = 13.5 * mm  # three to four, as on a card
MAP_PHOTO_WIDTH: float = 12 * mm


class SeatLine(msgspec.Struct, frozen=True):
    """One candidate of a room."""

    seat: int | None
    number: str
    name: str
    born: str = ""
    photo: bytes = b""  # JPEG; empty: none


class RoomSheet(msgspec.Struct, frozen=True, kw_only=True):
    """What stands above every sheet of a room."""

    exam: str
    subject: str
    room: str
    starts: str  # the moment in words
    time_zone: str
    columns: int = 0
    language: str = "vi"


def room_list(sheet: RoomSheet, seats: Sequence[SeatLine]) -> bytes:
    """Print the list of a room with room to sign, in the order of the seats."""
    _ = translator(sheet.language)
    has_photos = any(line.photo for line in seats)
    heads = [_("Seat"), *([_("Photo")] if has_photos else []), _("Candidate number"), _("Full name"), _("Born")]
    heads += [_("Signature"), _("Remarks")]
    rows = [
        [
            _text("" if line.seat is None else str(line.seat)),
            *([_photo(line.photo, PHOTO_WIDTH)] if has_photos else []),
            *map(_text, (line.number, line.name, line.born)),
            "",
            "",
        ]
        for line in seats
    ]
    widths = [12 * mm, *([PHOTO_WIDTH + 8] if has_photos else []), 27 * mm, 0, 27 * mm, 30 * mm, 22 * mm]
    widths[-4] = WIDTH - sum(widths)
    table = Table([[_head(text) for text in heads], *rows], colWidths=widths, repeatRows=1, rowHeights=None)
    air = 2 if has_photos else 6
    table.setStyle(_grid([("TOPPADDING", (0, 1), (-1, -1), air), ("BOTTOMPADDING", (0, 1), (-1, -1), air)]))
    count = _("{count} candidates on the list. Present: ………  Absent: ………", count=len(seats))
    story = [*_title(sheet, _("Room list"), _), table, Spacer(1, 5 * mm), Paragraph(count, body_style(10)), _signers(_)]
    return _build(story, sheet, _("Room list"), _)


def seat_map(sheet: RoomSheet, seats: Sequence[SeatLine]) -> bytes:
    """Print the room as it stands: rows of seats as the candidates find them when they come in."""
    _ = translator(sheet.language)
    columns = sheet.columns or COLUMNS_UNKNOWN
    placed = {line.seat: line for line in seats if line.seat is not None}
    last = max(placed, default=0)
    rows = [
        [_seat_cell(place, placed.get(place)) for place in range(first, first + columns)]
        for first in range(1, last + 1, columns)
    ]
    front = Table([[Paragraph(_("Invigilator · blackboard"), body_style(10, alignment=TA_CENTER))]], colWidths=[WIDTH])
    front.setStyle(TableStyle([("BOX", (0, 0), (-1, -1), 0.7, QUIET)]))
    story = [*_title(sheet, _("Seat map"), _), front, Spacer(1, 4 * mm)]
    if rows:
        height = 33 * mm if any(line.photo for line in seats) else 24 * mm
        table = Table(rows, colWidths=[WIDTH / columns] * columns, rowHeights=[height] * len(rows))
        table.setStyle(_grid([("VALIGN", (0, 0), (-1, -1), "TOP")]))
        story.append(table)
    without = [line for line in seats if line.seat is None]
    if without:
        names = "; ".join(f"{line.number} {line.name}" for line in without)
        story += [Spacer(1, 4 * mm), Paragraph(_("Without a seat: {names}", names=_escaped(names)), body_style(10))]
    return _build(story, sheet, _("Seat map"), _)


def incident_minutes(sheet: RoomSheet, incidents: Sequence[Incident]) -> bytes:
    """Print the incidents of a room for signature; withdrawn ones stay, marked as such."""
    _ = translator(sheet.language)
    story = _title(sheet, _("Minutes of incidents"), _)
    if not incidents:
        story.append(Paragraph(_("Nothing was reported in this room."), body_style(11)))
    for incident in incidents:
        story.append(KeepTogether(_incident(incident, sheet, _)))
    story.append(_signers(_))
    return _build(story, sheet, _("Minutes of incidents"), _)


def _incident(incident: Incident, sheet: RoomSheet, _: Translator) -> list[Flowable]:
    began = format_time(incident.began_at, sheet.time_zone)
    until = incident.ended_at and format_time(incident.ended_at, sheet.time_zone)
    times = began if until is None else f"{began} – {until}"
    seats = "; ".join(
        _("seat {seat}: {name} ({number})", seat=seat.seat or "–", name=seat.name, number=seat.number)
        for seat in incident.seats
    )
    reported = _(
        "Reported by {who} at {moment}.",
        who=incident.reported_by.removeprefix("person:"),
        moment=format_datetime(incident.reported_at, sheet.language, sheet.time_zone),
    )
    parts: list[Flowable] = [
        Paragraph(f"{incident.number}. {_(TITLES[incident.kind])} · {times}", heading_style(11.5)),
    ]
    if seats:
        parts.append(Paragraph(_escaped(seats), body_style(10)))
    parts += [
        Paragraph(_escaped(incident.text).replace("\n", "<br/>"), body_style(10.5)),
        Paragraph(_escaped(reported), body_style(8.5, textColor=QUIET)),
    ]
    if incident.withdrawn_at is not None:
        withdrawn = _("WITHDRAWN: {reason}", reason=incident.withdrawn_reason)
        parts.append(Paragraph(f"<b>{_escaped(withdrawn)}</b>", body_style(10)))
    return [*parts, Spacer(1, 3 * mm)]


def _title(sheet: RoomSheet, title: str, _: Translator) -> list[Flowable]:
    place = _("Room {code}", code=sheet.room)
    return [
        Paragraph(_escaped(sheet.exam), body_style(10.5, alignment=TA_CENTER, textColor=QUIET)),
        Paragraph(f"{_escaped(title)} · {_escaped(place)}", title_style(16)),
        Paragraph(f"{_escaped(sheet.subject)} · {_escaped(sheet.starts)}", body_style(10.5, alignment=TA_CENTER)),
        Spacer(1, 4 * mm),
    ]


def _signers(_: Translator) -> Flowable:
    style = body_style(10, alignment=TA_CENTER)
    cells = [Paragraph(_(who), style) for who in (N_("First invigilator"), N_("Second invigilator"))]
    table = Table([cells, ["", ""]], colWidths=[WIDTH / 2] * 2, rowHeights=[None, 22 * mm])
    table.setStyle(TableStyle([("TOPPADDING", (0, 0), (-1, 0), 10 * mm)]))
    return KeepTogether([table])


def _seat_cell(place: int, line: SeatLine | None) -> list[Flowable]:
    number = Paragraph(f"<b>{place}</b>", body_style(11))
    if line is None:
        return [number]
    who = [Paragraph(_escaped(line.number), body_style(8.5)), _text(line.name, 8.5)]
    if not line.photo:
        return [number, *who]
    head = Table([[number, _photo(line.photo, MAP_PHOTO_WIDTH)]], colWidths=[None, MAP_PHOTO_WIDTH])
    flat = [(f"{side}PADDING", (0, 0), (-1, -1), 0) for side in ("LEFT", "RIGHT", "TOP", "BOTTOM")]
    head.setStyle(TableStyle([*flat, ("VALIGN", (0, 0), (-1, -1), "TOP")]))
    return [head, *who]


def _photo(content: bytes, width: float) -> Flowable:
    height = width * 4 / 3
    return Image(BytesIO(content), width=width, height=height) if content else Spacer(width, height)


def _grid(more: list[tuple[object, ...]]) -> TableStyle:
    return TableStyle(
        [
            ("GRID", (0, 0), (-1, -1), 0.5, RULE),
            ("BOX", (0, 0), (-1, -1), 0.8, INK),
            ("VALIGN", (0, 0), (-1, -1), "MIDDLE"),
            ("LEFTPADDING", (0, 0), (-1, -1), 4),
            ("RIGHTPADDING", (0, 0), (-1, -1), 4),
            *more,
        ]
    )


def _head(text: str) -> Paragraph:
    return Paragraph(_escaped(text), body_style(9, fontName=fonts.BOLD))


def _text(text: str, size: float = 10.0) -> Paragraph:
    return Paragraph(_escaped(text), body_style(size))


def _build(story: Sequence[Flowable], sheet: RoomSheet, title: str, _: Translator) -> bytes:
    return build(
        story,
        title=f"{title} {sheet.room}",
        language=sheet.language,
        head=f"{title} · {sheet.room} · {sheet.subject}",
        foot=lambda page, pages: _("Page {page} of {pages}", page=page, pages=pages),
    )


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;")
