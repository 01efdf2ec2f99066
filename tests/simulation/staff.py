"""What a worker does for people: acts on attempts, late answers that count, files of seats that stayed off line.

Follows `service.acts`, `service.late_answers` and `hand_over` step by step.
"""

from collections.abc import Callable, Mapping
from typing import Any

from exam_engine.delivery.model import AttemptFacts, AttemptState, Change
from loadtests.candidate_bot.protocol import Refusal
from loadtests.candidate_bot.vault import Claim
from tests.simulation.messages import Answer, Count, Late, Save
from tests.simulation.oracle import Oracle
from tests.simulation.postgres import Postgres, Transaction
from tests.simulation.rules import Rules
from tests.simulation.worker import AWAY, Respond, Worker

Decision = Callable[[AttemptFacts, int, int], Change | None]  # facts, last sign of life, now


class Staff:
    """The staff's side of the workers."""

    def __init__(self, rules: Rules, postgres: Postgres, oracle: Oracle, attempts: int) -> None:
        self._rules, self._postgres, self._oracle = rules, postgres, oracle
        self._attempts = tuple(range(attempts))

    def act(self, worker: Worker, attempt: int, decide: Decision, detail: dict[str, Any], respond: Respond) -> None:
        """Do something to an attempt: lock the sitting, change, record, commit."""

        def locked(transaction: Transaction, done: Respond) -> None:
            def changed(facts: AttemptFacts, _: Change | None) -> None:
                transaction.commit(
                    lambda postgres: postgres.project(attempt, facts), lambda _: done(facts), lambda: done(AWAY)
                )

            worker.change(attempt, decide, "person", detail, changed, done)

        self._in_transaction(worker, locked, respond)

    def act_on_room(self, worker: Worker, request: str, decide: Decision, respond: Respond) -> None:
        """Do something to everybody whom it fits; the same request again does nothing."""

        def locked(transaction: Transaction, done: Respond) -> None:
            known = self._postgres.acts.get(request)
            if known is not None and self._rules.acts_once:
                done(known)
            else:
                self._change_all(worker, transaction, request, self._attempts, decide, done)

        self._in_transaction(worker, locked, respond)

    def undo(self, worker: Worker, undone: str, request: str, decide: Decision, respond: Respond) -> None:
        """Take an act on the room back for exactly those it changed, once."""

        def locked(transaction: Transaction, done: Respond) -> None:
            acts, by = self._postgres.acts, self._postgres.undone
            if request in acts:
                done(acts[request])
            elif undone in by and self._rules.undoes_once:
                done(Refusal("act-not-undoable"))
            else:
                self._change_all(worker, transaction, request, acts[undone], decide, done, undone)

        self._in_transaction(worker, locked, respond)

    def _change_all(
        self,
        worker: Worker,
        transaction: Transaction,
        request: str,
        attempts: tuple[int, ...],
        decide: Decision,
        done: Respond,
        undone: str = "",
    ) -> None:
        left, changes = list(attempts), {}
        detail = {"act": request, "undoes": undone} if undone else {"act": request}

        def write(postgres: Postgres) -> None:
            for attempt, facts in changes.items():
                postgres.project(attempt, facts)
            postgres.acts[request] = tuple(changes)
            self._oracle.acted(request, tuple(changes))
            if undone:
                postgres.undone[undone] = request
                self._oracle.undone(undone, request)

        def go_on(reply: Any = None) -> None:
            if reply is AWAY:
                done(AWAY)
            elif left:
                worker.change(left[0], decide, "person", detail, changed, passed)
            else:
                transaction.commit(write, lambda _: done(tuple(changes)), lambda: done(AWAY))

        def passed(reply: Any) -> None:
            left.pop(0)
            go_on(reply)

        def changed(facts: AttemptFacts, change: Change | None) -> None:
            if change is not None:
                changes[left[0]] = facts
            passed(None)

        go_on()

    def propose_late(self, worker: Worker, attempt: int, respond: Respond) -> None:
        """Ask which refused answers of an attempt may count; a second person lets them."""

        def locked(transaction: Transaction, done: Respond) -> None:
            def looked(held: tuple[AttemptFacts, dict[int, Answer]]) -> None:
                facts = held[0]
                found = [
                    late
                    for late in self._postgres.late.values()
                    if late.save.attempt == attempt and self._rules.may_count(facts, late.refusal, late.save.arrival_ms)
                ]
                for late in found:
                    self._oracle.proposed(late, facts)
                transaction.commit(lambda _: None, lambda _: done(found), lambda: done(AWAY))

            worker.look(attempt, looked, lambda: done(AWAY))

        self._in_transaction(worker, locked, respond)

    def accept_late(self, worker: Worker, late: list[Late], respond: Respond) -> None:
        """Let the proposed answers count, newest first as ever."""
        counts = [
            Count(one.save.attempt, one.save.lease, one.save.arrival_ms, slot, answer, one.refusal)
            for one in late
            for slot, answer in one.save.answers
        ]

        def locked(transaction: Transaction, done: Respond) -> None:
            left = len(counts)

            def counted(_: int) -> None:
                nonlocal left
                left -= 1
                if left <= 0:
                    transaction.commit(lambda _: None, lambda _: done(None), lambda: done(AWAY))

            if not counts:
                counted(0)
            for count in counts:
                worker.put("count", count, counted, lambda: done(AWAY))

        self._in_transaction(worker, locked, respond)

    def restore_file(
        self,
        worker: Worker,
        attempt: int,
        client: str,
        claim: Claim | None,
        answers: Mapping[int, Answer],
        respond: Respond,
    ) -> None:
        """Save the answers of a hand-over file under the lease that holds now, after starting what began alone."""
        done = worker.opened(respond)

        def decide(facts: AttemptFacts, _seen_ms: int, now: int) -> Change | None:
            if facts.state is not AttemptState.READY:
                return None  # the seat itself was quicker
            assert claim is not None
            return self._rules.start_as_claimed(facts, client, claim.started_ms, now)

        def looked(held: tuple[AttemptFacts, dict[int, Answer]]) -> None:
            if held[0].state is AttemptState.READY and claim is not None:
                detail = {"claimed_ms": claim.started_ms}
                worker.change(attempt, decide, "person", detail, lambda facts, _: put(facts), done)
            elif held[0].state is AttemptState.READY:
                done(Refusal("not-started"))
            else:
                put(held[0])

        def put(facts: AttemptFacts) -> None:
            if not answers:
                done(None)
                return
            save = Save(attempt, facts.lease, worker.now, tuple(answers.items()), worker.true_now, f"stick {client}")
            worker.save(save, lambda _gate, _sequences: done(None), done)

        worker.look(attempt, looked, lambda: done(AWAY))

    def _in_transaction(self, worker: Worker, work: Callable[[Transaction, Respond], None], respond: Respond) -> None:
        done, life = worker.opened(respond), worker.life

        def begun(is_closed: bool, transaction: Transaction) -> None:
            if worker.life != life:
                transaction.end()
                return
            worker.open_transactions.add(transaction)

            def ended(reply: Any) -> None:
                worker.open_transactions.discard(transaction)
                transaction.end()
                done(reply)

            if is_closed:
                ended(Refusal("sitting-state"))
            else:
                work(transaction, ended)

        def begin(is_closed: Callable[[Postgres], bool]) -> None:
            self._postgres.begin(is_closed, begun, lambda: done(AWAY))

        if self._rules.looks_under_the_lock:
            begin(lambda postgres: postgres.is_closed)
        else:
            self._postgres.ask(
                lambda postgres: postgres.is_closed, lambda found: begin(lambda _: found), lambda: done(AWAY)
            )
