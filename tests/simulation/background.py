"""The processes nobody asks anything: the write-behind and the timer."""

from collections.abc import Callable, Sequence
from typing import Any

from exam_engine.delivery.errors import AttemptRefusal
from exam_engine.delivery.model import CloseReason
from tests.simulation.clockwork import Clockwork
from tests.simulation.messages import Apply, Entry
from tests.simulation.plan import START_MS, Plan
from tests.simulation.postgres import Postgres, Transaction
from tests.simulation.rules import Rules
from tests.simulation.valkey import Valkey

LINGER_MS = 30
LONGEST_PAUSE_MS = 2_000
CLAIM_IDLE_MS = 15_000
TIDY_MS = 5_000
TICK_MS = 1_000
BATCH = 200


class Writer:
    """One consumer of the stream; follows `write_behind.Writer`."""

    def __init__(
        self, name: str, clock: Clockwork, chance: Any, rules: Rules, valkey: Valkey, postgres: Postgres
    ) -> None:
        self.name = name
        self.is_alive = True
        self._clock, self._chance, self._rules, self._valkey, self._postgres = clock, chance, rules, valkey, postgres
        self._life = 0
        self._pause_ms = 100
        self._is_new = True
        self._is_busy = False
        self._is_called = False
        self._tidy_at = 0
        clock.after(0, self._turn, 0)

    def kill(self) -> None:
        """End without warning."""
        self.is_alive = False
        self._life += 1

    def start(self) -> None:
        """Begin again with what was read and not written."""
        self.is_alive, self._is_new, self._is_busy = True, True, False
        self._clock.after(0, self._turn, self._life)

    def wake(self) -> None:
        """There is something in the stream."""
        self._is_called = True
        if self.is_alive and not self._is_busy:
            self._turn(self._life)

    def _turn(self, life: int) -> None:
        if life != self._life or self._is_busy:
            return
        self._is_busy = True
        if self._is_new:
            # Discovery asks PostgreSQL which sittings are open; without it nothing could be written anyway.
            self._postgres.ask(
                lambda _: None,
                self._alive(life, lambda _: self._call("make_group", None, life, self._read_own(life))),
                self._alive(life, self._failed),
            )
        elif not self._valkey.has_news and not self._valkey.has_pending_of_others(self.name):
            # The real one blocks in its read; asking again would change nothing.
            self._is_called = False
            self._rest(is_idle=True)
        elif self._clock.now >= self._tidy_at:
            self._tidy_at = self._clock.now + TIDY_MS
            self._is_called = True  # and then what is new
            self._call("claim", (self.name, CLAIM_IDLE_MS), life, lambda found: self._write(found, life))
        else:
            self._is_called = False
            self._call("read_new", (self.name, BATCH), life, lambda found: self._write(found, life))

    def _read_own(self, life: int) -> Callable[[Any], None]:
        def grouped(_: Any) -> None:
            if self._rules.forgets_pending:
                self._is_new = False
                self._write([], life)
            else:
                self._call("read_pending", self.name, life, own)

        def own(found: list[Entry] | None) -> None:
            self._is_new = False
            self._is_called = True
            self._write(found, life)

        return grouped

    def _write(self, entries: Sequence[Entry] | None, life: int) -> None:
        if entries is None:
            self._failed()  # the group is gone: Redis began empty
            return
        if not entries:
            self._rest(is_idle=True)
            return
        numbers = [entry.number for entry in entries]

        def rest(_: Any) -> None:
            self._rest(is_idle=False)

        def commit(_: Any) -> None:
            self._postgres.ask(
                lambda postgres: postgres.write(entries),
                self._alive(life, acknowledge if not self._rules.acknowledges_before_commit else rest),
                self._alive(life, self._failed),
            )

        def acknowledge(_: Any) -> None:
            self._call("acknowledge", numbers, life, rest)

        if self._rules.acknowledges_before_commit:
            self._call("acknowledge", numbers, life, commit)
        else:
            commit(None)

    def _rest(self, *, is_idle: bool) -> None:
        self._is_busy = False
        self._pause_ms = 100
        if not is_idle or self._is_called:
            self._clock.after(LINGER_MS, self._turn, self._life)
        elif self._valkey.waiting:
            self._clock.after(TIDY_MS, self._turn, self._life)  # another writer's, to be claimed when it stays silent

    def _failed(self) -> None:
        self._is_new = True
        self._clock.after(self._pause_ms, self._retry, self._life)
        self._pause_ms = min(2 * self._pause_ms, LONGEST_PAUSE_MS)

    def _retry(self, life: int) -> None:
        if life == self._life:
            self._is_busy = False
            self._turn(life)

    def _call(self, command: str, arguments: Any, life: int, answered: Callable[[Any], None]) -> None:
        self._valkey.call(command, arguments, self._alive(life, answered), self._alive(life, self._failed))

    def _alive(self, life: int, act: Callable[..., None]) -> Callable[..., None]:
        return lambda *found: act(*found) if life == self._life else None


