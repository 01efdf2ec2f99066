"""Valkey as the scripts use it: one thread, a file synced before any reply leaves, a kill that forgets the rest.

The comparisons are those of `scripts/*.lua`, taken from `delivery.model`; `test_equality.py` runs the recorded commands
of whole schedules against the scripts on a real server.
"""

from collections.abc import Callable, Sequence
from typing import Any

from exam_engine.delivery.model import AttemptFacts, AttemptState, Gate
from tests.simulation.clockwork import Clockwork
from tests.simulation.messages import Answer, Apply, Count, Entry, Late, Prime, Save, Saves
from tests.simulation.oracle import Oracle
from tests.simulation.plan import Plan
from tests.simulation.rules import Rules

TIMEOUT_MS = 5_000
MOST_LATE = 200
MOST_MARKS = 4
BREAK_MS = 3
_MISSING = object()
Reply = Callable[[Any], None]
Failure = Callable[[], None]


class Valkey:
    """The server and its disk."""

    def __init__(self, clock: Clockwork, chance: Any, plan: Plan, rules: Rules, oracle: Oracle) -> None:
        self.is_alive = True
        self.is_full = False
        self.slow_ms = 0
        self.record: list[tuple[str, Any, Any]] | None = None
        self._clock, self._chance, self._plan, self._rules, self._oracle = clock, chance, plan, rules, oracle
        self._life = 0
        self._entry_number = 0
        self._syncing = False
        self._arrived: list[_Call] = []
        self._unsynced: list[tuple[list[tuple[Any, Any, Any]], int]] = []  # undo of each command, length of the record
        self._replying: list[tuple[_Call, Any]] = []
        self.wake_timer: Callable[[], None] = lambda: None
        self._begin_empty()

    def _begin_empty(self) -> None:
        self.facts: dict[int, AttemptFacts] = {}
        self.answers: dict[int, dict[int, Answer]] = {}
        self.answered: dict[int, int] = {}
        self.acts: dict[int, tuple[str, ...]] = {}  # requests of the last acts on a room that changed an attempt
        self.late: dict[int, int] = {}
        self.late_kept: dict[tuple[int, int], tuple[str, Answer]] = {}
        self.due: dict[int, float] = {}
        self.notices: dict[str, tuple[int, Any]] = {}
        self.stream: dict[int, Entry] = {}
        self.pending: dict[int, tuple[str, int]] = {}
        self.scalars: dict[str, Any] = {"delivered": 0, "primed": "", "group": False, "sealed": False}

    def open(self, planned: Sequence[AttemptFacts]) -> None:
        """Take the attempts of a sitting that opens."""
        self.facts = dict(enumerate(planned))
        self.scalars["primed"] = "opening"

    # The wire

    def call(self, command: str, arguments: Any, reply: Reply, failure: Failure) -> None:
        """Send a command; exactly one of the two is called, unless the caller's process dies."""
        call = _Call(command, arguments, reply, failure)
        if self._chance.random() < 0.5:
            self._clock.after(1, self._arrive, call)
        else:
            self._arrive(call)
        if self.slow_ms:
            self._clock.after(TIMEOUT_MS, call.fail)

    def kill(self) -> None:
        """End without warning: what was not synced is on the disk up to some command, or not at all."""
        self.is_alive = False
        self._life += 1
        kept = self._chance.randrange(len(self._unsynced) + 1)
        lost = self._unsynced[kept:]
        if lost and self.record is not None:
            del self.record[lost[0][1] :]
        for undo, _ in reversed(lost):
            for container, key, before in reversed(undo):
                if before is _MISSING:
                    container.pop(key, None)
                else:
                    container[key] = before
        self._unsynced = []
        broken = [call for call, _ in self._replying] + self._arrived
        self._replying, self._arrived, self._syncing = [], [], False
        for call in broken:
            self._clock.after(BREAK_MS, call.fail)

    def start(self, *, is_empty: bool = False) -> None:
        """Begin again from the disk, or from a new one."""
        if self.is_alive:
            return
        self.is_alive = True
        if is_empty:
            if self.record is not None:
                self.record.append(("empty", None, None))
            self._begin_empty()
            self._oracle.news(None)
        self.wake_timer()

    def _arrive(self, call: "_Call") -> None:
        if not self.is_alive:
            self._clock.after(1, call.fail)
        elif self._syncing:
            self._arrived.append(call)
        else:
            self._execute(call)
            self._sync_or_reply()

    def _sync_or_reply(self) -> None:
        """What was only read waits for no file."""
        if self._unsynced or self.slow_ms:
            self._sync()
            return
        replying, self._replying = self._replying, []
        for call, reply in replying:
            if self._chance.random() < 0.5:
                self._clock.after(1, call.answer, reply)
            else:
                call.answer(reply)

    def _sync(self) -> None:
        self._syncing = True
        self._clock.after(self.slow_ms or self._plan.sync_ms, self._synced, self._life)

    def _synced(self, life: int) -> None:
        if life != self._life:
            return
        self._syncing = False
        self._unsynced.clear()
        self._reply()
        if self._arrived:
            arrived, self._arrived = self._arrived, []
            for call in arrived:
                self._execute(call)
            self._sync_or_reply()

    def _reply(self) -> None:
        replying, self._replying = self._replying, []
        for call, reply in replying:
            self._clock.after(self._chance.random() < 0.5, call.answer, reply)

    def _execute(self, call: "_Call") -> None:
        if self.is_full and call.command in _WRITING:
            self._clock.after(1, call.fail)  # -OOM, nothing was executed
            return
        undo: list[tuple[Any, Any, Any]] = []
        length = len(self.record) if self.record is not None else 0
        reply = getattr(self, f"_{call.command}")(call.arguments, undo)
        if self.record is not None:
            self.record.append((call.command, call.arguments, reply))
        if undo:
            self._unsynced.append((undo, length))
        if call.command == "save":
            self._oracle.struck("save", self.slow_ms or self._plan.sync_ms)
        if self._rules.acknowledges_before_sync:
            self._clock.after(1, call.answer, reply)
        else:
            self._replying.append((call, reply))

    # The scripts

    def _save(self, saves: Sequence[Save], undo: list[Any]) -> list[Any]:
        kept: dict[int, Save] = {}
        replies = [self._save_one(save, kept, undo) for save in saves]
        self._append_saves(kept, undo)
        return replies

    def _append_saves(self, kept: dict[int, Save], undo: list[Any]) -> None:
        if kept:
            self._append(Saves(tuple(kept.values())), undo)
            kept.clear()

    def _save_one(self, save: Save, batch: dict[int, Save], undo: list[Any]) -> Gate | list[int] | None:
        """None: unknown here; the gate, if it is another; else the newest sequences."""
        facts = self.facts.get(save.attempt)
        if facts is None:
            return None
        if save.gate is None or (self._rules.compares_the_gate and save.gate != facts.gate):
            return facts.gate
        if save.attempt in batch:
            self._append_saves(batch, undo)
        held = self.answers.setdefault(save.attempt, {})
        kept: list[tuple[int, Answer]] = []
        told: list[int] = []
        answered = self.answered.get(save.attempt, 0)
        for slot, answer in save.answers:
            stored = held.get(slot)
            if not self._rules.is_newer(answer.sequence, None if stored is None else stored.sequence):
                assert stored is not None
                told.append(stored.sequence)
                continue
            _set(undo, held, slot, answer)
            answered += (answer.value is not None) - (stored is not None and stored.value is not None)
            kept.append((slot, answer))
            told.append(answer.sequence)
        if kept:
            _set(undo, self.answered, save.attempt, answered)
            batch[save.attempt] = save._replace(answers=tuple(kept))
            self._oracle.accepted(save, facts)
        return told

    def _late(self, lates: Sequence[Late], undo: list[Any]) -> list[int | None]:
        return [self._keep_late(late.save, late.refusal, undo) for late in lates]

    def _keep_late(self, save: Save, refusal: str, undo: list[Any]) -> int | None:
        if save.attempt not in self.facts:
            return None
        held = self.answers.get(save.attempt, {})
        newer = tuple(
            (slot, a)
            for slot, a in save.answers
            if (slot not in held or a.sequence > held[slot].sequence)
            and self.late_kept.get((save.attempt, slot)) != (refusal, a)
        )
        if not newer:
            return 0
        _set(undo, self.late, save.attempt, self.late.get(save.attempt, 0) + 1)
        if self.late[save.attempt] > MOST_LATE:
            return 0
        self._append(Late(save._replace(answers=newer), refusal), undo)
        for slot, answer in newer:
            _set(undo, self.late_kept, (save.attempt, slot), (refusal, answer))
        return len(newer)

    def _apply(self, changes: Sequence[Apply], undo: list[Any]) -> list[int]:
        replies = []
        for apply in changes:
            facts = self.facts.get(apply.attempt)
            if facts is None:
                replies.append(0)
            elif self.scalars["sealed"] and self._rules.heeds_the_seal:
                replies.append(-2)
            elif self._is_outdated(apply, facts):
                replies.append(-1)
            else:
                # What a kill undoes never was, for the oracle, too.
                undo.extend((held, key, held.get(key, _MISSING)) for held, key in self._oracle.touched_by(apply))
                self._oracle.changes(apply, facts)
                if "act" in apply.detail:
                    marks = apply.detail["act"], *self.acts.get(apply.attempt, ())
                    _set(undo, self.acts, apply.attempt, marks[:MOST_MARKS])
                _set(undo, self.facts, apply.attempt, apply.change.facts)
                self._keep_due(apply.attempt, apply.change.facts, undo)
                self._append(apply, undo)
                self._oracle.news(apply.attempt)
                replies.append(1)
        return replies

    def _is_outdated(self, apply: Apply, facts: AttemptFacts) -> bool:
        answers = self.answers.get(apply.attempt, {})
        sequences = {slot: answer.sequence for slot, answer in answers.items()}
        is_of_facts = facts.revision == apply.expected or not self._rules.checks_revisions
        is_of_answers = apply.sequences in (None, sequences) or not self._rules.checks_answers
        return not (is_of_facts and is_of_answers)

    def _count(self, counts: Sequence[Count], undo: list[Any]) -> list[int]:
        return [self._count_one(count, undo) for count in counts]

    def _count_one(self, count: Count, undo: list[Any]) -> int:
        if self.scalars["sealed"] and self._rules.heeds_the_seal:
            return -2
        facts = self.facts.get(count.attempt)
        if facts is None:
            return 0
        held = self.answers.setdefault(count.attempt, {})
        stored = held.get(count.slot)
        if stored == count.answer:
            return 1  # it counts already: the reply was lost
        is_handed_in = facts.state is AttemptState.SUBMITTED and not self._rules.counts_after_hand_in
        if is_handed_in or (stored is not None and stored.sequence >= count.answer.sequence):
            return -1
        _set(undo, held, count.slot, count.answer)
        told = (count.answer.value is not None) - (stored is not None and stored.value is not None)
        _set(undo, self.answered, count.attempt, self.answered.get(count.attempt, 0) + told)
        answers = ((count.slot, count.answer),)
        save = Save(count.attempt, count.lease, count.arrival_ms, answers, self._clock.now, "")
        self._append_saves({count.attempt: save}, undo)
        self._oracle.counted(count, facts)
        return 1

    def _look(self, asked: Sequence[int], _undo: list[Any]) -> list[Any]:
        return [
            None
            if attempt not in self.facts
            else (self.facts[attempt], dict(self.answers.get(attempt, ())), self.acts.get(attempt, ()))
            for attempt in asked
        ]

    def _prime(self, primes: Sequence[Prime], undo: list[Any]) -> list[int]:
        replies = []
        for prime in primes:
            if prime.attempt in self.facts and not self._rules.priming_overwrites:
                replies.append(0)
                continue
            _set(undo, self.facts, prime.attempt, prime.facts)
            _set(undo, self.answers, prime.attempt, dict(prime.answers))
            answered = sum(answer.value is not None for answer in prime.answers.values())
            _set(undo, self.answered, prime.attempt, answered)
            self._keep_due(prime.attempt, prime.facts, undo)
            self._oracle.primed(prime)
            replies.append(1)
        return replies

    def _keep_due(self, attempt: int, facts: AttemptFacts, undo: list[Any]) -> None:
        limit = self._rules.due_ms(facts)
        if limit is not None:
            _set(undo, self.due, attempt, limit)
        elif attempt in self.due:
            undo.append((self.due, attempt, self.due.pop(attempt)))
        self.wake_timer()

    def _post(self, arguments: tuple[str, Any], undo: list[Any]) -> int:
        request, notice = arguments
        known = self.notices.get(request)
        if known is not None:
            return known[0]
        number = max([self._clock.now, *(1 + number for number, _ in self.notices.values())])
        _set(undo, self.notices, request, (number, notice))
        return number

    # Commands on keys

    def _due(self, now_ms: int, _undo: list[Any]) -> list[int]:
        return [attempt for attempt, limit in self.due.items() if limit < now_ms]

    def _running(self, _arguments: Any, _undo: list[Any]) -> int:
        return len(self.due)

    def _seal(self, is_sealed: bool, undo: list[Any]) -> bool:
        if is_sealed and self.due:
            return False
        _set(undo, self.scalars, "sealed", is_sealed)
        return True

    def _read_primed(self, _arguments: Any, _undo: list[Any]) -> str:
        return str(self.scalars["primed"])

    def _mark_primed(self, mark: str, undo: list[Any]) -> bool:
        if self.scalars["primed"]:
            return False
        _set(undo, self.scalars, "primed", mark)
        self._oracle.news(None)
        return True

    def _make_group(self, _arguments: Any, undo: list[Any]) -> bool:
        if not self.scalars["group"]:
            _set(undo, self.scalars, "group", True)
            _set(undo, self.scalars, "delivered", 0)
        return True

    def _read_new(self, arguments: tuple[str, int], undo: list[Any]) -> list[Entry] | None:
        consumer, count = arguments
        if not self.scalars["group"]:
            return None
        delivered = self.scalars["delivered"]
        found = [entry for number, entry in self.stream.items() if number > delivered][:count]
        if found:
            _set(undo, self.scalars, "delivered", found[-1].number)
            for entry in found:
                _set(undo, self.pending, entry.number, (consumer, self._clock.now))
        return found

    def _read_pending(self, consumer: str, _undo: list[Any]) -> list[Entry] | None:
        if not self.scalars["group"]:
            return None
        return [self.stream[number] for number, (owner, _) in sorted(self.pending.items()) if owner == consumer]

    def _claim(self, arguments: tuple[str, int], undo: list[Any]) -> list[Entry] | None:
        consumer, idle_ms = arguments
        if not self.scalars["group"]:
            return None
        found = [
            number
            for number, (owner, at_ms) in sorted(self.pending.items())
            if owner != consumer and self._clock.now - at_ms >= idle_ms
        ]
        for number in found:
            _set(undo, self.pending, number, (consumer, self._clock.now))
        return [self.stream[number] for number in found]

    def _acknowledge(self, numbers: Sequence[int], undo: list[Any]) -> int:
        acknowledged = 0
        for number in numbers:
            if number in self.pending:
                acknowledged += 1
                undo.append((self.pending, number, self.pending.pop(number)))
                undo.append((self.stream, number, self.stream.pop(number)))
        return acknowledged

    def _append(self, body: Any, undo: list[Any]) -> None:
        self._entry_number += 1
        number = self._entry_number
        _set(undo, self.stream, number, Entry(number, body))
        self._clock.after(1, self._oracle.wake_writers)

    @property
    def has_news(self) -> bool:
        """Whether reading would bring something, or tell that it cannot."""
        return not self.is_alive or max(self.stream, default=0) > self.scalars["delivered"]

    def has_pending_of_others(self, consumer: str) -> bool:
        """Whether another consumer has read entries that it has not acknowledged."""
        return any(owner != consumer for owner, _ in self.pending.values())

    @property
    def waiting(self) -> int:
        """Entries not yet acknowledged by the group."""
        return len(self.stream)


class _Call:
    __slots__ = ("_failure", "_is_done", "_reply", "arguments", "command")

    def __init__(self, command: str, arguments: Any, reply: Reply, failure: Failure) -> None:
        self.command, self.arguments = command, arguments
        self._reply, self._failure, self._is_done = reply, failure, False

    def answer(self, reply: Any) -> None:
        if not self._is_done:
            self._is_done = True
            self._reply(reply)

    def fail(self) -> None:
        if not self._is_done:
            self._is_done = True
            self._failure()


def _set(undo: list[Any], container: dict[Any, Any], key: Any, value: Any) -> None:
    undo.append((container, key, container.get(key, _MISSING)))
    container[key] = value


_WRITING = {"save", "late", "apply", "prime", "post", "mark_primed", "seal", "count"}
