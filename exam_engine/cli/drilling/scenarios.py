"""The scenarios of a drill, by the numbers of the fault catalogue. Each makes a fault, measures, and names its bars."""

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from datetime import timedelta
from uuid import UUID

from exam_engine.cli.drilling.network import cable_out, switch_reboot
from exam_engine.cli.drilling.outcome import BACK_SECONDS, BEGIN_SECONDS, DrillPlan, Outcome
from exam_engine.cli.drilling.seat import DrillRefused, Seat
from exam_engine.cli.drilling.sheet import Bar, ScenarioResult, none_of, seconds_bar
from exam_engine.cli.drilling.site import Hall, Site, all_live, until
from exam_engine.delivery.draining import waiting

Play = Callable[[Site, DrillPlan], Awaitable[Outcome]]


async def power_cut(site: Site, plan: DrillPlan) -> Outcome:
    """F01: a machine dies in the middle of an answer; the candidate goes on at another one."""
    del plan
    async with site.hall(2) as hall:
        seat, neighbour = hall.seats
        all_live(hall.seats)
        await until(lambda: len(seat.acknowledged) >= 4, BEGIN_SECONDS)
        before_ms, kept = seat.deadline_ms, dict(seat.acknowledged)
        began = time.monotonic()
        await seat.lose_power()
        other = site.seat(seat.card, "spare")
        try:
            await other.sign_in(UUID(str(hall.sitting.id)))
            was_let_in = await other.start()
            acted = await site.act(hall, f"attempts/{seat.attempt_id}/admit", credit=True)
            await asyncio.wait_for(other.wait_until_admitted(), BACK_SECONDS)
            seconds = time.monotonic() - began
            missing = [slot for slot, typed in kept.items() if other.typed[slot].sequence < typed.sequence]
            credited_ms = other.deadline_ms - before_ms
            other.answer()
            await other.save()
            await neighbour.stop()
            lost = await site.lost(Hall(hall.sitting, [neighbour, other]))
        finally:
            await other.close()
    return Outcome(
        done=(
            f"power of one machine cut after {len(kept)} acknowledged answers",
            "signed in at a spare machine, which waited until it was admitted",
            f"admitted with {credited_ms / 1000:.1f} s credited; the same paper, all answers there",
        ),
        bars=(
            seconds_bar("back at work after", seconds, 60.0),
            none_of("acknowledged answers missing at the new seat", missing),
            none_of("acknowledged answers lost", lost),
            none_of("let in without the invigilator", int(was_let_in)),
            Bar(name="credit off by", measured=abs(credited_ms - acted["credited_ms"]), limit=0, unit="ms"),
        ),
    )


async def redis_empty(site: Site, plan: DrillPlan) -> Outcome:
    """F18: Redis dies and starts empty in the middle of the exam; PostgreSQL and the seats fill it again."""
    async with site.hall(plan.seats) as hall:
        all_live(hall.seats)
        await until(lambda: all(len(seat.acknowledged) >= 3 for seat in hall.seats), BEGIN_SECONDS)
        kept = {seat.card.number: dict(seat.acknowledged) for seat in hall.seats}
        site.forget_answers()
        site.kill("valkey")
        began = time.monotonic()
        marks = {seat.card.number: seat.saves for seat in hall.seats}
        await until(lambda: all(seat.saves > marks[seat.card.number] + 1 for seat in hall.seats), 2 * BACK_SECONDS)
        back = time.monotonic() - began
        await asyncio.gather(*(seat.submit() for seat in hall.seats))
        again = sum(seat.resent for seat in hall.seats)
        lost = await site.lost(hall)
        regressed = [
            seat.card.number
            for seat in hall.seats
            for slot, typed in kept[seat.card.number].items()
            if seat.typed[slot].sequence < typed.sequence
        ]
    return Outcome(
        done=(
            f"Redis killed and its files taken away while {len(kept)} seats saved",
            f"it was filled again from PostgreSQL; {again} answers came from the seats when they handed in",
        ),
        bars=(
            seconds_bar("every seat saves again after", back, 60.0),
            none_of("acknowledged answers lost", lost),
            none_of("answers older than before", regressed),
        ),
    )


