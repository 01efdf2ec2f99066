"""The plan of a day, read as an examiner reads it: times, papers, rooms, people who would be in two places at once."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import combinations
from uuid import UUID

import msgspec

from exam_engine.delivery.freezing import Thaw
from exam_engine.delivery.model import AttemptSeat, Sitting, SittingState, granted_ms
from exam_engine.overviews.exam_day.findings import Finding, blocker, note, warning
from item_bank.messages import message

NAMED = 5
LONGEST_LATE_SHARE = 0.5


class PlannedRoom(msgspec.Struct, frozen=True, kw_only=True):
    """A room of an exam, and who may invigilate there."""

    id: UUID
    code: str
    capacity: int
    site: str  # unit and code together are one physical room, whichever exam uses it
    invigilators: frozenset[str]  # user names whose role reaches the room


class PlannedPaper(msgspec.Struct, frozen=True, kw_only=True):
    """The form a sitting delivers."""

    code: str
    subject_code: str
    minutes: int | None  # as the compiled form says; none: it is not compiled
    paper_codes: int
    is_sealed: bool
    seal_holds: bool
    hash: str


class PlannedSitting(msgspec.Struct, frozen=True, kw_only=True):
    """A sitting of the day with everything it leans on."""

    sitting: Sitting
    exam_code: str
    subject_code: str
    subject_minutes: int
    codes_valid_until: datetime | None
    paper: PlannedPaper
    rooms: Mapping[UUID, PlannedRoom]
    seats: Sequence[AttemptSeat]
    strangers: int = 0  # attempts whose paper code belongs to another form
    thaws: Sequence[Thaw] = ()

    @property
    def code(self) -> str:
        """Code of the sitting."""
        return self.sitting.code

    def extra_time(self, seat: AttemptSeat) -> timedelta:
        """The planned extra time of a candidate."""
        return timedelta(milliseconds=granted_ms(self.sitting, seat.time_factor, seat.extra_minutes))

    def span(self, seat: AttemptSeat) -> tuple[datetime, datetime]:
        """From when to when a seat is taken, waiting room left out."""
        room = seat.room_code
        return self.sitting.starts_in(room), self.sitting.ends_in(room) + self.extra_time(seat)


def lint_plan(day: Sequence[PlannedSitting], now: datetime) -> list[Finding]:
    """Return everything that contradicts itself in the plan of a day."""
    found: list[Finding] = []
    for planned in day:
        found += [*_times(planned, now), *_paper(planned), *_people(planned), *_frozen(planned)]
    for first, second in combinations(day, 2):
        found += _together(first, second)
    found += _invigilators(day)
    return found


def _times(planned: PlannedSitting, now: datetime) -> Iterator[Finding]:
    sitting, code = planned.sitting, planned.code
    duration, late = timedelta(seconds=sitting.duration_seconds), timedelta(seconds=sitting.late_limit_seconds)
    length = sitting.ends_at - sitting.starts_at
    if length <= timedelta():
        yield blocker("end-before-start", code, message("it ends before it starts"))
        return
    if sitting.opens_at > sitting.starts_at:
        yield blocker("opens-after-start", code, message("its waiting room opens after the start"))
    if length < duration:
        text = message("it lasts {length} minutes, a candidate has {minutes}", length=_m(length), minutes=_m(duration))
        yield blocker("ends-too-early", code, text)
    elif length < duration + late:
        lost = duration + late - length
        text = message("who starts at the last moment loses up to {minutes} minutes at the end", minutes=_m(lost))
        yield note("late-start-loses-time", code, text)
    if late > LONGEST_LATE_SHARE * duration and late < timedelta(days=1):
        yield note("long-late-limit", code, message("candidates may start {minutes} minutes late", minutes=_m(late)))
    if sitting.state is SittingState.PLANNED and now > sitting.starts_at:
        yield blocker("not-open", code, message("it should have started, and is not open"))
    elif sitting.state is SittingState.PLANNED and now > sitting.opens_at:
        yield warning("waiting-room-late", code, message("its waiting room should be open"))
    if planned.codes_valid_until is not None and planned.codes_valid_until < sitting.ends_at:
        yield blocker("codes-expire", code, message("the candidates' codes expire before the end"))


def _paper(planned: PlannedSitting) -> Iterator[Finding]:
    sitting, paper, code = planned.sitting, planned.paper, planned.code
    if planned.subject_code != paper.subject_code:
        text = message(
            "form {form} is of {wrong}, the sitting is of {subject}",
            form=paper.code,
            wrong=paper.subject_code,
            subject=planned.subject_code,
        )
        yield blocker("wrong-paper", code, text)
    if planned.strangers:
        text = message("{count} candidates hold a paper code of another form", count=planned.strangers)
        yield blocker("paper-of-another-form", code, text)
    if not paper.is_sealed:
        yield blocker("form-not-sealed", code, message("form {form} is not sealed", form=paper.code))
    elif not paper.seal_holds:
        text = message("form {form} was changed after it was sealed", form=paper.code)
        yield blocker("seal-broken", code, text)
    if sitting.form_hash and sitting.form_hash != paper.hash:
        yield blocker("form-changed", code, message("the compiled form is another than when the sitting opened"))
    minutes = sitting.duration_seconds // 60
    if minutes != planned.subject_minutes:
        text = message(
            "a candidate has {minutes} minutes, the subject says {expected}",
            minutes=minutes,
            expected=planned.subject_minutes,
        )
        yield warning("duration-differs", code, text)
    if paper.minutes is not None and paper.minutes != minutes:
        text = message(
            "a candidate has {minutes} minutes, the paper says {expected}", minutes=minutes, expected=paper.minutes
        )
        yield warning("paper-says-other-minutes", code, text)
    if paper.paper_codes < 2 and any(room.capacity > 1 for room in planned.rooms.values()):
        yield warning("one-paper-code", code, message("neighbours get the same paper: the form has one paper code"))


def _people(planned: PlannedSitting) -> Iterator[Finding]:
    code = planned.code
    if not planned.seats:
        yield blocker("nobody-seated", code, message("nobody is registered or seated for it"))
    without = sum(seat.room_id is None for seat in planned.seats)
    if without and without < len(planned.seats):
        text = message("{count} candidates have no room while others have", count=without)
        yield blocker("without-room", code, text)
    by_room: dict[UUID, int] = {}
    for seat in planned.seats:
        if seat.room_id is not None:
            by_room[seat.room_id] = by_room.get(seat.room_id, 0) + 1
    for room_id, count in by_room.items():
        room = planned.rooms.get(room_id)
        if room is not None and count > room.capacity:
            text = message(
                "{count} candidates in room {room}, which has {capacity} seats",
                count=count,
                room=room.code,
                capacity=room.capacity,
            )
            yield warning("room-too-full", code, text)
    longest = max((planned.extra_time(seat) for seat in planned.seats), default=timedelta())
    if longest:
        count = sum(planned.extra_time(seat) > timedelta() for seat in planned.seats)
        text = message("{count} candidates have more time, up to {minutes} minutes", count=count, minutes=_m(longest))
        yield note("accommodations", code, text)


def _frozen(planned: PlannedSitting) -> Iterator[Finding]:
    for thaw in planned.thaws:
        facts = {"name": thaw.name, "frozen": _short(thaw.frozen), "now": _short(thaw.now)}
        if thaw.name in ("engine", "schema"):
            text = message("it opened under {name} {frozen}, this is {now}", **facts)
            yield warning("version-changed", planned.code, text)
        else:
            text = message("{name} was {frozen} when it opened and is {now}", **facts)
            yield blocker("changed-after-opening", planned.code, text)


def _together(first: PlannedSitting, second: PlannedSitting) -> Iterator[Finding]:
    place = f"{first.code} + {second.code}"
    taken = {seat.candidate_id: first.span(seat) for seat in first.seats}
    twice = sum(
        _overlap(taken[seat.candidate_id], second.span(seat)) for seat in second.seats if seat.candidate_id in taken
    )
    if twice:
        text = message("{count} candidates would sit both at the same time", count=twice)
        yield blocker("candidates-overlap", place, text)
    rooms = _room_spans(first)
    shared = sorted(room for room, span in _room_spans(second).items() if room in rooms and _overlap(rooms[room], span))
    if shared:
        names = ", ".join(room.rpartition("/")[2] for room in shared[:NAMED]) + (" …" if len(shared) > NAMED else "")
        text = message("{count} rooms are taken by both at the same time: {rooms}", count=len(shared), rooms=names)
        yield blocker("rooms-overlap", place, text)


def _invigilators(day: Sequence[PlannedSitting]) -> Iterator[Finding]:
    for planned in day:
        used = {seat.room_id for seat in planned.seats if seat.room_id is not None}
        rooms = [planned.rooms[room_id] for room_id in used if room_id in planned.rooms]
        alone = sorted(room.code for room in rooms if not room.invigilators)
        if alone:
            names = ", ".join(alone[:NAMED]) + (" …" if len(alone) > NAMED else "")
            text = message("nobody may invigilate in {count} rooms: {rooms}", count=len(alone), rooms=names)
            yield blocker("no-invigilator", planned.code, text)
    moments = sorted({planned.sitting.starts_at for planned in day})
    for moment in moments:
        running = [one for one in day if one.sitting.starts_at <= moment < one.sitting.ends_at]
        spans = {key: one for one in running for key in _room_spans(one)}
        people = {name for one in running for room in one.rooms.values() for name in room.invigilators}
        if people and len(spans) > len(people):
            text = message(
                "{rooms} rooms run at the same time, {people} people may invigilate there",
                rooms=len(spans),
                people=len(people),
            )
            yield warning("few-invigilators", " + ".join(one.code for one in running), text)


def _room_spans(planned: PlannedSitting) -> dict[str, tuple[datetime, datetime]]:
    """From when to when each physical room is taken: until the last candidate with extra time has ended."""
    spans: dict[str, tuple[datetime, datetime]] = {}
    for seat in planned.seats:
        room = planned.rooms.get(seat.room_id) if seat.room_id is not None else None
        if room is None:
            continue
        begin, end = planned.span(seat)
        key = f"{room.site}/{room.code}"
        known = spans.get(key, (begin, end))
        spans[key] = (min(known[0], begin), max(known[1], end))
    return spans


def _overlap(first: tuple[datetime, datetime], second: tuple[datetime, datetime]) -> bool:
    return first[0] < second[1] and second[0] < first[1]


def _m(span: timedelta) -> int:
    return round(span.total_seconds() / 60)


def _short(text: str) -> str:
    return text if len(text) <= 24 else text[:16] + "…"
