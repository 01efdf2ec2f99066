"""Candidates at their seats, on the seat's real protocol; the invigilator, who repeats an act until it is answered."""

import random
from collections import deque
from collections.abc import Callable
from typing import Any

from exam_engine.delivery.model import AttemptFacts, Change, CloseReason, device_of
from loadtests.candidate_bot.protocol import Ask, Phase, Refusal, Request
from loadtests.candidate_bot.vault import Claim, Vault
from tests.simulation.clockwork import Clockwork
from tests.simulation.messages import Answer
from tests.simulation.oracle import Oracle
from tests.simulation.plan import ROOM, START_MS, Act, ActKind, Plan, Seating
from tests.simulation.rules import Rules
from tests.simulation.staff import Decision, Staff
from tests.simulation.worker import AWAY, Worker

PATIENCE_MS = 10_000
RUSH_MS = 3_000
LOOK_UP_MS = 800
BREAK_MS = 5
STRAGGLES_MS = 20 * 60_000
_TELLING = (Ask.SUBMIT, Ask.RECEIPT)  # what the seat holds as it asks decides what is promised
Held = dict[int, tuple[int, str]]
_EVIDENT = frozenset(("attempt-closed", "lease-taken", "time-over", "attempt-locked"))


class Network:
    """Between the room and the API: loses, delays, doubles, reorders; cables come out."""

    def __init__(self, clock: Clockwork, chance: random.Random, plan: Plan, workers: list[Worker]) -> None:
        self._clock, self._chance, self._plan, self._workers = clock, chance, plan, workers
        self._cut: dict[int | str, int] = {}  # attempt or device → until when

    def cut(self, attempt: int, until_ms: int) -> None:
        """Pull a cable."""
        self._cut[attempt] = max(until_ms, self._cut.get(attempt, 0))

    def cut_off(self, client: str, until_ms: int) -> None:
        """Let one computer have no network, whoever else gets its candidate's paper."""
        self._cut[device_of(client)] = until_ms

    def send(self, seat: "Browser", deliver: Callable[..., None], *arguments: Any) -> bool:
        """Carry one message of this seat, in either direction; False when it is lost."""
        now = self._clock.now
        cut = self._cut
        if cut and (cut.get(seat.attempt, 0) > now or cut.get(seat.device, 0) > now):
            return False
        plan, chance = self._plan, self._chance
        if plan.loss and chance.random() < plan.loss:
            return False
        self._clock.after(self._delay(), deliver, *arguments)
        if plan.doubling and chance.random() < plan.doubling:
            self._clock.after(self._delay(), deliver, *arguments)
        if plan.straggler and chance.random() < plan.straggler:
            self._clock.after(chance.randrange(STRAGGLES_MS), deliver, *arguments)
        return True

    def worker(self) -> Worker | None:
        """Any process that listens."""
        alive = [worker for worker in self._workers if worker.is_alive]
        return alive[self._chance.randrange(len(alive))] if alive else None

    def _delay(self) -> int:
        share = self._chance.random()
        return 1 + int(self._plan.latency_ms * share * share * share * 4)