async def database_away(site: Site, plan: DrillPlan) -> Outcome:
    """F21: PostgreSQL is away during the exam and while papers are handed in; candidates notice nothing."""
    async with site.hall(plan.seats) as hall:
        all_live(hall.seats)
        await until(lambda: all(len(seat.acknowledged) >= 2 for seat in hall.seats), BEGIN_SECONDS)
        for seat in hall.seats:
            seat.troubles.clear()
        early = hall.seats[: len(hall.seats) // 2]
        with site.unsupervised():
            site.kill("postgresql")
            began = time.monotonic()
            await asyncio.sleep(plan.database_seconds / 2)
            await asyncio.wait_for(asyncio.gather(*(seat.submit() for seat in early)), BACK_SECONDS)
            await asyncio.sleep(max(plan.database_seconds - (time.monotonic() - began), 0.0))
            troubles = Counter(trouble for seat in hall.seats for trouble in (*seat.troubles, *seat.refusals))
            saved = sum(len(seat.acknowledged) for seat in hall.seats)
            behind = await waiting(site.engine.redis, hall.sitting)
        back = time.monotonic()
        for seat in hall.seats[len(early) :]:
            await seat.submit()
        lost = await _patiently_lost(site, hall)
        drained = time.monotonic() - back
        statement = await _reconciled(site, hall)
    return Outcome(
        done=(
            f"PostgreSQL dead for {plan.database_seconds:g} s; {len(early)} papers handed in meanwhile",
            f"{behind} changes waited in Redis, {saved} answers were acknowledged",
            *(f"{count} times {trouble}" for trouble, count in troubles.most_common(3)),
        ),
        bars=(
            none_of("requests of seats that failed meanwhile", troubles.total()),
            none_of("papers not handed in", [seat for seat in hall.seats if not seat.is_submitted]),
            seconds_bar("everything stored after", drained, 300.0),
            none_of("acknowledged answers lost", lost),
            none_of("differences between Redis and PostgreSQL", statement),
        ),
    )


async def extra_time(site: Site, plan: DrillPlan) -> Outcome:
    """F39: extra time for one, a room and all while running, and for all after time is over."""
    bars: list[Bar] = []
    count = max(min(plan.seats, 8), 2)
    async with site.hall(count) as hall:
        all_live(hall.seats)
        await until(lambda: all(seat.acknowledged for seat in hall.seats), BEGIN_SECONDS)
        one = hall.seats[0]
        room = await site.room_of(one)
        in_room = [seat for seat in hall.seats if await site.room_of(seat) == room]
        for name, seats, scope in (
            ("one", [one], {"attempt_id": one.attempt_id}),
            ("a room", in_room, {"room_id": room}),
            ("all", hall.seats, {}),
        ):
            expected = {seat.card.number: seat.deadline_ms + 60_000 for seat in seats}
            given = time.monotonic()
            await site.extend(hall, 60, **scope)
            await until(lambda s=seats, e=expected: all(x.deadline_ms >= e[x.card.number] for x in s), 15.0)  # type: ignore[misc]
            bars.append(seconds_bar(f"{name}: seen at the seat after", _slowest(seats, expected, given), 5.0))
            wrong = [seat.card.number for seat in seats if seat.deadline_ms != expected[seat.card.number]]
            bars.append(none_of(f"{name}: deadlines off", wrong))
    async with site.hall(2, ends_in=timedelta(seconds=6), pace=0.5) as over:
        all_live(over.seats)
        await until(lambda: all("attempt-closed" in seat.refusals for seat in over.seats), BEGIN_SECONDS)
        seat = over.seats[0]
        expected = {one.card.number: one.deadline_ms + 60_000 for one in over.seats}
        given = time.monotonic()
        answer = await site.extend(over, 60)
        await until(lambda: all(x.is_all_acknowledged for x in over.seats), 15.0)
        bars.append(seconds_bar("after time over: writing again after", time.monotonic() - given, 5.0))
        bars.append(none_of("after time over: not reopened", len(over.seats) - answer["reopened"]))
        bars.append(none_of("after time over: deadlines off", int(seat.deadline_ms != expected[seat.card.number])))
        for one in over.seats:
            await one.stop()
        bars.append(none_of("acknowledged answers lost", await site.lost(over)))
    return Outcome(
        done=(
            f"60 s more for one, for a room of {len(in_room)} and for all {count} seats",
            "60 s more after time had closed two papers: they run again",
            "these seats were writing; an idle one hears of it with its next question, within ten seconds",
        ),
        bars=tuple(bars),
    )


async def duplicate_login(site: Site, plan: DrillPlan) -> Outcome:
    """F44: somebody signs in a second time elsewhere: read only until admitted, then the first one is shut out."""
    del plan
    async with site.hall(1, pace=0.5) as hall:
        (first,) = hall.seats
        first.live()
        await until(lambda: len(first.acknowledged) >= 2, BEGIN_SECONDS)
        second = site.seat(first.card, "other")
        try:
            await second.sign_in(UUID(str(hall.sitting.id)))
            was_let_in = await second.start()
            second.typed.clear()
            before = len(first.acknowledged)
            wrote = await _tries_to_write(second, first.lease)
            await until(lambda: first.lost_lease_at is None and first.is_all_acknowledged, BEGIN_SECONDS)
            admitted = time.monotonic()
            await site.act(hall, f"attempts/{first.attempt_id}/admit", credit=False)
            await until(lambda: first.lost_lease_at is not None, 15.0)
            assert first.lost_lease_at is not None  # noqa: S101 (waited for in the line before)
            shut_out = first.lost_lease_at - admitted
            await asyncio.wait_for(second.wait_until_admitted(), BACK_SECONDS)
            second.answer()
            await second.save()
            lost = await site.lost(Hall(hall.sitting, [second]))
            logged = await site.events(first)
        finally:
            await second.close()
    unlogged = [kind for kind in ("start", "claim", "admit") if kind not in logged]
    return Outcome(
        done=(
            f"second sign-in while the first had written {before} answers: it could only wait",
            "admitted by the invigilator: the first, which was writing, was shut out; both are on record",
        ),
        bars=(
            none_of("second seat let in by itself", int(was_let_in)),
            none_of("answers taken from the waiting seat", int(wrote)),
            seconds_bar("first seat shut out after", shut_out, 2.0),
            none_of("events not on record", unlogged),
            none_of("acknowledged answers lost", lost),
        ),
    )


SCENARIOS: Mapping[str, tuple[str, Play]] = {
    "F01": ("A seat loses power", power_cut),
    "F09": ("A seat's cable is out", cable_out),
    "F13": ("The switch restarts", switch_reboot),
    "F18": ("Redis starts empty", redis_empty),
    "F21": ("PostgreSQL is away", database_away),
    "F39": ("Extra time", extra_time),
    "F44": ("A second sign-in", duplicate_login),
}


async def play(site: Site, plan: DrillPlan, code: str) -> ScenarioResult:
    """Play one scenario; what cannot be carried through is a failure with its reason."""
    title, scenario = SCENARIOS[code]
    began = time.monotonic()
    try:
        outcome = await scenario(site, plan)
    except (DrillRefused, TimeoutError) as error:
        reason = str(error) or type(error).__name__
        return ScenarioResult(
            code=code, title=title, done=(), failure=reason, seconds=round(time.monotonic() - began, 1)
        )
    finally:
        site.cable.plug_in()
    return ScenarioResult(
        code=code,
        title=title,
        done=outcome.done,
        bars=outcome.bars,
        seconds=round(time.monotonic() - began, 1),
    )


async def _tries_to_write(waiting_seat: Seat, lease: int) -> bool:
    """Let a seat that only waits send an answer all the same, under a lease it does not have."""
    waiting_seat.lease = lease + 1
    waiting_seat.typed.clear()
    waiting_seat.put(1, "A")
    with suppress(DrillRefused):
        await waiting_seat.save()
    wrote = bool(waiting_seat.acknowledged)
    waiting_seat.forget()
    return wrote


def _slowest(seats: list[Seat], expected: Mapping[str, int], since: float) -> float:
    return max((seat.knows_deadline_since(expected[seat.card.number]) or since) - since for seat in seats)


async def _patiently_lost(site: Site, hall: Hall) -> list[str]:
    """As `Site.lost`, for a PostgreSQL that is only just coming back."""
    began = time.monotonic()
    while True:
        try:
            return await site.lost(hall)
        except OSError:
            if time.monotonic() - began > BACK_SECONDS:
                raise
            await asyncio.sleep(0.2)


async def _reconciled(site: Site, hall: Hall) -> int:
    statement = await site.board.get(f"/api/sittings/{hall.sitting.id}/reconciliation")
    return int(statement["differences"])
