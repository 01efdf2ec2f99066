"""An accommodation that changes while a paper is written: exactly the difference, and never an end by itself."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from exam_engine.delivery import model, service
from exam_engine.delivery.errors import ActImpossible
from exam_engine.delivery.hot_path import Delivery
from exam_engine.delivery.model import AttemptState, ChangeKind
from exam_engine.delivery.register import Register
from exam_engine.delivery.service import Desk
from exam_engine.delivery.store import load_seats
from exam_engine.infra.clock import to_milliseconds
from exam_engine.infra.database import transaction
from tests.exam_engine.delivery.cases import CLOSED_BY_TIME, DEADLINE, MINUTE, PAUSED, READY, RUNNING, STARTS, SUBMITTED
from tests.exam_engine.delivery.conftest import HallMaker
from tests.exam_engine.delivery.halls import START

NOW = STARTS + 10 * MINUTE
STARTS_MS = to_milliseconds(START)


def test_who_writes_gets_exactly_the_difference() -> None:
    change = model.accommodate(RUNNING, 15 * MINUTE, NOW)
    assert change is not None
    assert (change.kind, change.facts.deadline_ms) == (ChangeKind.ACCOMMODATE, DEADLINE + 15 * MINUTE)
    less = model.accommodate(change.facts, 5 * MINUTE, NOW)
    assert less is not None
    assert (less.facts.deadline_ms, less.facts.extra_ms) == (DEADLINE + 5 * MINUTE, RUNNING.extra_ms + 5 * MINUTE)
    assert less.facts.revision == RUNNING.revision + 2


def test_granting_the_same_again_changes_nothing() -> None:
    change = model.accommodate(READY, 15 * MINUTE, NOW)
    assert change is not None
    assert model.accommodate(change.facts, 15 * MINUTE, NOW) is None


def test_who_has_not_started_gets_it_at_the_start() -> None:
    change = model.accommodate(READY, 15 * MINUTE, NOW)
    assert change is not None
    assert (change.facts.deadline_ms, change.facts.extra_ms) == (0, 15 * MINUTE)


def test_time_given_on_the_console_stays_when_the_accommodation_goes() -> None:
    granted = model.accommodate(RUNNING, 15 * MINUTE, NOW)
    assert granted is not None
    extended = model.extend(granted.facts, "power", 600, NOW)
    assert extended is not None
    withdrawn = model.accommodate(extended.facts, 0, NOW)
    assert withdrawn is not None
    assert withdrawn.facts.deadline_ms == DEADLINE + 10 * MINUTE


def test_less_time_never_ends_a_paper_by_itself() -> None:
    granted = model.accommodate(RUNNING, 15 * MINUTE, NOW)
    assert granted is not None
    with pytest.raises(ActImpossible):
        model.accommodate(granted.facts, 0, DEADLINE + 5 * MINUTE)


def test_a_clock_that_stands_is_judged_by_when_it_stopped() -> None:
    granted = model.accommodate(PAUSED, 15 * MINUTE, NOW)
    assert granted is not None
    assert model.accommodate(granted.facts, 0, DEADLINE + 60 * MINUTE) is not None


def test_what_time_closed_runs_again_where_the_new_deadline_lies_ahead() -> None:
    change = model.accommodate(CLOSED_BY_TIME, 15 * MINUTE, DEADLINE + 5 * MINUTE)
    assert change is not None
    assert (change.kind, change.facts.state) == (ChangeKind.REOPEN, AttemptState.RUNNING)
    assert model.accommodate(CLOSED_BY_TIME, 15 * MINUTE, DEADLINE + 16 * MINUTE) is None
    assert model.accommodate(SUBMITTED, 15 * MINUTE, NOW) is None


@given(st.lists(st.integers(0, 120), max_size=8))
def test_extra_time_is_always_what_was_granted_last_and_what_people_gave(grants: list[int]) -> None:
    facts = msgspec.structs.replace(RUNNING, extra_ms=RUNNING.extra_ms + 7, deadline_ms=DEADLINE + 7)
    for minutes in grants:
        change = model.accommodate(facts, minutes * MINUTE, NOW)
        facts = change.facts if change else facts
    last = grants[-1] * MINUTE if grants else 0
    assert (facts.extra_ms, facts.deadline_ms) == (RUNNING.extra_ms + 7 + last, DEADLINE + 7 + last)


async def test_who_may_have_more_time_has_it_from_the_opening_to_the_millisecond(
    plan: HallMaker, delivery: Delivery, register: Register, sessions: async_sessionmaker[AsyncSession], pool: Any
) -> None:
    hall = await plan(candidates=2)
    await pool.execute(
        "insert into accommodation (id, candidate_id, time_factor, extra_minutes, note, changed_by, changed_at)"
        " values (gen_random_uuid(), $1, 133, 5, '', 'test', now())",
        hall.candidates[1],
    )
    async with transaction(sessions) as session:
        desk = Desk(session=session, register=register, actor="person:test", now=START)
        await service.open_sitting(desk, hall.sitting.id)
        hall.seats = await load_seats(session, hall.sitting.id)
    deadlines = [
        (await delivery.start(hall.candidate(position), hall.attempt(position), f"{position}.1")).deadline_ms
        for position in (0, 1)
    ]
    assert deadlines == [STARTS_MS + 60 * MINUTE, STARTS_MS + 60 * MINUTE + 1_188_000 + 5 * MINUTE]
