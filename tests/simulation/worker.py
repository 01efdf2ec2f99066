"""An API worker: asks the model, lets Valkey compare, remembers for idle seats; what it knows dies with it.

Follows `hot_path.Delivery`, `register.Register` and the batcher of `infra.redis_client` step by step.
"""

from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

from exam_engine.delivery import errors
from exam_engine.delivery.model import AttemptFacts, AttemptState, Change, ChangeKind, Gate
from exam_engine.delivery.recollection import Known, Recollection
from exam_engine.delivery.wire import (
    CandidateSummary,
    Envelope,
    HeldResponse,
    ReceiptReply,
    SaveBody,
    SavedSlot,
    SaveReply,
    StartBody,
    SubmitBody,
    SubmitReply,
    TimeReply,
)
from loadtests.candidate_bot.protocol import Ask, Refusal, Request
from tests.simulation.batching import Batching
from tests.simulation.clockwork import Clockwork
from tests.simulation.messages import Answer, Apply, Late, Prime, Save
from tests.simulation.plan import Plan
from tests.simulation.postgres import Postgres, Transaction
from tests.simulation.rules import Rules
from tests.simulation.valkey import Valkey

EXCHANGE_MS = 1_000
_CODES = {
    errors.SittingNotStarted: "sitting-not-started",
    errors.LateStart: "late-start",
    errors.NotStarted: "not-started",
    errors.AttemptClosed: "attempt-closed",
    errors.AttemptLocked: "attempt-locked",
    errors.TimeOver: "time-over",
    errors.LeaseTaken: "lease-taken",
    errors.ResponsesMissing: "responses-missing",
    errors.ResponsesNewer: "responses-newer",
    errors.ActImpossible: "act-impossible",
}
_WHO = CandidateSummary("000001", "Nguyễn Văn An", "THPT")
_ANY = UUID(int=1)
Respond = Callable[[Any], None]
AWAY = "away"


