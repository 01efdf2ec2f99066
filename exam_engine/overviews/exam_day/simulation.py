"""A whole exam day in seconds: every seat walks through the rules of `delivery.model` on a virtual clock.

States change by the very functions the servers use; only how people behave is assumed (`Habits`). Saves and questions
for the time change no state, so they are drawn as counts a second. The same seed gives the same day.
"""

import heapq
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Annotated

import msgspec
import numpy as np
from numpy.typing import NDArray

from exam_engine.delivery import model
from exam_engine.delivery.envelopes import JITTER_MS_A_SEAT, LONGEST_JITTER_MS
from exam_engine.delivery.errors import AttemptRefusal
from exam_engine.delivery.model import AttemptFacts, AttemptState, CloseReason
from exam_engine.infra.clock import from_milliseconds, to_milliseconds
from exam_engine.infra.randomness import generator
from exam_engine.overviews.exam_day.plan import PlannedSitting

Share = Annotated[float, msgspec.Meta(ge=0.0, le=1.0)]
_SECOND = 1000
_POLL_SECONDS = 10.0
_AT_ONCE = 200_000


class Habits(msgspec.Struct, frozen=True, kw_only=True):
    """How candidates are assumed to behave."""

    save_seconds: float = 15.0  # between two saves of a seat, on average
    start_spread_seconds: float | None = None  # of the start herd; none: as the server spreads it
    absent: Share = 0.01
    late: Share = 0.03  # start at any moment of the late limit
    stays: Share = 0.6  # hand in within the last minute, or let time close the paper


class Pause(msgspec.Struct, frozen=True, kw_only=True):
    """A rehearsed stop: a room (empty: the whole sitting) stands from a moment on."""

    sitting: str
    room: str = ""
    at: datetime
    seconds: int


