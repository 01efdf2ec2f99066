"""PostgreSQL as delivery uses it: transactions done or not, the merge rules of the projection, and its absences."""

from collections.abc import Callable, Sequence
from typing import Any

from exam_engine.delivery import model
from exam_engine.delivery.model import AttemptFacts
from tests.simulation.clockwork import Clockwork
from tests.simulation.oracle import Oracle
from tests.simulation.rules import Rules
from tests.simulation.valkey import Answer, Apply, Entry, Late, Prime, Save


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
        self.late: set[int] = set()
        self.batches: list[list[Entry] | tuple[int, AttemptFacts]] | None = None
        self._facts = dict(enumerate(planned))
        self._named: dict[int, tuple[int, dict[int, int]]] = {}  # at the hand-in of that revision
        self._clock, self._chance, self._rules, self._oracle = clock, chance, rules, oracle
        self._commit_ms = commit_ms
        self._life = 0

    def ask(
        self, work: Callable[["Postgres"], Any], answer: Callable[[Any], None], failure: Callable[[], None]
    ) -> None:
        """Do work in one transaction; a kill before the commit undoes it, one after the commit only hides it."""
        self._clock.after(self._commit_ms + self._chance.randrange(3), self._commit, work, answer, failure, self._life)

    def _commit(self, work: Any, answer: Any, failure: Any, life: int) -> None:
        if not self.is_alive or life != self._life:
            self._clock.after(2, failure)
            return
        found = work(self)
        self._clock.after(1 + self._chance.randrange(2), self._replied, found, answer, failure, life)

    def _replied(self, found: Any, answer: Any, failure: Any, life: int) -> None:
        if life != self._life:
            failure()
        else:
            answer(found)

    def kill(self) -> None:
        """End without warning."""
        self.is_alive = False
        self._life += 1

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
            if isinstance(entry.body, Save):
                self._write_save(entry.number, entry.body)
            elif isinstance(entry.body, Apply):
                self._project(entry.body.attempt, entry.body.change.facts)
                if "sequences" in entry.body.detail:
                    self._named[entry.body.attempt] = entry.body.change.facts.revision, entry.body.detail["sequences"]
            elif isinstance(entry.body, Late):
                self.late.add(entry.number)

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
        revision, named = self._named.get(attempt, (0, {}))
        is_whole = revision != facts.revision or model.is_whole(named, self.sequences(attempt))
        return self._rules.taken_back(facts, now, is_whole=is_whole)

    def close_sitting(self) -> None:
        """The sitting is over."""
        self.is_closed = True