class Browser:
    """One browser tab with a candidate before it."""

    def __init__(
        self, attempt: int, client: str, clock: Clockwork, seed: int, plan: Plan, rules: Rules, seating: Seating,
        network: Network, oracle: Oracle, vault: Vault | None = None, answers: int | None = None,
    ) -> None:  # fmt: skip
        self.attempt = attempt
        self.client = client
        self.device = device_of(client)
        self.is_alive = True
        self.left = seating.answers if answers is None else answers
        self._clock, self._plan, self._seating, self._network, self._oracle = clock, plan, seating, network, oracle
        self._chance = random.Random(seed)
        self._armed_ms = self._on_time_ms = -1
        self._patient_until: deque[tuple[int, Request]] = deque()
        self._is_patient = False
        self.protocol = rules.seat(client, self._chance, vault, clock.now)
        if vault is not None and vault.claim is not None:
            deadline_ms = min(vault.claim.started_ms + plan.duration_ms, START_MS + plan.ends_ms)
            self.protocol.begin_alone(vault.claim, deadline_ms, clock.now + seating.guess_off_ms, clock.now)
            self._mind_the_time()
        self._arm()
        self._think()

    def crash(self) -> Vault:
        """The page is gone; what its vault holds stays."""
        self.is_alive = False
        return self.protocol.vault

    def _think(self) -> None:
        mean = self._seating.thinks_ms
        if self._seating.rushes and 0 < self.protocol.left_ms(self._clock.now) < RUSH_MS:
            mean = 100
            self.left = max(self.left, 1)
        pause_ms = 1 + int(mean * 2 * self._chance.random())
        # Where nothing can be answered now, looking every moment would change nothing.
        is_waiting = not self.protocol.may_answer or (self.left <= 0 and not self._seating.hands_in)
        self._clock.after(max(pause_ms, LOOK_UP_MS) if is_waiting else pause_ms, self._act)

    def _act(self) -> None:
        seat, now = self.protocol, self._clock.now
        if not self.is_alive or seat.is_done:
            return
        seat.tick(now)
        if seat.may_answer and self.left > 0:
            self.left -= 1
            slot = 1 + self._chance.randrange(self._plan.slots)
            value = self._oracle.answered(self.client, 0 if seat.vault.claim else seat.lease)
            seat.answer(slot, value, now, now + self._seating.clock_off_ms)
            if self._clock.trace is not None:
                self._clock.note(self.client, f"answers slot {slot} sequence {seat.next_sequence - 1}: {value}")
        elif seat.may_answer and self.left <= 0 and self._seating.hands_in:
            self._clock.note(self.client, "hands in")
            seat.hand_in(now)
        if self.left > 0 or self._seating.rushes or (self._seating.hands_in and not seat.vault.handing_in):
            self._think()
        self._arm()

    def _arm(self) -> None:
        seat = self.protocol
        if not self.is_alive or seat.is_busy or seat.is_done:
            return
        wake = max(seat.wake_ms, self._clock.now)
        if self._armed_ms != wake:
            self._armed_ms = wake
            self._clock.at(wake, self._turn, wake)

    def _turn(self, wake_ms: int) -> None:
        if not self.is_alive or wake_ms != self._armed_ms:
            return
        self._armed_ms = -1
        self.protocol.tick(self._clock.now)
        request = self.protocol.next_request(self._clock.now)
        if request is None:
            self._arm()
            return
        if self._clock.trace is not None:
            self._clock.note(self.client, f"asks {request.ask} {request.body or ''}")
        held: Held = {}
        if request.ask in _TELLING:
            held = {slot: (r.sequence, str(r.value)) for slot, r in self.protocol.held.items()}
        self._patient_until.append((self._clock.now + PATIENCE_MS, request))
        if not self._is_patient:
            self._is_patient = True
            self._clock.after(PATIENCE_MS, self._lose_patience)
        self._network.send(self, self._arrive, request, held)

    def _arrive(self, request: Request, held: dict[int, tuple[int, str]]) -> None:
        worker = self._network.worker()
        if worker is None:
            self._clock.after(BREAK_MS, self._failed, request)
            return

        def respond(reply: Any) -> None:
            self._network.send(self, self._answered, request, held, reply)

        worker.receive(self.attempt, self.client, request, self._seating.clock_off_ms, respond)

    def _answered(self, request: Request, held: dict[int, tuple[int, str]], reply: Any) -> None:
        if not self.is_alive:
            return
        seat, now = self.protocol, self._clock.now
        if self._clock.trace is not None:
            self._clock.note(self.client, f"hears {reply}")
        if reply is AWAY:
            seat.failed(request, now)
        elif isinstance(reply, Refusal):
            if reply.code in ("sitting-not-started", "late-start"):
                self.is_alive = reply.code == "sitting-not-started"
            if request.ask is Ask.SAVE and reply.code in _EVIDENT:
                self._oracle.heard_refusal(self.attempt, _slots(request))
            seat.refused(request, reply, now)
        elif seat.replied(request, reply, now):
            if (
                request.ask not in (Ask.SUBMIT, Ask.RECEIPT)
                and seat.state == "running"
                and seat.is_mine
                and not seat.must_compare
                and not seat.pending()
            ):
                self._oracle.at_rest(self.attempt, self.client, reply.server_time_ms)
            if request.ask is Ask.SAVE:
                self._oracle.acknowledged(self.attempt, seat, _slots(request))
            elif request.ask is Ask.SUBMIT:
                self._oracle.submitted(self.attempt, self.client, held)
            elif request.ask is Ask.RECEIPT and seat.is_stored and not seat.vault.responses:
                self._oracle.stored(self.attempt, held)
        self._mind_the_time()
        self._arm()

    def _mind_the_time(self) -> None:
        seat, now = self.protocol, self._clock.now
        if seat.phase is Phase.PAPER and seat.deadline_ms:
            over_ms = now + int(seat.left_ms(now)) + 1
            if self._on_time_ms <= now or over_ms < self._on_time_ms:
                self._on_time_ms = over_ms
                self._clock.at(over_ms, self._act_on_time, over_ms)

    def _act_on_time(self, over_ms: int) -> None:
        if self.is_alive and over_ms == self._on_time_ms:
            self.protocol.tick(self._clock.now)
            self._mind_the_time()
            self._arm()

    def _lose_patience(self) -> None:
        """One alarm a seat: requests run out of time in the order in which they were sent."""
        patient, now = self._patient_until, self._clock.now
        while patient and patient[0][0] <= now:
            self._failed(patient.popleft()[1])
        self._is_patient = bool(patient)
        if patient:
            self._clock.at(patient[0][0], self._lose_patience)

    def _failed(self, request: Request) -> None:
        if self.is_alive:
            self.protocol.failed(request, self._clock.now)
            self._arm()


