"""Starts without a network, told afterwards: whatever stopped the clock meanwhile is credited as if told at once."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exam_engine.delivery import model
from exam_engine.delivery.errors import AttemptRefusal
from exam_engine.delivery.hot_path import Delivery
from exam_engine.delivery.model import AttemptFacts, AttemptState, CloseReason
from exam_engine.delivery.offline_starts import StartClaim, start_as_claimed, start_proof
from exam_engine.infra.clock import to_milliseconds
from tests.exam_engine.delivery.cases import MINUTE, READY, STARTS
from tests.exam_engine.delivery.conftest import HallMaker
from tests.exam_engine.delivery.halls import START, SetClock

ACTS = {
    "pause": model.pause,
    "resume": model.resume,
    "extend": lambda facts, now_ms: model.extend(facts, f"x{now_ms}", 60, now_ms),
    "close": lambda facts, now_ms: model.close(facts, CloseReason.INVIGILATOR, now_ms),
    "reopen": model.reopen,
    "lock": model.lock,
    "unlock": model.unlock,
}
steps = st.tuples(st.integers(STARTS, STARTS + 50 * MINUTE), st.sampled_from(sorted(ACTS)))


def _after(facts: AttemptFacts, story: list[tuple[int, str]]) -> AttemptFacts:
    for now_ms, act in story:
        try:
            change = ACTS[act](facts, now_ms)
        except AttemptRefusal:
            continue
        facts = change.facts if change else facts
    return facts


@given(st.lists(steps, max_size=12), st.integers(0, 14 * MINUTE), st.integers(0, 50 * MINUTE))
def test_told_late_a_start_comes_to_the_same_as_told_at_once(
    story: list[tuple[int, str]], begun_ms: int, told_ms: int
) -> None:
    story.sort()
    begun_ms, told_ms = STARTS + begun_ms, STARTS + max(begun_ms, told_ms)
    before = _after(READY, [step for step in story if step[0] < begun_ms])
    meanwhile = [step for step in story if begun_ms <= step[0] < told_ms]
    afterwards = [step for step in story if step[0] >= told_ms]
    try:
        at_once = model.start(before, "d.t", begun_ms).facts
        late = start_as_claimed(_after(before, meanwhile), "d.t", begun_ms, told_ms).facts
    except AttemptRefusal:
        return  # closed or locked at one of the two moments
    at_once, late = _after(at_once, meanwhile + afterwards), _after(late, afterwards)
    for name in ("state", "started_ms", "deadline_ms", "extra_ms", "paused_ms", "stops", "extensions"):
        assert getattr(late, name) == getattr(at_once, name), name


@pytest.mark.parametrize("back_minutes", [25, 35], ids=["during the pause", "after it"])
async def test_a_seat_back_on_line_has_exactly_the_pause_it_had_not_heard_of(
    opened: HallMaker, delivery: Delivery, clock: SetClock, back_minutes: int
) -> None:
    hall = await opened()
    begun_ms = to_milliseconds(START)
    seat = hall.candidate(), hall.attempt(), "d.t"
    roll = await delivery.roll(hall.sitting.id)
    claim = StartClaim(begun_ms, start_proof(roll.seals, hall.attempt(), begun_ms))
    for minutes in sorted((20, 30, back_minutes)):
        clock.now = START + timedelta(minutes=minutes)
        if minutes == back_minutes:
            await delivery.start(*seat, claim)
        else:
            act, now_ms = model.pause if minutes == 20 else model.resume, begun_ms + minutes * MINUTE
            await delivery.register.change(hall.place(), lambda f, act=act, now_ms=now_ms: act(f, now_ms), "staff")
    envelope = await delivery.start(*seat)
    assert (envelope.started_at_ms, envelope.extra_seconds, envelope.is_paused) == (begun_ms, 600, False)
    assert envelope.deadline_ms == begun_ms + 1000 * hall.sitting.duration_seconds + 10 * MINUTE
    assert envelope.state == AttemptState.RUNNING
