"""Faults of the network: a cable that is out for a while, at the end or for good, and a switch that restarts."""

import asyncio
import time
from bisect import bisect_left
from collections.abc import Sequence
from uuid import UUID

import msgspec

from exam_engine.cli.drilling.outcome import BACK_SECONDS, BEGIN_SECONDS, DrillPlan, Outcome
from exam_engine.cli.drilling.seat import Seat
from exam_engine.cli.drilling.sheet import Bar, none_of, seconds_bar
from exam_engine.cli.drilling.site import Hall, Site, all_live, until
from exam_engine.cli.rehearsal.bot import RehearsalRefused

SETTLE_SECONDS = 3.0
HERD_SECONDS = 0.5


async def cable_out(site: Site, plan: DrillPlan) -> Outcome:
    """F09: the cable of a seat is out for a while, at the end, and for good; everything arrives all the same."""
    done: list[str] = []
    bars: list[Bar] = []
    async with site.hall(2) as hall:
        seat, other = hall.seats
        all_live(hall.seats)
        await until(lambda: all(len(one.acknowledged) >= 3 for one in hall.seats), BEGIN_SECONDS)
        for out in plan.cable_seconds:
            began = time.monotonic()
            site.cable.pull()
            noticed = await until(lambda: not seat.is_online, 10.0)
            await asyncio.sleep(max(out - (time.monotonic() - began), 0.0))
            unsaved = sum(seat.acknowledged.get(slot) != typed for slot, typed in seat.typed.items())
            site.cable.plug_in()
            back = await until(
                lambda: all(one.is_online and one.is_all_acknowledged for one in hall.seats), BACK_SECONDS
            )
            done.append(f"cable out for {out:g} s: {unsaved} answers waited at the seat and arrived")
            bars.append(seconds_bar(f"{out:g} s: shown as off line after", noticed, 5.0))
            bars.append(seconds_bar(f"{out:g} s: everything saved after", back, 5.0))
        # To the end: one seat hands in when the cable is back; the other one's answers come on a stick.
        site.cable.pull()
        await until(lambda: not seat.is_online and not other.is_online, 10.0)
        handing_in = asyncio.get_running_loop().create_task(seat.submit())
        await asyncio.sleep(SETTLE_SECONDS)
        came = await _on_a_stick(site, hall, other)
        site.cable.plug_in()
        await asyncio.wait_for(handing_in, BACK_SECONDS)
        done.append("cable out while handing in: handed in when it was back")
        done.append(f"cable out for good: {came.taken} answers taken in from the seat's file, once")
        bars += came.bars
        bars.append(none_of("acknowledged answers lost", await site.lost(hall)))
        bars.append(none_of("papers not handed in", int(not seat.is_submitted)))
    return Outcome(tuple(done), tuple(bars))


async def switch_reboot(site: Site, plan: DrillPlan) -> Outcome:
    """F13: the switch of a lab restarts: every seat drops at the same moment and comes back."""
    async with site.hall(plan.seats) as hall:
        all_live(hall.seats)
        await until(lambda: all(len(seat.acknowledged) >= 2 for seat in hall.seats), BEGIN_SECONDS)
        site.cable.pull()
        await asyncio.sleep(plan.switch_seconds)
        site.cable.connected_at.clear()
        site.cable.plug_in()
        back = await until(
            lambda: all(seat.is_online and seat.is_all_acknowledged for seat in hall.seats), BACK_SECONDS
        )
        herd = busiest(site.cable.connected_at, HERD_SECONDS)
        for seat in hall.seats:
            await seat.stop()
        lost = await site.lost(hall)
    return Outcome(
        done=(f"{len(hall.seats)} seats dropped at once for {plan.switch_seconds:g} s and came back",),
        bars=(
            seconds_bar("all seats back and saved after", back, 30.0),
            # A herd would come back in one moment.
            Bar(name="seats back in the busiest half second", measured=herd, limit=max(4, len(hall.seats) * 3 // 4)),
            none_of("acknowledged answers lost", lost),
        ),
    )


class _Stick(msgspec.Struct, frozen=True):
    """What the file of a seat that never came back on line came to."""

    taken: int
    bars: tuple[Bar, ...]


async def _on_a_stick(site: Site, hall: Hall, seat: Seat) -> _Stick:
    """Save a seat's answers as a file, switch it off, and let the invigilator take the file in: edited, then true."""
    await seat.stop()
    file = seat.hand_over(UUID(str(hall.sitting.id)))
    waiting_here = sum(seat.acknowledged.get(slot) != typed for slot, typed in seat.typed.items())
    await seat.lose_power()
    edited = msgspec.structs.replace(file, box=file.box[:-1] + bytes([file.box[-1] ^ 1]))
    was_refused = False
    try:
        await site.take_in(hall, edited)
    except RehearsalRefused:
        was_refused = True
    first, again = await site.take_in(hall, file), await site.take_in(hall, file)
    seat.acknowledged |= seat.typed
    bars = (
        none_of("answers the file did not bring", max(waiting_here - first["taken"], 0)),
        none_of("answers taken in twice", again["taken"]),
        none_of("edited files taken in", int(not was_refused)),
    )
    return _Stick(first["taken"], bars)


def busiest(moments: Sequence[float], seconds: float) -> int:
    """How many moments lie within so many seconds of each other, at most."""
    ordered = sorted(moments)
    return max((bisect_left(ordered, moment + seconds) - at for at, moment in enumerate(ordered)), default=0)
