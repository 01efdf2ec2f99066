"""One schedule from its plan to the judgement, and the smallest plan that still fails."""

import itertools
import random
from collections.abc import Iterator
from datetime import timedelta
from uuid import UUID

import msgspec

from exam_engine.delivery.model import LONGEST_PAUSE_MS, Sitting, SittingId, SittingState, planned_facts
from exam_engine.infra.clock import from_milliseconds
from tests.simulation.background import Timer, Writer
from tests.simulation.clockwork import Clockwork, Violation, stream_of_chance
from tests.simulation.oracle import Oracle
from tests.simulation.people import STRAGGLES_MS, Invigilator, Network
from tests.simulation.plan import LONGEST_MS, MINUTE, ROOM, START_MS, ActKind, Fault, Plan, Seating, Trouble, draw
from tests.simulation.postgres import Postgres
from tests.simulation.rules import Rules
from tests.simulation.seats import Seats
from tests.simulation.staff import Staff
from tests.simulation.valkey import Valkey
from tests.simulation.worker import EXCHANGE_MS, Worker

LOOK_MS = 5_000
BEARABLE_LOSS = 0.05
ASKED_AGAIN_MS = 6_000  # an invigilator repeats what was not answered


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What a schedule came to."""

    seed: int
    law: str = ""
    detail: str = ""
    acknowledged: int = 0
    accepted: int = 0
    steps: int = 0
    retries: int = 0
    hand_ins_brought_back: int = 0
    hand_ins_too_late: int = 0
    out_of_reach: int = 0
    evidence: int = 0
    counted_late: int = 0
    from_sticks: int = 0
    trace: list[str] = []

    @property
    def is_sound(self) -> bool:
        """Whether every law held."""
        return not self.law


class Schedule:
    """The world of one plan."""

    def __init__(self, plan: Plan, rules: Rules, *, is_traced: bool = False, is_recorded: bool = False) -> None:
        self.plan, self.rules = plan, rules
        self.clock = clock = Clockwork(START_MS - 1_000, is_traced=is_traced)
        self.oracle = oracle = Oracle(clock)
        self.planned = planned_facts(sitting_of(plan))
        planned = [self.planned] * len(plan.seatings)
        servers, network = stream_of_chance(plan.seed, 1), stream_of_chance(plan.seed, 2)
        self.valkey = valkey = Valkey(clock, servers, plan, rules, oracle)
        valkey.open(planned)
        if is_recorded:
            valkey.record = []
        self.postgres = postgres = Postgres(clock, servers, rules, oracle, planned, plan.commit_ms)
        if is_recorded:
            postgres.batches = []
        self.workers = [
            Worker(f"api-{number}", clock, servers, plan, rules, valkey, postgres, self._seen)
            for number in range(plan.workers)
        ]
        self.writers = [Writer(f"writer-{n}", clock, servers, rules, valkey, postgres) for n in range(plan.writers)]
        oracle.wake_writers = self._wake_writers
        oracle.news = self._news
        oracle.struck = self._struck
        oracle.calm_ms = self._calm_ms
        self._struck_at: list[Trouble] = []
        self._aimed: dict[str, list[Trouble]] = {}
        self.timer = Timer(clock, plan, rules, valkey, postgres, len(planned))
        self.network = Network(clock, network, plan, self.workers)
        for worker, off_ms in zip(self.workers, itertools.cycle(plan.clocks_off_ms), strict=False):
            worker.clock_off_ms = off_ms
        wrong = [abs(trouble.target) for trouble in plan.troubles if trouble.fault is Fault.TURN_CLOCK]
        oracle.skew_ms = max(map(abs, plan.clocks_off_ms)) + max(wrong, default=0)
        staff = Staff(rules, postgres, oracle, len(planned))
        self.invigilator = Invigilator(clock, servers, rules, self.network, oracle, staff)
        people = stream_of_chance(plan.seed, 3)
        seats = Seats(clock, people, plan, rules, self.network, oracle, self.invigilator, valkey)
        self.browsers = seats.browsers
        seats.set_the_stage()
        self._exchange = stream_of_chance(plan.seed, 4)
        self._set_the_stage()

    def run(self) -> None:
        """Work until everything is in PostgreSQL, and judge.

        Raises
        ------
        Violation
        """
        longest_ms = LONGEST_MS
        if any(act.kind is ActKind.PAUSE and not act.for_ms for act in self.plan.acts):
            longest_ms += LONGEST_PAUSE_MS
        self._run_until_done(START_MS + longest_ms)
        if self.plan.straggler:
            for browser in self.browsers:
                browser.crash()
            self.clock.run(self.clock.now + STRAGGLES_MS)
            self._run_until_done(self.clock.now + LONGEST_MS)
        self.oracle.judge(self.postgres, self.valkey.facts, len(self.plan.seatings))

    def _run_until_done(self, end_ms: int) -> None:
        while not self._is_done():
            if self.clock.now >= end_ms:
                raise Violation("everybody comes to an end", f"not after {(end_ms - START_MS) // MINUTE} minutes")
            self.clock.run(self.clock.now + LOOK_MS)

    def _is_done(self) -> bool:
        return (
            self.postgres.is_closed
            and self.valkey.is_alive
            and not self.valkey.waiting
            and not self.invigilator.open_acts
            and all(trouble.at_ms + trouble.for_ms < self.clock.now - START_MS for trouble in self.plan.troubles)
        )

    def _set_the_stage(self) -> None:
        for number, act in enumerate(self.plan.acts):
            self.clock.at(START_MS + act.at_ms, self.invigilator.act, act, number)
        for trouble in self.plan.troubles:
            act = self._aim if trouble.is_aimed else self._break
            self.clock.at(START_MS + trouble.at_ms, act, trouble)

    # Signs of life and news, as the exchange of every second spreads them

    def _seen(self, attempt: int) -> int:
        latest = max((worker.seen.get(attempt, 0) for worker in self.workers), default=0)
        return min(latest, self.clock.now - EXCHANGE_MS)

    def _news(self, attempt: int | None) -> None:
        for worker in self.workers:
            delay = 1 + self._exchange.randrange(EXCHANGE_MS)
            if attempt is None:
                if not self.rules.hears_of_loss:
                    continue
                self.clock.after(delay, worker.learn_of_loss)
            else:
                self.clock.after(delay, worker.learn, attempt)

    def _wake_writers(self) -> None:
        for writer in self.writers:
            writer.wake()

    # The nemesis

    def _aim(self, trouble: Trouble) -> None:
        """Wait for the next write of that kind and strike while it is under way."""
        is_of_store = trouble.fault in (Fault.KILL_WRITER, Fault.KILL_POSTGRES)
        self._aimed.setdefault("commit" if is_of_store else "save", []).append(trouble)

    def _struck(self, what: str, within_ms: int) -> None:
        aimed = self._aimed.get(what)
        if aimed:
            self.clock.after(self._exchange.randrange(within_ms + 2), self._break, aimed.pop())

    def _break(self, trouble: Trouble) -> None:
        self.clock.note("NEMESIS", f"{trouble.fault} {trouble.target} for {trouble.for_ms} ms")
        until = trouble.for_ms
        clock = self.clock
        self._struck_at.append(msgspec.structs.replace(trouble, at_ms=clock.now))
        match trouble.fault:
            case Fault.KILL_WORKER:
                worker = self.workers[trouble.target % len(self.workers)]
                worker.kill()
                clock.after(until, worker.start)
            case Fault.KILL_VALKEY | Fault.EMPTY_VALKEY:
                if self.valkey.is_alive:
                    self.valkey.kill()
                    clock.after(until, self._valkey_again, trouble.fault is Fault.EMPTY_VALKEY)
            case Fault.SLOW_VALKEY:
                self.valkey.slow_ms = 1_000
                clock.after(until, self._fast_again)
            case Fault.FULL_VALKEY:
                self.valkey.is_full = True
                clock.after(until, self._room_again)
            case Fault.KILL_WRITER:
                writer = self.writers[trouble.target % len(self.writers)]
                writer.kill()
                clock.after(until, writer.start)
            case Fault.KILL_POSTGRES:
                self.postgres.kill()
                clock.after(until, self.postgres.start)
            case Fault.KILL_TIMER:
                self.timer.kill()
                clock.after(until, self.timer.start)
            case Fault.TURN_CLOCK:
                self.workers[0].clock_off_ms += trouble.target
                clock.after(until, self._right_clock, trouble.target)
            case Fault.CUT_SEAT | Fault.CUT_ROOM:
                self._cut(trouble, clock.now + until)

    def _cut(self, trouble: Trouble, until_ms: int) -> None:
        seats = len(self.plan.seatings)
        for attempt in (trouble.target % seats,) if trouble.fault is Fault.CUT_SEAT else range(seats):
            self.network.cut(attempt, until_ms)

    def _calm_ms(self, attempt: int, since: int, until: int) -> int:
        """Return the longest time between two moments in which nothing was broken, closed or locked."""
        if self.plan.loss > BEARABLE_LOSS:
            return 0  # every exchange may take half a minute
        calm, after = 0, since
        spans = [(trouble.at_ms, trouble.at_ms + trouble.for_ms) for trouble in self._struck_at]
        spans += [
            (START_MS + act.at_ms, START_MS + act.at_ms + act.for_ms + ASKED_AGAIN_MS)
            for act in self.plan.acts
            if act.attempt in (attempt, ROOM) and act.kind is not ActKind.EXTEND
        ]
        for begin, end in sorted(spans):
            calm = max(calm, min(begin, until) - after)
            after = max(after, end)
        return max(calm, until - after)

    def _valkey_again(self, is_empty: bool) -> None:
        self.clock.note("Valkey", "begins empty" if is_empty else "begins again")
        if is_empty:
            self.oracle.emptied(self.valkey, self.postgres)
        self.valkey.start(is_empty=is_empty)

    def _right_clock(self, wrong_ms: int) -> None:
        self.workers[0].clock_off_ms -= wrong_ms

    def _fast_again(self) -> None:
        self.valkey.slow_ms = 0

    def _room_again(self) -> None:
        self.valkey.is_full = False


def sitting_of(plan: Plan) -> Sitting:
    """The sitting of a plan."""
    starts_at = from_milliseconds(START_MS)
    return Sitting(
        id=SittingId(UUID(int=plan.seed + 1)),
        exam_subject_id=UUID(int=2),
        form_id=UUID(int=3),  # type: ignore[arg-type]
        form_hash="",
        code="S",
        name="S",
        opens_at=starts_at - timedelta(minutes=1),
        starts_at=starts_at,
        ends_at=starts_at + timedelta(milliseconds=plan.ends_ms),
        duration_seconds=plan.duration_ms // 1000,
        late_limit_seconds=plan.late_ms // 1000,
        grace_seconds=plan.grace_ms // 1000,
        state=SittingState.OPEN,
        shards=1,
        seed=plan.seed,
    )


def run_plan(plan: Plan, rules: Rules, *, is_traced: bool = False) -> Outcome:
    """Run a plan; a violation becomes part of the outcome."""
    schedule = Schedule(plan, rules, is_traced=is_traced)
    law = detail = ""
    try:
        schedule.run()
    except Violation as violation:
        law = violation.law
        detail = str(violation)
        schedule.clock.note("VIOLATION", detail)
    return Outcome(
        seed=plan.seed,
        law=law,
        detail=detail,
        acknowledged=schedule.oracle.acknowledged_answers,
        accepted=schedule.oracle.accepted_answers,
        steps=schedule.clock.steps,
        retries=sum(browser.protocol.retries for browser in schedule.browsers),
        hand_ins_brought_back=schedule.oracle.hand_ins_brought_back,
        hand_ins_too_late=schedule.oracle.hand_ins_too_late,
        out_of_reach=schedule.oracle.out_of_reach,
        evidence=schedule.oracle.evidence,
        counted_late=schedule.oracle.counted_late,
        from_sticks=schedule.oracle.from_sticks,
        trace=schedule.clock.trace or [],
    )


def run_seed(seed: int, rules: Rules | None = None, *, is_traced: bool = False) -> Outcome:
    """Draw and run the schedule of a seed."""
    return run_plan(draw(seed), rules or Rules(), is_traced=is_traced)


def shrink(plan: Plan, rules: Rules) -> Plan:
    """Leave out whatever the violation does not need, until nothing more can go."""
    law = run_plan(plan, rules).law
    is_smaller = True
    while is_smaller:
        is_smaller = False
        for candidate in _simpler(plan):
            if run_plan(candidate, rules).law == law:
                plan, is_smaller = candidate, True
                break
    return plan


def _simpler(plan: Plan) -> Iterator[Plan]:
    replace = msgspec.structs.replace
    for name in ("troubles", "acts"):
        items = getattr(plan, name)
        for position in range(len(items)):
            yield replace(plan, **{name: items[:position] + items[position + 1 :]})
    for name in ("loss", "doubling", "straggler"):
        if getattr(plan, name):
            yield replace(plan, **{name: 0.0})
    for name, value in (("commit_ms", 1), ("writers", 1), ("workers", 1), ("latency_ms", 5), ("sync_ms", 1)):
        if getattr(plan, name) != value:
            yield replace(plan, **{name: value})
    if len(plan.seatings) > 1:
        last = len(plan.seatings) - 1
        acts = tuple(act for act in plan.acts if act.attempt != last)
        yield replace(plan, seatings=plan.seatings[:-1], acts=acts)
    for position, seating in enumerate(plan.seatings):
        for changes in _less(seating):
            simpler = replace(seating, **changes)
            yield replace(plan, seatings=(*plan.seatings[:position], simpler, *plan.seatings[position + 1 :]))


def _less(seating: Seating) -> Iterator[dict[str, object]]:
    if seating.reloads:
        yield {"reloads": seating.reloads[:-1]}
    for name in ("moved_ms", "rival_ms", "clock_off_ms", "stick_ms"):
        if getattr(seating, name):
            yield {name: 0}
    if seating.answers > 1:
        yield {"answers": seating.answers // 2}
        yield {"answers": seating.answers - 1}


def random_for(seed: int) -> random.Random:
    """Chance for what is not part of a schedule."""
    return stream_of_chance(seed, 9)