class Moment(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the day's time line."""

    at: datetime
    sitting: str
    what: str  # a name of `MOMENTS`
    seats: int = 0


class Peak(msgspec.Struct, frozen=True, kw_only=True):
    """The busiest second of a kind."""

    per_second: int
    at: datetime


class DaySimulation(msgspec.Struct, frozen=True, kw_only=True):
    """What a day came to."""

    seats: int
    absent: int
    submitted: int
    closed_by_time: int
    refused_late: int
    cut_short: int  # started in time and yet had less than their time
    saves: int
    peaks: dict[str, Peak]
    timeline: tuple[Moment, ...]
    open_seats: tuple[tuple[datetime, int], ...]  # each quarter of an hour


class _Step(StrEnum):
    START = "start"
    PAUSE = "pause"
    RESUME = "resume"
    SUBMIT = "submit"
    CLOSE = "close"


class _Seat:
    __slots__ = ("ends_ms", "facts", "leaves", "room", "sitting", "stands_ms", "started_ms")

    def __init__(self, sitting: int, room: str, facts: AttemptFacts, leaves: float) -> None:
        self.sitting = sitting
        self.room = room
        self.facts = facts
        self.leaves = leaves  # share of the time after which the paper is handed in; above 1: time closes it
        self.started_ms = 0
        self.ends_ms = 0
        self.stands_ms = 0  # all pauses


def simulate_day(
    day: Sequence[PlannedSitting], habits: Habits | None = None, pauses: Sequence[Pause] = (), seed: int = 0
) -> DaySimulation:
    """Walk through a day.

    Parameters
    ----------
    day : sequence of PlannedSitting
    habits : Habits, optional
    pauses : sequence of Pause
    seed : int
        Decides who is late, absent, quick.

    Returns
    -------
    DaySimulation
    """
    return _Day(day, habits or Habits(), pauses, generator(seed)).run()


class _Day:
    def __init__(
        self, day: Sequence[PlannedSitting], habits: Habits, pauses: Sequence[Pause], rng: np.random.Generator
    ) -> None:
        self._day, self._habits, self._pauses, self._rng = day, habits, pauses, rng
        self._seats: list[_Seat] = []
        self._queue: list[tuple[int, int, _Step, int]] = []
        self._count = 0
        self._starts: list[int] = []
        self._submissions: list[int] = []
        self._closings: list[int] = []
        self._refused = self._absent = 0

    def run(self) -> DaySimulation:
        for position, planned in enumerate(self._day):
            self._seat(position, planned)
        for pause in self._pauses:
            self._plan_pause(pause)
        while self._queue:
            at_ms, _, step, index = heapq.heappop(self._queue)
            self._act(at_ms, step, self._seats[index], index)
        return self._report()

    def _seat(self, position: int, planned: PlannedSitting) -> None:
        habits, rng, count = self._habits, self._rng, len(planned.seats)
        chance, spread = rng.random(count), rng.random(count)
        stays, leaves = rng.random(count) < habits.stays, 0.5 + 0.5 * rng.random(count)
        last_minute = 1.0 + 0.05 * (rng.random(count) - 0.9)  # most a little before the end, some let time close
        for i, seat in enumerate(planned.seats):
            facts = model.planned_facts(planned.sitting, seat.room_code, seat.time_factor, seat.extra_minutes)
            leave = last_minute[i] if stays[i] else leaves[i]
            self._seats.append(_Seat(position, seat.room_code, facts, float(leave)))
            if chance[i] < habits.absent:
                self._absent += 1
                continue
            late_ms = facts.late_ms - facts.starts_ms
            span_ms = late_ms if chance[i] < habits.absent + habits.late else self._spread_ms(planned)
            self._put(facts.starts_ms + int(min(span_ms, late_ms) * spread[i]), _Step.START, len(self._seats) - 1)

    def _spread_ms(self, planned: PlannedSitting) -> int:
        """Within what time the players of a sitting ask for their papers: the server tells each its moment."""
        if self._habits.start_spread_seconds is not None:
            return round(_SECOND * self._habits.start_spread_seconds)
        sitting = planned.sitting
        spare = (sitting.ends_at - sitting.starts_at).total_seconds() - sitting.duration_seconds
        return max(min(JITTER_MS_A_SEAT * len(planned.seats), LONGEST_JITTER_MS, round(_SECOND * spare)), 0)

    def _plan_pause(self, pause: Pause) -> None:
        at_ms = to_milliseconds(pause.at)
        for index, seat in enumerate(self._seats):
            planned = self._day[seat.sitting]
            if planned.code == pause.sitting and pause.room in ("", seat.room):
                self._put(at_ms, _Step.PAUSE, index)
                self._put(at_ms + _SECOND * pause.seconds, _Step.RESUME, index)

    def _put(self, at_ms: int, step: _Step, index: int) -> None:
        self._count += 1
        heapq.heappush(self._queue, (at_ms, self._count, step, index))

    def _act(self, at_ms: int, step: _Step, seat: _Seat, index: int) -> None:
        facts = seat.facts
        try:
            match step:
                case _Step.START:
                    seat.facts = model.start(facts, f"seat-{index}.1", at_ms).facts
                    seat.started_ms = at_ms
                    self._starts.append(at_ms)
                    self._plan_end(seat, index, at_ms)
                case _Step.PAUSE:
                    self._apply(seat, model.pause(facts, at_ms))
                case _Step.RESUME:
                    seat.stands_ms += at_ms - facts.paused_ms if facts.paused_ms else 0
                    self._apply(seat, model.resume(facts, at_ms))
                    if seat.facts.state is AttemptState.RUNNING:
                        self._plan_end(seat, index, at_ms)
                case _Step.SUBMIT:
                    self._hand_in(seat, index, at_ms)
                case _Step.CLOSE:
                    self._close(seat, at_ms)
        except AttemptRefusal:
            if step is _Step.START:
                self._refused += 1

    def _apply(self, seat: _Seat, change: model.Change | None) -> None:
        seat.facts = change.facts if change else seat.facts

    def _plan_end(self, seat: _Seat, index: int, now_ms: int) -> None:
        facts = seat.facts
        if facts.paused_ms:
            return  # planned anew when the clock runs on
        time_ms = facts.deadline_ms - facts.started_ms - seat.stands_ms
        leaves_ms = facts.started_ms + seat.stands_ms + round(time_ms * seat.leaves)
        if leaves_ms <= facts.limit_ms:
            self._put(max(leaves_ms, now_ms), _Step.SUBMIT, index)
        self._put(facts.limit_ms + 1, _Step.CLOSE, index)

    def _hand_in(self, seat: _Seat, index: int, at_ms: int) -> None:
        facts = seat.facts
        del index
        if facts.paused_ms or facts.state is not AttemptState.RUNNING:
            return  # the items are hidden; it is planned anew when the clock runs on
        self._apply(seat, model.submit(facts, facts.lease, {}, {}, at_ms))
        seat.ends_ms = at_ms
        self._submissions.append(at_ms)

    def _close(self, seat: _Seat, at_ms: int) -> None:
        change = model.close(seat.facts, CloseReason.TIME, at_ms)
        if change is not None:
            seat.facts, seat.ends_ms = change.facts, at_ms
            self._closings.append(at_ms)

    def _report(self) -> DaySimulation:
        began = [seat for seat in self._seats if seat.started_ms]
        begin_ms = min([to_milliseconds(one.sitting.opens_at) for one in self._day], default=0) // _SECOND * _SECOND
        end_ms = max([seat.ends_ms for seat in began], default=begin_ms) + 2 * _SECOND
        seconds = (end_ms - begin_ms) // _SECOND + 1
        from_s = np.array([(seat.started_ms - begin_ms) // _SECOND for seat in began], dtype=np.int64)
        to_s = np.array([(max(seat.ends_ms, seat.started_ms) - begin_ms) // _SECOND for seat in began], dtype=np.int64)
        opened = np.bincount(from_s, minlength=seconds) - np.bincount(to_s, minlength=seconds)
        running = np.cumsum(opened[:seconds])
        saves = self._saves(from_s, to_s, seconds)
        idle = np.exp(-_POLL_SECONDS / self._habits.save_seconds) / _POLL_SECONDS
        rates = {
            "starts": _per_second(self._starts, begin_ms, seconds),
            "saves": saves,
            "questions": np.rint(running * idle).astype(np.int64),
            "submissions": _per_second(self._submissions, begin_ms, seconds),
            "closings": _per_second(self._closings, begin_ms, seconds),
            "seats_open": running,
        }
        quarter = range(0, seconds, 900)
        return DaySimulation(
            seats=len(self._seats),
            absent=self._absent,
            submitted=len(self._submissions),
            closed_by_time=len(self._closings),
            refused_late=self._refused,
            cut_short=sum(map(self._is_cut_short, began)),
            saves=int(saves.sum()),
            peaks={name: _peak(rate, begin_ms) for name, rate in rates.items()},
            timeline=tuple(sorted(self._moments(), key=lambda moment: (moment.at, moment.sitting))),
            open_seats=tuple((from_milliseconds(begin_ms + s * _SECOND), int(running[s])) for s in quarter),
        )

    def _saves(self, from_s: NDArray[np.int64], to_s: NDArray[np.int64], seconds: int) -> NDArray[np.int64]:
        """Draw how many saves arrive in each second; a few seats at a time, so that memory stays flat."""
        total = np.zeros(seconds, dtype=np.int64)
        counts = self._rng.poisson(np.maximum(to_s - from_s, 0) / self._habits.save_seconds)
        each = max(int(_AT_ONCE // max(counts.max(initial=1), 1)), 1)
        for first in range(0, len(counts), each):
            part = slice(first, first + each)
            begin, length = np.repeat(from_s[part], counts[part]), np.repeat(to_s[part] - from_s[part], counts[part])
            moments = begin + (self._rng.random(len(begin)) * length).astype(np.int64)
            total += np.bincount(moments, minlength=seconds)[:seconds]
        return total

    def _is_cut_short(self, seat: _Seat) -> bool:
        """Whether somebody who began with the start herd had less than duration and accommodation promise."""
        facts, planned = seat.facts, self._day[seat.sitting]
        is_punctual = seat.started_ms <= facts.starts_ms + self._spread_ms(planned)
        own_extra_ms = facts.extra_ms - sum(end - begin for begin, end in model.stop_spans(facts))
        had_ms = facts.deadline_ms - facts.started_ms - seat.stands_ms
        promised_ms = _SECOND * planned.sitting.duration_seconds + max(own_extra_ms, 0)
        return is_punctual and had_ms < promised_ms

    def _moments(self) -> Iterator[Moment]:
        for position, planned in enumerate(self._day):
            sitting, seats = planned.sitting, [seat for seat in self._seats if seat.sitting == position]
            count = len(seats)
            late_ms = to_milliseconds(sitting.starts_at) + _SECOND * sitting.late_limit_seconds
            yield Moment(at=sitting.opens_at, sitting=planned.code, what="waiting-room", seats=count)
            yield Moment(at=sitting.starts_at, sitting=planned.code, what="start", seats=count)
            yield Moment(at=from_milliseconds(late_ms), sitting=planned.code, what="late-limit")
            for room, seconds in sorted(sitting.settings.room_delays.items()):
                at = from_milliseconds(to_milliseconds(sitting.starts_at) + _SECOND * seconds)
                of_room = sum(seat.room == room for seat in seats)
                yield Moment(at=at, sitting=planned.code, what="room-start", seats=of_room)
            deadlines = Counter(seat.facts.deadline_ms for seat in seats if seat.started_ms)
            if deadlines:
                first, last = min(deadlines), max(deadlines)
                yield Moment(at=from_milliseconds(first), sitting=planned.code, what="first-deadline")
                yield Moment(at=from_milliseconds(last), sitting=planned.code, what="last-deadline")
            yield Moment(at=sitting.ends_at, sitting=planned.code, what="end")
        for pause in self._pauses:
            resumed = from_milliseconds(to_milliseconds(pause.at) + _SECOND * pause.seconds)
            yield Moment(at=pause.at, sitting=pause.sitting, what="pause")
            yield Moment(at=resumed, sitting=pause.sitting, what="resume")


def _per_second(moments: Sequence[int], begin_ms: int, seconds: int) -> NDArray[np.int64]:
    at = (np.array(moments, dtype=np.int64) - begin_ms) // _SECOND
    return np.bincount(at, minlength=seconds)[:seconds]


def _peak(rate: NDArray[np.int64], begin_ms: int) -> Peak:
    at = int(np.argmax(rate)) if len(rate) else 0
    return Peak(per_second=int(rate[at]) if len(rate) else 0, at=from_milliseconds(begin_ms + at * _SECOND))