class Invigilator:
    """Acts on attempts over HTTP: the same request id until there is an answer, then the act that undoes it."""

    def __init__(
        self, clock: Clockwork, chance: random.Random, rules: Rules, network: Network, oracle: Oracle, staff: Staff
    ) -> None:
        self._clock, self._chance, self._rules, self._network, self._oracle = clock, chance, rules, network, oracle
        self._staff = staff
        self.open_acts = 0

    def act(self, act: Act, number: int) -> None:
        """Do one act of the plan."""
        request = f"act-{number}"
        if act.attempt == ROOM:
            self._act_on_room(act, request)
            return
        match act.kind:
            case ActKind.EXTEND:
                detail = {"seconds": act.seconds, "request": request}
                self._repeat(
                    act.attempt,
                    self._extend(request, act.seconds),
                    detail,
                    lambda: self._given(act, request),
                )
            case ActKind.PAUSE:
                self._repeat(
                    act.attempt, self._simple(self._rules.pause), {}, lambda: self._later(act, self._rules.resume)
                )
            case ActKind.LOCK:
                self._repeat(
                    act.attempt, self._simple(self._rules.lock), {}, lambda: self._later(act, self._rules.unlock)
                )
            case ActKind.CLOSE:
                close = self._simple(lambda facts, now: self._rules.close(facts, CloseReason.INVIGILATOR, now))
                self._repeat(act.attempt, close, {}, lambda: self._later(act, self._rules.reopen))
            case ActKind.COUNT_LATE:
                self._count_late(act.attempt)

    def _act_on_room(self, act: Act, request: str) -> None:
        rules = self._rules
        do, undo = {
            ActKind.PAUSE: (rules.pause, rules.resume),
            ActKind.LOCK: (rules.lock, rules.unlock),
            ActKind.CLOSE: (lambda facts, now: rules.close(facts, CloseReason.INVIGILATOR, now), rules.reopen),
        }[act.kind]

        def take_back(person: str) -> None:
            self._until_answered(
                f"{person} of {request}",
                lambda worker, hear: self._staff.undo(worker, request, f"{request}-{person}", self._simple(undo), hear),
                lambda _: None,
            )

        def acted(reply: Any) -> None:
            if isinstance(reply, Refusal):
                return
            self._clock.after(act.for_ms, take_back, "undo")
            if act.again_ms:
                self._clock.after(act.for_ms + act.again_ms, take_back, "second undo")

        self._until_answered(
            f"room {act.kind}",
            lambda worker, hear: self._staff.act_on_room(worker, request, self._simple(do), hear),
            acted,
        )

    def refuse(self, attempt: int) -> None:
        """Send the seat that waits away."""
        self._repeat(attempt, self._simple(self._rules.refuse_claim), {}, lambda: None)

    def restore_file(self, attempt: int, client: str, claim: Claim | None, answers: dict[int, Answer]) -> None:
        """Bring the answers of a seat that never came back on line, on a stick."""

        def taken(reply: Any) -> None:
            if reply is None:
                self._oracle.stick(attempt, {slot: (a.sequence, str(a.value)) for slot, a in answers.items()})

        self._until_answered(
            f"stick of {client}",
            lambda worker, hear: self._staff.restore_file(worker, attempt, client, claim, answers, hear),
            taken,
        )

    def _count_late(self, attempt: int) -> None:
        def proposed(late: Any) -> None:
            if not isinstance(late, Refusal) and late:
                self._clock.after(1_000 + self._chance.randrange(8_000), second, late)

        def second(late: Any) -> None:
            self._until_answered(
                f"late answers of {attempt}, agreed",
                lambda worker, hear: self._staff.accept_late(worker, late, hear),
                lambda _: None,
            )

        self._until_answered(
            f"late answers of {attempt}, proposed",
            lambda worker, hear: self._staff.propose_late(worker, attempt, hear),
            proposed,
        )

    def admit(self, attempt: int, request: str, *, is_credited: bool) -> None:
        """Let the seat that waits write, if one waits."""

        def decide(facts: AttemptFacts, seen_ms: int, now: int) -> Change | None:
            return self._rules.admit(facts, request, seen_ms, now, is_credited=is_credited)

        self._repeat(attempt, decide, {"credit": is_credited, "request": request}, lambda: None)

    def _given(self, act: Act, request: str) -> None:
        self._oracle.promised(act.attempt, request)
        if not act.for_ms:
            return
        undo = f"{request}-undo"

        def decide(facts: AttemptFacts, _: int, now: int) -> Change | None:
            return self._rules.take_back(facts, request, act.seconds, undo, now)

        detail = {"taken": act.seconds, "request": undo}
        self._clock.after(act.for_ms, self._repeat, act.attempt, decide, detail, lambda: None)

    def _extend(self, request: str, seconds: int) -> Decision:
        return lambda facts, _, now: self._rules.extend(facts, request, seconds, now)

    def _simple(self, rule: Callable[..., Change | None]) -> Decision:
        return lambda facts, _, now: rule(facts, now)

    def _later(self, act: Act, undo: Callable[..., Change | None]) -> None:
        if act.for_ms:
            self._clock.after(act.for_ms, self._repeat, act.attempt, self._simple(undo), {}, lambda: None)

    def _repeat(
        self, attempt: int, decide: Decision, detail: dict[str, Any],
        done: Callable[[], None],
    ) -> None:  # fmt: skip
        def heard(reply: Any) -> None:
            if not isinstance(reply, Refusal):
                self._oracle.told_running(attempt, reply)
                done()

        self._until_answered(
            f"attempt {attempt} {detail}",
            lambda worker, hear: self._staff.act(worker, attempt, decide, detail, hear),
            heard,
        )

    def _until_answered(
        self, what: str, send: Callable[[Worker, Callable[[Any], None]], None], heard: Callable[[Any], None]
    ) -> None:
        self.open_acts += 1
        is_answered = False

        def ask() -> None:
            if is_answered:
                return
            worker = self._network.worker()
            if worker is not None:
                send(worker, hear)
            self._clock.after(1_500 + self._chance.randrange(500), ask)

        def hear(reply: Any) -> None:
            nonlocal is_answered
            if is_answered or reply is AWAY or self._chance.random() < 0.1:  # the answer may be lost as well
                return
            is_answered = True
            self.open_acts -= 1
            if self._clock.trace is not None:
                self._clock.note("invigilator", f"{what}: {reply}")
            heard(reply)

        ask()


def _slots(request: Request) -> dict[int, tuple[int, str]]:
    return {r.slot: (r.sequence, str(r.value)) for r in request.body.responses}  # type: ignore[union-attr]


def begins_at(seating: Seating) -> int:
    """When a candidate asks for the paper."""
    return START_MS + seating.begins_ms
