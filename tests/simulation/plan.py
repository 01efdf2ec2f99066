"""A schedule before it runs: who sits, what people do, what breaks, how the network behaves; drawn from a seed."""

from enum import StrEnum

import msgspec

from exam_engine.delivery.model import SecondSeat
from tests.simulation.clockwork import stream_of_chance

START_MS = 1_800_000_000_000
MINUTE = 60_000
LONGEST_MS = 60 * MINUTE
ROOM = -1  # instead of an attempt: everybody at once


class Fault(StrEnum):
    """What the nemesis can do."""

    KILL_WORKER = "kill API worker"
    KILL_VALKEY = "kill Valkey"
    EMPTY_VALKEY = "kill Valkey and lose its disk"
    SLOW_VALKEY = "slow Valkey"
    FULL_VALKEY = "Valkey's memory full"
    KILL_WRITER = "kill write-behind"
    KILL_POSTGRES = "kill PostgreSQL"
    KILL_TIMER = "kill timer"
    CUT_SEAT = "cable out"
    CUT_ROOM = "switch of the room out"
    TURN_CLOCK = "clock of an API host wrong"


class ActKind(StrEnum):
    """What an invigilator can do."""

    EXTEND = "extend"  # taken back after `for_ms`, unless that is 0
    PAUSE = "pause"
    LOCK = "lock"
    CLOSE = "close"
    COUNT_LATE = "let late answers count"


class Trouble(msgspec.Struct, frozen=True):
    """One thing that breaks, and for how long."""

    at_ms: int
    fault: Fault
    target: int = 0
    for_ms: int = 0
    is_aimed: bool = False  # strikes in the middle of the next write instead of at its moment


class Act(msgspec.Struct, frozen=True):
    """One thing an invigilator does to an attempt; a pause and a lock end after `for_ms` (0: they are forgotten)."""

    at_ms: int
    kind: ActKind
    attempt: int
    seconds: int = 0
    for_ms: int = 0
    again_ms: int = 0  # so much later a second person undoes what was done to the room once more


_AT_ONCE = (ActKind.PAUSE, ActKind.PAUSE, ActKind.LOCK, ActKind.CLOSE)


class Seating(msgspec.Struct, frozen=True):
    """One candidate: when they begin, how they work, what happens to their computer."""

    begins_ms: int
    answers: int
    thinks_ms: int
    hands_in: bool
    clock_off_ms: int = 0  # the computer's clock is wrong by so much
    reloads: tuple[int, ...] = ()  # the browser crashes and comes back with its disk
    moved_ms: int = 0  # the computer dies for good; another seat takes over
    rushes: bool = False  # answers without thinking in the last seconds
    rival_ms: int = 0  # another browser asks for the same paper, and goes on asking
    stick_ms: int = 0  # its network never comes back from then on; its answers come on a stick
    leaves_ms: int = 0  # goes home; the computer is switched off
    alone_ms: int = 0  # begins by the room's release code; its network comes only then, or never where a stick comes
    guess_off_ms: int = 0  # by how much it is mistaken about the server's time as long as it is alone


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """Everything a schedule depends on besides its seed."""

    seed: int
    duration_ms: int = 2 * MINUTE
    late_ms: int = MINUTE
    grace_ms: int = 5_000
    linger_ms: int = 20_000
    slots: int = 4
    second_seat: SecondSeat = SecondSeat.ADMIT
    loss: float = 0.0
    doubling: float = 0.0
    latency_ms: int = 20
    straggler: float = 0.0  # share of messages that come minutes late
    sync_ms: int = 1
    commit_ms: int = 1  # how long PostgreSQL takes
    workers: int = 2
    clocks_off_ms: tuple[int, ...] = (0, 0)  # of the API hosts, in turn
    writers: int = 1
    seatings: tuple[Seating, ...] = ()
    acts: tuple[Act, ...] = ()
    troubles: tuple[Trouble, ...] = ()

    @property
    def ends_ms(self) -> int:
        """End of the sitting: some start late and keep their time."""
        return self.duration_ms + self.late_ms // 2


