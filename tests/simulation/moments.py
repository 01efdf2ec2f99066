"""Plans that meet one narrow moment from many sides; seeds would find it once in a hundred thousand."""

from collections.abc import Iterator

import msgspec

from tests.simulation.plan import ROOM, Act, ActKind, Fault, Plan, Seating, Trouble, draw, with_loss

_SEATING = Seating(begins_ms=5_000, answers=6, thinks_ms=2_000, hands_in=False)
_CLOSES_MS = 60_000 + 10_000 + 2_000 + 20_000  # end of the sitting, its grace, and the time it lingers


def closing() -> Iterator[Plan]:
    """Yield plans in which an invigilator gives a paper back while the timer closes the sitting.

    In half of them PostgreSQL dies in that moment, and with it the lock of whoever held it.
    """
    plan = Plan(
        seed=21882, duration_ms=60_000, late_ms=20_000, grace_ms=2_000, slots=5, commit_ms=400, sync_ms=30,
        seatings=(_SEATING, _SEATING),
    )  # fmt: skip
    heard_ms = 30_437  # when the invigilator knows that the paper is closed
    for number in range(-120, 120):
        given_back_ms = _CLOSES_MS - 20 + 4 * number
        act = Act(30_000, ActKind.CLOSE, 0, 0, given_back_ms - heard_ms)
        yield msgspec.structs.replace(plan, seed=21882 + number, acts=(act,))
    for number in range(160):
        given_back_ms = _CLOSES_MS - 10 - number % 4
        act = Act(30_000, ActKind.CLOSE, 0, 0, given_back_ms - heard_ms)
        troubles = (
            Trouble(given_back_ms + number // 4 % 10, Fault.KILL_VALKEY, 0, 950 + number // 40 * 20),
            Trouble(given_back_ms + 100, Fault.KILL_POSTGRES, 0, 300),
        )
        yield msgspec.structs.replace(plan, seed=number, acts=(act,), troubles=troubles)
    yield from (with_loss(draw(seed)) for seed in (18129, 21882))  # by which it was found


def late_answers() -> Iterator[Plan]:
    """Yield plans in which answers of the first seat count while another writes, or has handed in."""
    first = Seating(begins_ms=0, answers=14, thinks_ms=2_500, hands_in=True, rival_ms=6_000)
    for number in range(200):
        act = Act(9_000 + 137 * number, ActKind.COUNT_LATE, 0)
        yield Plan(seed=number % 40, duration_ms=60_000, slots=6, seatings=(first,), acts=(act,))
    for number in range(60):
        acts = tuple(Act(8_000 + 137 * number % 1_000 + 1_000 * step, ActKind.COUNT_LATE, 0) for step in range(24))
        yield Plan(seed=number, duration_ms=60_000, slots=6, seatings=(first,), acts=acts)


def counted_at_the_hand_in() -> Iterator[Plan]:
    """Yield plans in which an answer of the first seat comes to count while the second hands in."""
    first = Seating(begins_ms=0, answers=14, thinks_ms=2_500, hands_in=True, rival_ms=6_000)
    busy = Seating(begins_ms=0, answers=60, thinks_ms=100, hands_in=True)  # Valkey nearly always syncs its file
    for at_ms in range(14_700, 14_900):
        act = Act(at_ms, ActKind.COUNT_LATE, 0)
        yield Plan(seed=7, duration_ms=60_000, slots=6, sync_ms=60, seatings=(first, busy, busy), acts=(act,))


def alone_beside_another() -> Iterator[Plan]:
    """Yield plans in which a seat that began alone finds its paper closed, and another computer has its first lease."""
    for number in range(40):
        seating = Seating(begins_ms=4_000, answers=3, thinks_ms=700, hands_in=False, alone_ms=24_000, rival_ms=9_000)
        act = Act(18_000 + 150 * number, ActKind.CLOSE, 0, 0, 12_000)
        yield Plan(seed=number, duration_ms=60_000, seatings=(seating,), acts=(act,))


def told_by_an_act() -> Iterator[Plan]:
    """Yield plans in which an act writes that a paper is in before its answers have come, and the disk is lost then."""
    seating = Seating(begins_ms=9_000, answers=1, thinks_ms=2_000, hands_in=True)
    away = Trouble(10_000, Fault.KILL_POSTGRES, 0, 8_000)
    for number in range(120):
        act = Act(2_082, ActKind.EXTEND, 0, 30, 12_000 + 100 * (number % 40))
        lost = Trouble(19_400 + 20 * (number % 40), Fault.EMPTY_VALKEY, 0, 500)
        yield Plan(
            seed=number, duration_ms=60_000, commit_ms=400, seatings=(seating,), acts=(act,), troubles=(away, lost)
        )


def undoing() -> Iterator[Plan]:
    """Yield plans in which a second person undoes the pause of a room while a later pause stands."""
    for number in range(60):
        first = Act(8_000, ActKind.PAUSE, ROOM, 0, 5_000, 4_000 + 60 * number)
        second = Act(15_000, ActKind.PAUSE, ROOM, 0, 15_000)
        yield Plan(seed=number, duration_ms=60_000, seatings=(_SEATING, _SEATING), acts=(first, second))


def uncommitted() -> Iterator[Plan]:
    """Yield plans in which PostgreSQL dies under an act on a room that Redis has taken already."""
    act = Act(8_000, ActKind.PAUSE, ROOM, 0, 5_000)
    for number in range(60):
        away = Trouble(8_000 + 2 * number, Fault.KILL_POSTGRES, 0, 3_000)
        yield Plan(
            seed=number, duration_ms=60_000, commit_ms=80, seatings=(_SEATING, _SEATING), acts=(act,), troubles=(away,)
        )


def stopped_beyond_the_end() -> Iterator[Plan]:
    """Yield plans in which the clock of who has not started stands until after the end."""
    for number in range(4):
        act = Act(3_000, ActKind.PAUSE, 0, 0, _CLOSES_MS + 5_000 * number)
        seating = msgspec.structs.replace(_SEATING, begins_ms=_CLOSES_MS + 12_000 + 5_000 * number)
        yield Plan(
            seed=number, duration_ms=60_000, late_ms=20_000, grace_ms=2_000, seatings=(seating, _SEATING), acts=(act,)
        )


def overtaking() -> Iterator[Plan]:
    """Yield plans in which a hand-in reaches PostgreSQL before its answers, and then Valkey loses its disk.

    One of two writers dies with the answers in its hands, before it has written them.
    """
    seating = Seating(begins_ms=0, answers=3, thinks_ms=300, hands_in=True)
    for number in range(80):
        killed = Trouble(500 + 11 * number, Fault.KILL_WRITER, number % 2, 60_000)
        lost = Trouble(5_000 + 53 * number % 500, Fault.EMPTY_VALKEY, 0, 300)
        seed = 1683 + number
        yield Plan(
            seed=seed, duration_ms=60_000, writers=2, sync_ms=30, seatings=(seating, seating), troubles=(killed, lost)
        )
