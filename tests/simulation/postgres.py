"""PostgreSQL as delivery uses it: transactions done or not, the merge rules of the projection, and its absences."""

from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

from msgspec.structs import replace

from exam_engine.delivery import model
from exam_engine.delivery.model import AttemptFacts
from tests.simulation.clockwork import Clockwork
from tests.simulation.messages import Answer, Apply, Entry, Late, Prime, Save, Saves
from tests.simulation.oracle import Oracle
from tests.simulation.rules import Rules

Failure = Callable[[], None]


class Transaction:
    """Holds the lock on the sitting's row until it ends, or until the server dies."""

    __slots__ = ("_postgres", "life")

    def __init__(self, postgres: "Postgres", life: int) -> None:
        self._postgres, self.life = postgres, life

    def commit(self, work: Callable[["Postgres"], Any], answer: Callable[[Any], None], failure: Failure) -> None:
        """Do the rest of the work and commit; a server that died meanwhile knows nothing of it."""
        self._postgres.commit(self, work, answer, failure)

    def end(self) -> None:
        """Roll back."""
        self._postgres.release(self)


class Postgres:
    """The server; what it committed outlives every kill."""

    def __init__(
        self,
        clock: Clockwork,
        chance: Any,
        rules: Rules,
        oracle: Oracle,
        planned: Sequence[AttemptFacts],
        commit_ms: int,
    ) -> None:
        self.is_alive = True
        self.is_closed = False  # the sitting
        self.responses: dict[tuple[int, int], tuple[int, str]] = {}
        self.client_ms: dict[tuple[int, int], int] = {}
        self.events: dict[tuple[int, int, int], tuple[int, str]] = {}
        self.late: dict[int, Late] = {}
        self.acts: dict[str, tuple[int, ...]] = {}  # request → whom it changed
        self.undone: dict[str, str] = {}  # request → by which request
        self.batches: list[list[Entry] | tuple[int, AttemptFacts]] | None = None
        self._facts = dict(enumerate(planned))
        self._named: dict[int, tuple[int, dict[int, int]]] = {}  # at the hand-in of that moment
        self._clock, self._chance, self._rules, self._oracle = clock, chance, rules, oracle
        self._commit_ms = commit_ms
        self._life = 0
        self._holder: Transaction | None = None
        self._queue: deque[tuple[Any, Any, Failure, int]] = deque()

    def ask(
        self, work: Callable[["Postgres"], Any], answer: Callable[[Any], None], failure: Callable[[], None]
    ) -> None:
        """Do work in one transaction; a kill before the commit undoes it, one after the commit only hides it."""
        delay_ms = self._commit_ms + int(3 * self._chance.random())
        self._clock.after(delay_ms, self._commit, work, answer, failure, self._life)

    def _commit(self, work: Any, answer: Any, failure: Any, life: int) -> None:
        if not self.is_alive or life != self._life:
            self._clock.after(2, failure)
            return
        found = work(self)
        self._clock.after(1 + (self._chance.random() < 0.5), self._replied, found, answer, failure, life)

    def _replied(self, found: Any, answer: Any, failure: Any, life: int) -> None:
        if life != self._life:
            failure()
        else:
            answer(found)

    def begin(
        self, work: Callable[["Postgres"], Any], answer: Callable[[Any, Transaction], None], failure: Failure
    ) -> None:
        """Begin a transaction that locks the sitting's row, and look at it then; others wait in their order."""
        self._clock.after(1 + int(3 * self._chance.random()), self._take, work, answer, failure, self._life)

    def _take(self, work: Any, answer: Any, failure: Failure, life: int) -> None:
        if not self.is_alive or life != self._life:
            self._clock.after(2, failure)
        elif self._holder is not None:
            self._queue.append((work, answer, failure, life))
        else:
            self._holder = transaction = Transaction(self, life)
            found = work(self)
            self._clock.after(
                1,
                self._replied,
                found,
                lambda told: answer(told, transaction),
                failure,
                life,
            )

    def commit(self, transaction: Transaction, work: Any, answer: Callable[[Any], None], failure: Failure) -> None:
        """Commit a transaction that has not been lost."""

        def finished(postgres: "Postgres") -> Any:
            found = work(postgres)
            self.release(transaction)
            return found

        delay_ms = self._commit_ms + int(3 * self._chance.random())
        self._clock.after(delay_ms, self._commit, finished, answer, failure, transaction.life)

    def release(self, transaction: Transaction) -> None:
        """Let the lock go, and the next who waits take it."""
        if self._holder is transaction:
            self._holder = None
            if self._queue:
                self._take(*self._queue.popleft())

    def kill(self) -> None:
        """End without warning."""
        self.is_alive = False
        self._life += 1
        self._holder = None
        while self._queue:
            self._clock.after(2, self._queue.popleft()[2])

    def start(self) -> None:
        """Recover."""
        self.is_alive = True

    # Work

    def write(self, entries: Sequence[Entry]) -> None:
        """Write a batch as `projection` does: everything may come twice, late, or beside another writer."""
        self._oracle.struck("commit", 2)
        if self.batches is not None:
            self.batches.append(list(entries))
        for entry in entries:
            if isinstance(entry.body, Saves):
                for save in entry.body.saves:
                    self._write_save(entry.number, save)
            elif isinstance(entry.body, Apply):
                self._project(entry.body.attempt, entry.body.change.facts)
                if "sequences" in entry.body.detail:
                    self._named[entry.body.attempt] = entry.body.change.at_ms, entry.body.detail["sequences"]
            elif isinstance(entry.body, Late) and self._rules.keeps_evidence:
                self.late[entry.number] = entry.body

    def _write_save(self, number: int, save: Save) -> None:
        for slot, answer in save.answers:
            self.events.setdefault((save.attempt, slot, number), (answer.sequence, str(answer.value)))
            key = (save.attempt, slot)
            stored = self.responses.get(key)
            if self._rules.is_newer_stored(answer.sequence, None if stored is None else stored[0]):
                self.responses[key] = (answer.sequence, str(answer.value))
                self.client_ms[key] = answer.client_ms

    def project(self, attempt: int, facts: AttemptFacts) -> None:
        """Write the facts of an attempt in the transaction of an act; a higher revision stays."""
        if self.batches is not None:
            self.batches.append((attempt, facts))
        self._project(attempt, facts)

    def _project(self, attempt: int, facts: AttemptFacts) -> None:
        if self._rules.is_later(facts.revision, self._facts[attempt].revision):
            self._facts[attempt] = facts

    def facts(self, attempt: int) -> AttemptFacts:
        """Read an attempt's facts."""
        return self._facts[attempt]

    def ending(self, attempt: int) -> AttemptFacts:
        """Read how an attempt has ended; what an act wrote of a hand-in that has not come itself is no end."""
        facts = self._facts[attempt]
        is_told = facts.state is not model.AttemptState.SUBMITTED or self._is_told(attempt)
        if is_told or not self._rules.waits_for_the_hand_in:
            return facts
        return replace(facts, state=model.AttemptState.RUNNING, finished_ms=0)

    def _is_told(self, attempt: int) -> bool:
        at_ms, _ = self._named.get(attempt, (0, {}))
        return at_ms == self._facts[attempt].finished_ms

    def sequences(self, attempt: int) -> dict[int, int]:
        """Read the newest sequence of each slot."""
        return {slot: sequence for (owner, slot), (sequence, _) in self.responses.items() if owner == attempt}

    def prime(self, attempts: Sequence[int]) -> list[Prime]:
        """Load attempts with their answers for a Redis that has lost them."""
        answers: dict[int, dict[int, Answer]] = {attempt: {} for attempt in attempts}
        for (attempt, slot), (sequence, value) in self.responses.items():
            if attempt in answers:
                answers[attempt][slot] = Answer(sequence, self.client_ms[attempt, slot], value)
        now = self._clock.now
        return [Prime(attempt, self._taken_back(attempt, now), answers[attempt]) for attempt in attempts]

    def _taken_back(self, attempt: int, now: int) -> AttemptFacts:
        facts = self._facts[attempt]
        _, named = self._named.get(attempt, (0, {}))
        is_told = facts.state is not model.AttemptState.SUBMITTED or self._is_told(attempt)
        is_whole = is_told and model.is_whole(named, self.sequences(attempt))
        return self._rules.taken_back(facts, now, is_whole=is_whole)

    def close_sitting(self) -> None:
        """The sitting is over."""
        self.is_closed = True