def draw(seed: int) -> Plan:
    """Draw a plan.

    One seed in forty keeps PostgreSQL away for ten minutes, half of them while papers are handed in; two in forty lose
    both disks.
    """
    if seed % 40 == 7:
        return _long_absence(seed)
    chance = stream_of_chance(seed, 0)
    duration = chance.choice((60_000, 90_000, 120_000))
    is_rough = chance.random() < 0.6
    plan = Plan(
        seed=seed,
        duration_ms=duration,
        late_ms=chance.choice((20_000, 60_000)),
        grace_ms=chance.choice((0, 2_000, 5_000, 10_000)),
        slots=chance.choice((2, 3, 5)),
        second_seat=SecondSeat.TAKE_OVER if chance.random() < 0.15 else SecondSeat.ADMIT,
        loss=chance.choice((0.02, 0.1, 0.25)) if is_rough else 0.0,
        doubling=chance.choice((0.0, 0.05, 0.2)) if is_rough else 0.0,
        latency_ms=chance.choice((5, 60, 400)) if is_rough else 5,
        straggler=0.03 if chance.random() < 0.2 else 0.0,
        sync_ms=chance.choice((1, 1, 3, 30)),
        commit_ms=chance.choice((1, 1, 40, 400)),
        writers=2 if chance.random() < 0.3 else 1,
    )
    seatings = tuple(_seating(chance, plan) for _ in range(chance.choice((1, 1, 2, 3))))
    acts = tuple(_act(chance, plan, len(seatings)) for _ in range(chance.choice((0, 0, 1, 2, 3))))
    troubles = tuple(_trouble(chance, plan, len(seatings)) for _ in range(chance.choice((0, 1, 2, 3, 5))))
    if any(trouble.fault is Fault.EMPTY_VALKEY for trouble in troubles):
        # A disk of the server and a disk of the seat lost together are lost: one of the two always lives.
        seatings = tuple(msgspec.structs.replace(seating, moved_ms=0) for seating in seatings)
    plan = with_more(msgspec.structs.replace(plan, seatings=seatings, acts=acts, troubles=troubles))
    return with_loss(plan) if seed % 20 == 11 else plan


def with_more(plan: Plan) -> Plan:
    """Add what comes beside: wrong clocks, a stick, late answers looked at, a room stopped while its switch is out."""
    chance, alone, rooms = (stream_of_chance(plan.seed, purpose) for purpose in (5, 6, 7))
    replace = msgspec.structs.replace
    acts, troubles, seatings = list(plan.acts), list(plan.troubles), list(plan.seatings)
    last = plan.duration_ms + plan.late_ms
    if chance.random() < 0.25:
        plan = replace(plan, clocks_off_ms=(chance.randrange(-250, 250), chance.randrange(-250, 250)))
    if chance.random() < 0.06:
        wrong = chance.choice((-30_000, -2_000, 900, 2_000))
        troubles.append(Trouble(chance.randrange(last), Fault.TURN_CLOCK, wrong, chance.randrange(60_000)))
    if chance.random() < 0.12:
        at, for_ms = chance.randrange(5_000, plan.duration_ms), chance.randrange(3_000, 20_000)
        troubles.append(Trouble(at, Fault.CUT_ROOM, 0, for_ms))
        stop = for_ms + chance.randrange(8_000)
        acts += [Act(at + 2_000 + chance.randrange(2_000), ActKind.PAUSE, n, 0, stop) for n in range(len(seatings))]
    for number in range(len(seatings)):
        if chance.random() < 0.3:
            acts.append(Act(chance.randrange(5_000, last), ActKind.COUNT_LATE, number))
        if chance.random() < 0.1 and not any(trouble.fault is Fault.EMPTY_VALKEY for trouble in troubles):
            moment = chance.randrange(10_000, plan.duration_ms)
            seatings[number] = replace(seatings[number], stick_ms=moment, reloads=())
        if alone.random() < 0.15:
            seatings[number] = _alone(alone, plan, seatings[number])
    if rooms.random() < 0.15:
        at, for_ms = rooms.randrange(2_000, last), rooms.randrange(500, 20_000)
        acts.append(Act(at, rooms.choice(_AT_ONCE), ROOM, 0, for_ms, rooms.choice((0, 1, 900))))
    if plan.seed % 100 == 3:
        forgotten = chance.randrange(len(seatings))
        acts.append(Act(chance.randrange(1_000, plan.duration_ms), ActKind.PAUSE, forgotten))
        seatings = [replace(seating, leaves_ms=last + 60_000) for seating in seatings]
    return replace(plan, acts=tuple(acts), troubles=tuple(troubles), seatings=tuple(seatings))


def _alone(chance, plan: Plan, seating: Seating) -> Seating:  # type: ignore[no-untyped-def]
    """Let a candidate begin by the room's release code: no network, for a while or for good."""
    off_ms = chance.choice((0, 0, 300, -1_500, 12_000))
    alone_ms = seating.begins_ms + chance.choice((6_000, 20_000, 45_000))
    return msgspec.structs.replace(seating, alone_ms=alone_ms, guess_off_ms=off_ms)


def with_loss(plan: Plan) -> Plan:
    """Add the worst that may be recovered from: PostgreSQL away and slow, Valkey loses its disk meanwhile, or twice."""
    at = plan.duration_ms // 4
    away = Trouble(at - 5_000, Fault.KILL_POSTGRES, 0, 8_000)
    lost = Trouble(at, Fault.EMPTY_VALKEY, 0, 500)
    again = (Trouble(at + 1_000 + plan.seed % 9_000, Fault.EMPTY_VALKEY, 0, 500),) if plan.seed % 3 == 0 else ()
    seatings = tuple(msgspec.structs.replace(seating, moved_ms=0, stick_ms=0) for seating in plan.seatings)
    troubles = (*plan.troubles, away, lost, *again)
    return msgspec.structs.replace(plan, commit_ms=400, seatings=seatings, troubles=troubles)