class Timer:
    """Closes what is over, refills an empty Redis, closes the sitting; follows `timers.Timers`."""

    def __init__(
        self, clock: Clockwork, plan: Plan, rules: Rules, valkey: Valkey, postgres: Postgres, attempts: int
    ) -> None:
        self.is_alive = True
        self._clock, self._rules, self._valkey, self._postgres = clock, rules, valkey, postgres
        self._attempts = range(attempts)
        self._over_ms = START_MS + plan.ends_ms + plan.grace_ms + plan.linger_ms
        self._life = 0
        self._is_closing = False
        self._next_ms = 0
        valkey.wake_timer = self._arm
        clock.after(0, self._tick, 0)

    def kill(self) -> None:
        """End without warning."""
        self.is_alive = False
        self._life += 1

    def start(self) -> None:
        """Begin again."""
        self.is_alive, self._is_closing, self._next_ms = True, False, 0
        self._clock.after(0, self._tick, self._life)

    def _arm(self) -> None:
        """Tick every second while that changes anything; else look when something may be due."""
        valkey, now = self._valkey, self._clock.now
        if not self.is_alive or self._postgres.is_closed:
            return
        at_ms = now + TICK_MS
        if self._is_nothing_to_do():
            moments = [limit + 1 for limit in valkey.due.values()]
            if now <= self._over_ms:
                moments.append(self._over_ms + 1)
            wanted = min(moments, default=now)
            if wanted == float("inf"):
                return
            at_ms += max(0, -(-(int(wanted) - at_ms) // TICK_MS)) * TICK_MS
        if self._next_ms <= now or at_ms < self._next_ms:
            self._next_ms = at_ms
            self._clock.at(at_ms, self._tick, self._life)

    def _tick(self, life: int) -> None:
        if life != self._life or self._postgres.is_closed or (self._next_ms and self._clock.now != self._next_ms):
            return
        self._arm()
        if self._is_nothing_to_do():
            return
        self._call("read_primed", None, life, lambda mark: self._keep_time(life) if mark else self._refill(life))

    def _is_nothing_to_do(self) -> bool:
        """Whether asking would change nothing; looking behind the scenes saves nine tenths of all events."""
        valkey, now = self._valkey, self._clock.now
        if not valkey.is_alive or not valkey.scalars["primed"] or (now > self._over_ms and not valkey.due):
            return False
        return not any(limit < now for limit in valkey.due.values())

    def _refill(self, life: int) -> None:
        self._ask(
            lambda postgres: None if postgres.is_closed else postgres.prime(self._attempts),
            life,
            lambda found: found and self._call("prime", found, life, lambda _: self._mark(life)),
        )

    def _mark(self, life: int) -> None:
        self._call("mark_primed", str(self._clock.now), life, lambda _: self._keep_time(life))

    def _keep_time(self, life: int) -> None:
        now = self._clock.now

        def found(due: Sequence[int]) -> None:
            for attempt in due:
                self._close(attempt, CloseReason.TIME, life, lambda: None)

        self._call("due", now, life, found)
        if now > self._over_ms and not self._is_closing:
            self._call("running", None, life, lambda running: None if running else self._close_sitting(life))

    def _close_sitting(self, life: int) -> None:
        """Close under the lock on the sitting's row, if nobody has time left then either, and seal."""
        self._is_closing = True
        held: list[Transaction] = []

        def given_up(_: Any = None) -> None:
            self._is_closing = self._is_closing and life != self._life
            for transaction in held:
                transaction.end()

        def commit(is_sealed: bool) -> None:
            if is_sealed:
                held[0].commit(lambda postgres: postgres.close_sitting(), given_up, given_up)
            else:
                given_up()

        def closed() -> None:
            if self._rules.seals:
                self._call("seal", True, life, commit, given_up)
            else:
                commit(is_sealed=True)

        def looked(running: int) -> None:
            if running:
                given_up()
            else:
                self._close_all(life, closed, given_up)

        def locked(is_closed: bool, transaction: Transaction) -> None:
            held.append(transaction)
            if life != self._life or is_closed:
                given_up()
            elif self._rules.looks_again:
                self._call("running", None, life, looked, given_up)
            else:
                looked(0)

        self._postgres.begin(lambda postgres: postgres.is_closed, locked, given_up)

    def _close_all(self, life: int, closed: Callable[[], None], given_up: Callable[[], None]) -> None:
        left = len(self._attempts)

        def one_closed() -> None:
            nonlocal left
            left -= 1
            if left == 0:
                closed()

        for attempt in self._attempts:
            self._close(attempt, CloseReason.SITTING, life, one_closed, given_up)

    def _close(
        self,
        attempt: int,
        reason: CloseReason,
        life: int,
        closed: Callable[[], None],
        failed: Callable[[], None] = lambda: None,
    ) -> None:
        now = self._clock.now

        def looked(found: list[Any]) -> None:
            if found[0] is None:
                self._ask(
                    lambda postgres: postgres.prime([attempt]),
                    life,
                    lambda primes: self._call("prime", primes, life, lambda _: None),
                )
                failed()
                return
            facts = found[0][0]
            try:
                change = self._rules.close(facts, reason, now)
            except AttemptRefusal:
                failed()
                return
            if change is None:
                closed()
                return
            apply = Apply(attempt, facts.revision, change, "timer", {}, now)
            self._call("apply", [apply], life, lambda replies: closed() if replies[0] == 1 else failed(), failed)

        self._call("look", [attempt], life, looked, failed)

    def _call(
        self,
        command: str,
        arguments: Any,
        life: int,
        answered: Callable[[Any], Any],
        failed: Callable[[], None] = lambda: None,
    ) -> None:
        self._valkey.call(command, arguments, lambda found: answered(found) if life == self._life else failed(), failed)

    def _ask(self, work: Callable[[Postgres], Any], life: int, answered: Callable[[Any], Any]) -> None:
        self._postgres.ask(work, lambda found: answered(found) if life == self._life else None, lambda: None)