class Worker:
    """One process of the API."""

    def __init__(
        self,
        name: str,
        clock: Clockwork,
        chance: Any,
        plan: Plan,
        rules: Rules,
        valkey: Valkey,
        postgres: Postgres,
        seen_elsewhere: Callable[[int], int],
    ) -> None:
        self.name = name
        self.is_alive = True
        self.clock_off_ms = 0  # of this host
        self.seen: dict[int, int] = {}  # signs of life
        self.open_transactions: set[Transaction] = set()
        self._seen_elsewhere = seen_elsewhere
        self._clock, self._chance, self._plan, self._rules = clock, chance, plan, rules
        self._valkey, self._postgres = valkey, postgres
        self.life = 0
        self._forget()

    def _forget(self) -> None:
        self._recollection = Recollection()
        self._gates: dict[int, Gate] = {}
        self._changed_ms: dict[int, int] = {}
        self._stale_ms = 0
        self._batching = Batching(self._clock, self._chance, self._valkey)
        self.put = self._batching.put
        self._restoring: dict[int, list[tuple[Callable[[], None], Callable[[], None]]]] = {}
        self._open: dict[int, Respond] = {}
        self._number = 0

    def kill(self) -> None:
        """End without warning: whoever waits sees a broken connection."""
        self.is_alive = False
        self.life += 1
        for transaction in self.open_transactions:
            self._clock.after(2, transaction.end)  # its connection is gone
        self.open_transactions = set()
        self._batching.is_over = True
        broken = list(self._open.values())
        self._forget()
        self.seen = {}
        for respond in broken:
            respond(AWAY)

    def start(self) -> None:
        """Begin again, knowing nothing."""
        self.is_alive = True

    @property
    def now(self) -> int:
        """The time by this host's clock."""
        return self._clock.now + self.clock_off_ms

    @property
    def true_now(self) -> int:
        """What time it really is, which no rule may look at."""
        return self._clock.now

    # Requests of seats

    def receive(self, attempt: int, client: str, request: Request, clock_off_ms: int, respond: Respond) -> None:
        """Serve a request; `respond` gets a reply, a refusal, or AWAY, unless this process dies."""
        done = self.opened(respond)
        if request.ask in (Ask.SUBMIT, Ask.RECEIPT):
            self.seen[attempt] = self.now
        match request.ask:
            case Ask.SAVE:
                assert isinstance(request.body, SaveBody)
                self._save(attempt, client, request.body, clock_off_ms, done)
            case Ask.START:
                assert isinstance(request.body, StartBody)
                self._start(attempt, request.body, done)
            case Ask.SUBMIT:
                assert isinstance(request.body, SubmitBody)
                self._submit(attempt, request.body, done)
            case Ask.TIME:
                self._time(attempt, request.lease, done)
            case Ask.RECEIPT:
                self._receipt(attempt, done)

    def _save(self, attempt: int, client: str, body: SaveBody, clock_off_ms: int, done: Respond) -> None:
        now = self.now
        arrival = now if not self._rules.believes_the_seat else body.responses[0].client_time_ms
        answers = tuple((r.slot, Answer(r.sequence, r.client_time_ms, r.value)) for r in body.responses)  # type: ignore[arg-type]
        save = Save(attempt, body.lease, arrival, answers, self._clock.now, client)

        def saved(gate: Gate, sequences: Sequence[int]) -> None:
            self.seen[attempt] = now
            self._recollection.keep(attempt, Known(gate, now))  # type: ignore[arg-type]
            slots = [SavedSlot(slot, sequence) for (slot, _), sequence in zip(answers, sequences, strict=True)]
            done(SaveReply(slots, gate.deadline_ms, self.now, "running", [], is_paused=gate.is_paused))

        self.save(save, saved, done)

    def save(self, save: Save, saved: Callable[[Gate, Sequence[int]], None], done: Respond) -> None:
        """Save under a gate that lets it: one remembered, else the one that Valkey names."""

        def send(gate: Gate | None) -> None:
            def answered(reply: Gate | list[int] | None) -> None:
                if reply is None:
                    restored()
                elif isinstance(reply, Gate):
                    self._gates[save.attempt] = reply
                    judged(reply)
                else:
                    assert gate is not None
                    saved(gate, reply)

            self.put("save", save._replace(gate=gate), answered, lambda: done(AWAY))

        def judged(gate: Gate) -> None:
            refusal = self._refused(gate, save)
            if refusal is None:
                send(gate)
            elif refusal.code == "not-started":
                done(refusal)
            else:
                # A Redis that began empty meanwhile knows nothing to compare with: the save is judged anew.
                self.put(
                    "late",
                    Late(save, refusal.code),
                    lambda kept: restored() if kept is None else done(refusal),
                    lambda: done(AWAY),
                )

        def restored() -> None:
            self.restore(save.attempt, lambda: send(None), lambda: done(AWAY))

        remembered = self._gates.get(save.attempt)
        if remembered is not None and self._rules.refuses_from_memory:
            judged(remembered)
        elif remembered is not None and self._refused(remembered, save) is None:
            send(remembered)
        else:
            send(None)

    def _refused(self, gate: Gate, save: Save) -> Refusal | None:
        try:
            self._rules.require_writable(gate, save.lease, save.arrival_ms)
        except errors.AttemptRefusal as refusal:
            return _refusal_of(refusal)
        return None

    def _start(self, attempt: int, body: StartBody, done: Respond) -> None:
        client, second, claimed_ms = body.client_id, self._plan.second_seat, body.started_at_ms

        def decide(facts: AttemptFacts, seen_ms: int, now: int) -> Change | None:
            if claimed_ms and facts.state is AttemptState.READY:
                return self._rules.start_as_claimed(facts, client, claimed_ms, now)
            return self._rules.start(facts, client, now, seen_ms=seen_ms, second_seat=second)

        def changed(facts: AttemptFacts, change: Change | None) -> None:
            if facts.client == client:
                self.seen[attempt] = self.now

            def looked(held: tuple[AttemptFacts, dict[int, Answer]]) -> None:
                done(self._envelope(facts, client, held[1]))

            self.look(attempt, looked, lambda: done(AWAY))

        self.change(attempt, decide, "seat", {"claimed_ms": claimed_ms} if claimed_ms else {}, changed, done)

    def _envelope(self, facts: AttemptFacts, client: str, answers: dict[int, Answer]) -> Envelope:
        return Envelope(
            attempt_id=_ANY,
            form_hash="",
            paper_code="",
            ordering=(),
            lease=facts.lease if facts.client == client else 0,
            state=facts.state.value,
            started_at_ms=facts.started_ms,
            deadline_ms=facts.deadline_ms,
            server_time_ms=self.now,
            extra_seconds=facts.extra_ms // 1000,
            responses=[HeldResponse(slot, a.sequence, a.value) for slot, a in answers.items()],
            notices=[],
            candidate=_WHO,
            is_paused=facts.is_paused,
            is_locked=facts.is_locked,
        )

    def _submit(self, attempt: int, body: SubmitBody, done: Respond) -> None:
        def decide(facts: AttemptFacts, _seen_ms: int, now: int, stored: dict[int, int]) -> Change | None:
            return self._rules.submit(facts, body.lease, body.sequences, stored, now)

        def changed(facts: AttemptFacts, _: Change | None) -> None:
            done(SubmitReply(facts.state.value, facts.finished_ms, len(body.sequences)))

        self.change(attempt, decide, "seat", {"sequences": body.sequences}, changed, done, on_answers=True)

    def _receipt(self, attempt: int, done: Respond) -> None:
        def looked(held: tuple[AttemptFacts, dict[int, Answer]]) -> None:
            facts = held[0]
            if facts.state not in (AttemptState.SUBMITTED, AttemptState.CLOSED) or not facts.started_ms:
                done(Refusal("receipt-not-yet"))
                return
            sequences = {slot: answer.sequence for slot, answer in held[1].items()}

            def told(is_stored: bool) -> None:
                saved = [SavedSlot(slot, sequence) for slot, sequence in sequences.items()]
                state, answered = facts.state.value, len(sequences)
                done(ReceiptReply("", state, facts.reason, facts.finished_ms, answered, saved, is_stored))

            def compared(postgres: Postgres) -> bool:
                return self._rules.is_stored(facts, sequences, postgres.ending(attempt), postgres.sequences(attempt))

            if self._rules.waits_for_postgres:
                self._ask(compared, told, lambda: told(False))
            else:
                told(True)

        self.look(attempt, looked, lambda: done(AWAY))

    def _time(self, attempt: int, lease: int, done: Respond) -> None:
        now = self.now
        stale_ms = max(self._stale_ms, self._changed_ms.get(attempt, 0))
        known = self._recollection.recall(attempt, now, stale_ms)  # type: ignore[arg-type]
        # An attempt that seems not to have started may have been started at another worker.
        if known is not None and known.gate.state is not AttemptState.READY:
            done(self._time_reply(attempt, known, lease))
            return

        def looked(held: tuple[AttemptFacts, dict[int, Answer]]) -> None:
            done(self._time_reply(attempt, self._remember(attempt, held[0], now), lease))

        self.look(attempt, looked, lambda: done(AWAY))

    def _remember(self, attempt: int, facts: AttemptFacts, asked_ms: int) -> Known:
        return self._recollection.remember(attempt, facts, asked_ms)  # type: ignore[arg-type]

    def _time_reply(self, attempt: int, known: Known, lease: int) -> TimeReply:
        gate = known.gate
        if lease == gate.lease:
            self.seen[attempt] = self.now
        return TimeReply(
            self.now,
            gate.deadline_ms,
            gate.state,
            [],
            is_paused=gate.is_paused,
            is_locked=gate.is_locked,
            lease=gate.lease,
        )

    def learn(self, attempt: int) -> None:
        """The exchange brings news of an attempt: what was remembered is outdated."""
        self._changed_ms[attempt] = self.now

    def learn_of_loss(self) -> None:
        """The exchange finds Redis filled anew: everything remembered is outdated."""
        self._stale_ms = self.now

    def change(
        self,
        attempt: int,
        decide: Callable[..., Change | None],
        by: str,
        detail: dict[str, Any],
        changed: Callable[[AttemptFacts, Change | None], None],
        done: Respond,
        *,
        on_answers: bool = False,
    ) -> None:
        """Apply a transition to the newest facts, again when they changed meanwhile.

        Whom an earlier try of the same act has changed counts as changed, and is not changed twice. `on_answers`: the
        transition asks for the answers, too, and is applied only to these.
        """
        asked = self.now

        def again() -> None:
            self.look(attempt, looked, lambda: done(AWAY))

        def looked(held: tuple[AttemptFacts, dict[int, Answer], tuple[str, ...]]) -> None:
            facts = held[0]
            if detail.get("act") in held[2] and self._rules.knows_its_acts:
                self._remember(attempt, facts, asked)
                changed(facts, Change(facts, ChangeKind.RESUME, asked))
                return
            seen = max(self._seen_elsewhere(attempt), self.seen.get(attempt, 0))
            stored = {slot: answer.sequence for slot, answer in held[1].items()} if on_answers else None
            try:
                change = decide(facts, seen, asked) if stored is None else decide(facts, seen, asked, stored)
            except errors.AttemptRefusal as refusal:
                done(_refusal_of(refusal))
                return
            if change is None or change.facts.revision == facts.revision:
                self._remember(attempt, facts, asked)
                changed(facts, change)
                return
            told = {**detail, "seen_ms": seen}
            apply = Apply(attempt, facts.revision, change, by, told, asked, stored)
            self.put("apply", apply, lambda reply: applied(reply, change), lambda: done(AWAY))

        def applied(reply: int, change: Change) -> None:
            if reply == 1:
                self._remember(attempt, change.facts, asked)
                changed(change.facts, change)
            elif reply == -2:
                done(Refusal("sitting-sealed"))
            elif reply == 0:
                self.restore(attempt, again, lambda: done(AWAY))
            else:
                again()

        again()

    # Redis and PostgreSQL

    def look(self, attempt: int, looked: Callable[[Any], None], failure: Callable[[], None]) -> None:
        def answered(found: Any) -> None:
            if found is None:
                self.restore(attempt, lambda: self.put("look", attempt, answered, failure), failure)
            else:
                looked(found)

        self.put("look", attempt, answered, failure)

    def restore(self, attempt: int, restored: Callable[[], None], failure: Callable[[], None]) -> None:
        waiting = self._restoring.get(attempt)
        if waiting is not None:
            waiting.append((restored, failure))
            return
        self._restoring[attempt] = [(restored, failure)]

        def settle(which: int) -> None:
            for pair in self._restoring.pop(attempt, ()):
                pair[which]()

        def loaded(primes: list[Prime]) -> None:
            self.put("prime", primes[0], lambda _: settle(0), lambda: settle(1))

        def ask(postgres: Postgres) -> Any:
            return None if postgres.is_closed else postgres.prime([attempt])

        self._ask(ask, lambda found: settle(1) if found is None else loaded(found), lambda: settle(1))

    def _ask(self, work: Callable[[Postgres], Any], answer: Callable[[Any], None], failure: Callable[[], None]) -> None:
        life = self.life
        self._postgres.ask(
            work,
            lambda found: answer(found) if life == self.life else None,
            lambda: failure() if life == self.life else None,
        )

    def opened(self, respond: Respond) -> Respond:
        self._number += 1
        number = self._number
        self._open[number] = respond

        def done(reply: Any) -> None:
            if self._open.pop(number, None) is not None:
                respond(reply)

        return done


def _refusal_of(refusal: errors.AttemptRefusal) -> Refusal:
    return Refusal(_CODES[type(refusal)], vars(refusal))