def _seating(chance, plan: Plan) -> Seating:  # type: ignore[no-untyped-def]
    begins = chance.randrange(plan.late_ms // 2)
    reloads = tuple(begins + chance.randrange(3_000, plan.duration_ms) for _ in range(chance.choice((0, 0, 0, 1, 2))))
    fate = chance.random()
    return Seating(
        begins_ms=begins,
        answers=chance.choice((2, 5, 9, 14)),
        thinks_ms=chance.choice((300, 2_000, 7_000)),
        hands_in=chance.random() < 0.6,
        rushes=chance.random() < 0.3,
        clock_off_ms=chance.choice((0, 0, -86_400_000, 3_600_000, -20_000, 30_000)),
        reloads=reloads,
        moved_ms=begins + chance.randrange(5_000, plan.duration_ms // 2) if fate < 0.2 else 0,
        rival_ms=begins + chance.randrange(2_000, plan.duration_ms) if 0.2 <= fate < 0.35 else 0,
    )


def _act(chance, plan: Plan, seats: int) -> Act:  # type: ignore[no-untyped-def]
    at = chance.randrange(1_000, plan.duration_ms + plan.grace_ms + plan.linger_ms // 2)
    kind = chance.choice((ActKind.EXTEND, ActKind.EXTEND, ActKind.PAUSE, ActKind.LOCK, ActKind.CLOSE))
    for_ms = chance.randrange(500, 25_000)
    if kind is ActKind.EXTEND and at % 3:
        for_ms = 0  # two in three were no mistake
    return Act(at, kind, chance.randrange(seats), chance.choice((5, 30, 60)), for_ms)


_FAULTS = (
    Fault.KILL_WORKER, Fault.KILL_WORKER, Fault.KILL_VALKEY, Fault.KILL_VALKEY, Fault.KILL_VALKEY, Fault.EMPTY_VALKEY,
    Fault.SLOW_VALKEY, Fault.FULL_VALKEY, Fault.KILL_WRITER, Fault.KILL_WRITER, Fault.KILL_POSTGRES,
    Fault.KILL_POSTGRES, Fault.KILL_TIMER, Fault.CUT_SEAT, Fault.CUT_SEAT, Fault.CUT_ROOM,
)  # fmt: skip


_AIMED = (Fault.KILL_WORKER, Fault.KILL_VALKEY, Fault.EMPTY_VALKEY, Fault.KILL_WRITER, Fault.KILL_POSTGRES)


def _trouble(chance, plan: Plan, seats: int) -> Trouble:  # type: ignore[no-untyped-def]
    fault = chance.choice(_FAULTS)
    at = chance.randrange(500, plan.duration_ms + plan.late_ms)
    longest = 25_000 if fault in (Fault.CUT_SEAT, Fault.CUT_ROOM, Fault.KILL_POSTGRES) else 6_000
    if fault is Fault.EMPTY_VALKEY:
        # Late enough that there is something to lose, early enough that the seats can bring it back in time.
        at = chance.randrange(2_000, plan.duration_ms // 2)
    is_aimed = fault in _AIMED and chance.random() < 0.6
    return Trouble(at, fault, chance.randrange(max(seats, 2)), chance.randrange(50, longest), is_aimed)


def _long_absence(seed: int) -> Plan:
    """PostgreSQL away for ten minutes, from the middle or until after the papers are in; the candidates work on."""
    chance = stream_of_chance(seed, 0)
    duration = 8 * MINUTE
    begins = chance.choice((30_000, 5 * MINUTE))
    plan = Plan(
        seed=seed, duration_ms=duration, slots=4, linger_ms=60_000, writers=chance.choice((1, 2)), late_ms=MINUTE,
        loss=chance.choice((0.0, 0.0, 0.05)),
    )  # fmt: skip
    seatings = tuple(
        Seating(chance.randrange(5_000), chance.choice((6, 12)), chance.choice((8_000, 40_000)), chance.random() < 0.8)
        for _ in range(2)
    )
    troubles = [Trouble(begins, Fault.KILL_POSTGRES, 0, 10 * MINUTE)]
    if chance.random() < 0.5:
        fault = chance.choice((Fault.KILL_VALKEY, Fault.KILL_WRITER, Fault.KILL_WORKER, Fault.KILL_TIMER))
        troubles.append(Trouble(begins + chance.randrange(3 * MINUTE), fault, 0, 3_000))
    return msgspec.structs.replace(plan, seatings=seatings, troubles=tuple(troubles))
