"""What must hold whatever breaks: keeps its own books from what really happened and compares.

1. An acknowledged answer is never lost: it stands in PostgreSQL at the end, or one given later, or under a later lease.
2. One writer at a time: what is accepted was sent by the browser that holds the lease, and no lease is given twice.
3. The newest sequence wins, and one sequence of a slot has one value.
4. No answer after the deadline counts, none that came while the seat was locked.
5. Time credit is exact, to the millisecond, and what an invigilator was told was credited stays credited.
6. Nothing is counted twice.
7. Submitted is what the seat held, and the receipt tells what is stored.
8. Everybody comes to an end, and everything to PostgreSQL.
9. What a seat was told is stored twice, and so wiped, stands in PostgreSQL.
10. The sitting closes over nobody's head: who was told to have time left keeps it; who may still start may start.
11. What is refused after the start is kept as evidence, and counts only where extra time or a mistake covers it.
12. Who was refused as a second seat is refused, until somebody else is.
13. An act on a room is done once and undone once, however often it is asked.
14. Time is taken back once, in whole seconds, never more than was given, and a minute is left to who writes.
"""

from collections.abc import Callable
from typing import Any

from exam_engine.delivery.model import AttemptFacts, AttemptState, ChangeKind, device_of, is_stored, stop_spans
from loadtests.candidate_bot.protocol import SeatProtocol
from tests.simulation.clockwork import Clockwork, Violation
from tests.simulation.reckoning import began, lasting, stood

CALM_MS = 45_000
_STOPPING = (ChangeKind.CONTINUE, ChangeKind.CLOSE, ChangeKind.SUBMIT)


class Oracle:
    """The books of one schedule."""

    def __init__(self, clock: Clockwork) -> None:
        self.wake_writers: Callable[[], None] = lambda: None
        self.struck: Callable[[str, int], None] = lambda _what, _within: None
        self.news: Callable[[int | None], None] = lambda _: None
        self.accepted_answers = 0
        self.acknowledged_answers = 0
        self.was_emptied = False
        self.skew_ms = 0  # by how much clocks of hosts differ at most
        self.counted_late = 0
        self.evidence = 0
        self.from_sticks = 0
        self.taken_back = 0
        self._emptied_ms = 0
        self._refused: list[tuple[int, int, int, int]] = []  # (when a seat was told, attempt, slot, sequence)
        self._proposed: set[tuple[int, int, int]] = set()
        self._closed_running: set[tuple[int, int]] = set()  # (attempt, revision) the sitting's end closed
        self._told_running: set[tuple[int, int]] = set()  # (attempt, revision) people were told
        self.out_of_reach = 0
        self.hand_ins_brought_back = 0
        self.hand_ins_too_late = 0
        self._too_late: set[int] = set()
        self.calm_ms: Callable[[int, int, int], int] = lambda _attempt, _since, _until: 0
        self._hand_ins_lost: dict[int, int] = {}  # attempt → when Valkey lost it
        self._clock = clock
        self._created: dict[str, tuple[int, int]] = {}  # value → under which lease and when it was given
        self._acknowledged: dict[tuple[int, int], set[tuple[int, str]]] = {}
        self._values: dict[tuple[int, int, int], str] = {}  # accepted (attempt, slot, sequence) → value
        self._holders: dict[tuple[int, int], str] = {}  # (attempt, lease) → client
        self._credited: dict[int, set[str]] = {}
        self._promised: dict[int, set[str]] = {}
        self._acted: dict[str, tuple[int, ...]] = {}
        self._undone: dict[str, str] = {}
        self._paused_at: dict[int, int] = {}
        self._stops: dict[int, list[tuple[int, int]]] = {}  # from when to when the clock of an attempt stood
        self._closed_at: dict[int, int] = {}
        self._owed: dict[tuple[int, str], int] = {}  # acknowledged, in no server's store since then: the seat has it
        self._at_rest: dict[tuple[int, str], int] = {}  # (attempt, device) → when last
        self._submitted: dict[int, tuple[str, dict[int, tuple[int, str]]]] = {}
        self._stored: list[tuple[int, dict[int, tuple[int, str]]]] = []
        self._receipts: dict[int, dict[int, int]] = {}  # the answers that the hand-in was decided with

    # What really happened at the seats

    def answered(self, client: str, lease: int) -> str:
        """A candidate gives an answer under the lease the seat believes in; every value is given once."""
        value = f"{client}#{len(self._created) + 1}"
        self._created[value] = (lease, self._clock.now)
        return value

    def acknowledged(self, attempt: int, seat: SeatProtocol, slots: dict[int, tuple[int, str]]) -> None:
        """A seat sent these and now shows them as saved."""
        for slot, (sequence, value) in slots.items():
            if seat.confirmed.get(slot, 0) >= sequence:
                self.acknowledged_answers += 1
                self._acknowledged.setdefault((attempt, slot), set()).add((sequence, value))

    def submitted(self, attempt: int, client: str, held: dict[int, tuple[int, str]]) -> None:
        """A seat was told that its paper is in; it held this when it asked."""
        self._submitted[attempt] = client, held

    def stored(self, attempt: int, held: dict[int, tuple[int, str]]) -> None:
        """A seat was told that PostgreSQL has its paper, and wiped it; it held this when it asked."""
        self._stored.append((attempt, held))

    def heard_refusal(self, attempt: int, slots: dict[int, tuple[int, str]]) -> None:
        """A seat was told that these are refused, after the start."""
        for slot, (sequence, _) in slots.items():
            self._refused.append((self._clock.now, attempt, slot, sequence))

    def told_running(self, attempt: int, facts: AttemptFacts) -> None:
        """An invigilator was told that a paper runs."""
        if facts.state is AttemptState.RUNNING:
            self._told_running.add((attempt, facts.revision))

    def stick(self, attempt: int, answers: dict[int, tuple[int, str]]) -> None:
        """An invigilator was told that the answers of a hand-over file are saved."""
        self.from_sticks += len(answers)
        for slot, said in answers.items():
            self._acknowledged.setdefault((attempt, slot), set()).add(said)

    def proposed(self, late: Any, facts: AttemptFacts) -> None:
        """Somebody proposes that a refused answer counts."""
        is_covered = facts.state is AttemptState.RUNNING or facts.reason == "time"
        is_mistake = late.refusal in ("lease-taken", "attempt-locked") or facts.paused_ms
        if not (is_covered and (is_mistake or late.save.arrival_ms <= facts.deadline_ms + facts.grace_ms)):
            raise Violation(
                "evidence counts only where time covers it", f"attempt {late.save.attempt}: {late}, {facts}"
            )
        for slot, answer in late.save.answers:
            self._proposed.add((late.save.attempt, slot, answer.sequence))

    def counted(self, count: Any, facts: AttemptFacts) -> None:
        """Valkey lets a refused answer count."""
        self.counted_late += 1
        self._values.setdefault((count.attempt, count.slot, count.answer.sequence), count.answer.value)
        if (count.attempt, count.slot, count.answer.sequence) not in self._proposed:
            raise Violation("evidence counts only where time covers it", f"{count} was never proposed")
        if facts.state is AttemptState.SUBMITTED:
            raise Violation("submitted is what the seat held", f"{count} counts after the hand-in")

    def acted(self, request: str, changed: tuple[int, ...]) -> None:
        """An act on a room is committed."""
        if self._acted.setdefault(request, changed) != changed:
            raise Violation("an act is done once", f"{request}: {self._acted[request]}, then {changed}")

    def undone(self, act: str, request: str) -> None:
        """An act on a room is taken back for good."""
        self._undone.setdefault(act, request)

    def promised(self, attempt: int, request: str) -> None:
        """An invigilator was told that this act was done."""
        self._promised.setdefault(attempt, set()).add(request)

    # What Valkey did

    def accepted(self, save: Any, facts: AttemptFacts) -> None:
        """Valkey keeps answers."""
        if not save.sender.startswith("stick") and save.sender != facts.client:
            raise Violation(
                "one writer at a time", f"{save.sender} writes attempt {save.attempt}, the lease is {facts.client}'s"
            )
        if facts.is_locked:
            raise Violation("a locked seat writes nothing", f"{save.sender} with lease {save.lease}")
        if not facts.paused_ms and save.truth_ms > facts.deadline_ms + facts.grace_ms + self.skew_ms:
            raise Violation(
                "no answer after the deadline counts",
                f"attempt {save.attempt}: arrived {save.truth_ms - facts.deadline_ms} ms after its deadline,"
                f" grace {facts.grace_ms} ms",
            )
        for slot, answer in save.answers:
            self.accepted_answers += 1
            known = self._values.setdefault((save.attempt, slot, answer.sequence), answer.value)
            if known != answer.value:
                raise Violation(
                    "one sequence has one value",
                    f"attempt {save.attempt} slot {slot} sequence {answer.sequence}: {known} and {answer.value}",
                )

    def touched_by(self, apply: Any) -> list[tuple[dict[Any, Any], Any]]:
        """What a change may make another, as containers and keys; their values are replaced, never altered."""
        memories: Any = (self._credited, self._stops, self._paused_at, self._closed_at, self._receipts)
        return [
            *((memory, apply.attempt) for memory in memories),
            (self._holders, (apply.attempt, apply.change.facts.lease)),
        ]

    def changes(self, apply: Any, before: AttemptFacts) -> None:
        """Valkey takes a change of the facts."""
        after, kind, attempt = apply.change.facts, apply.change.kind, apply.attempt
        undoes = apply.detail.get("undoes")
        if undoes and self._undone.get(undoes, apply.detail["act"]) != apply.detail["act"]:
            raise Violation("an act is undone once", f"attempt {attempt}: {kind} undoes {undoes} again")
        if after.lease != before.lease or after.client != before.client:
            holder = self._holders.setdefault((attempt, after.lease), after.client)
            if holder != after.client or after.lease <= before.lease:
                raise Violation("one writer at a time", f"lease {after.lease} is {holder}'s, given to {after.client}")
        credit = self._expected_credit(apply, before)
        if after.extra_ms - before.extra_ms != credit:
            raise Violation(
                "time credit is exact",
                f"attempt {attempt}, {kind}: {after.extra_ms - before.extra_ms} ms instead of {credit}",
            )
        if kind is ChangeKind.START:
            began_ms = began(apply, before)
            full = min(began_ms + after.duration_ms, after.ends_ms + self._stood_before(attempt, began_ms))
            if (after.started_ms, after.deadline_ms) != (began_ms, full + after.extra_ms):
                raise Violation("time credit is exact", f"attempt {attempt} starts with another deadline")
        elif before.started_ms and after.deadline_ms - before.deadline_ms != credit:
            raise Violation("time credit is exact", f"attempt {attempt}, {kind}: the deadline moved otherwise")
        if kind is ChangeKind.CLAIM and after.claimant == before.refused:
            raise Violation("who was refused does not wait again", f"attempt {attempt}: {after.claimant}")
        if kind is ChangeKind.SUBMIT:
            self._receipts[attempt] = apply.sequences
        if kind is ChangeKind.CLOSE and apply.by == "timer":
            self._judge_closing(apply, before)
        self._follow(apply, after)

    def _judge_closing(self, apply: Any, before: AttemptFacts) -> None:
        now, reason = apply.truth_ms, apply.change.facts.reason
        stopped_ms = max(before.paused_ms, before.ends_ms) + 4 * 3600 * 1000
        if before.state is AttemptState.RUNNING and reason == "sitting":
            self._closed_running.add((apply.attempt, before.revision))
        elif before.state is AttemptState.RUNNING and now <= (stopped_ms if before.paused_ms else before.limit_ms):
            raise Violation("time closes nobody early", f"attempt {apply.attempt}")
        elif before.state is AttemptState.READY:
            may_start_ms = stopped_ms if before.paused_ms else before.ends_ms + stood(before, now)
            if now <= may_start_ms:
                raise Violation("time closes nobody early", f"attempt {apply.attempt} might still start")

    def primed(self, prime: Any) -> None:
        """Valkey takes an attempt over from PostgreSQL."""
        self._credited[prime.attempt] = set(prime.facts.extensions.split())
        self._stops[prime.attempt] = stop_spans(prime.facts)
        if prime.facts.paused_ms:
            self._paused_at[prime.attempt] = prime.facts.paused_ms
        else:
            self._paused_at.pop(prime.attempt, None)
        if prime.facts.lease:
            holder = self._holders.setdefault((prime.attempt, prime.facts.lease), prime.facts.client)
            if holder != prime.facts.client:
                raise Violation(
                    "one writer at a time",
                    f"attempt {prime.attempt}: lease {prime.facts.lease} was {holder}'s, now {prime.facts.client}'s",
                )

    def emptied(self, valkey: Any, postgres: Any) -> None:
        """Valkey lost its disk. A paper handed in of which PostgreSQL has not all is now in its seat's vault alone."""
        self.was_emptied, self._emptied_ms = True, self._clock.now
        for attempt, facts in valkey.facts.items():
            sequences = {slot: answer.sequence for slot, answer in valkey.answers.get(attempt, {}).items()}
            stored = postgres.ending(attempt), postgres.sequences(attempt)
            if facts.state is AttemptState.SUBMITTED and not is_stored(facts, sequences, *stored):
                self._hand_ins_lost[attempt] = self._clock.now
        for (attempt, slot, sequence), value in self._values.items():
            stored = postgres.responses.get((attempt, slot))
            if stored is None or stored[0] < sequence:
                self._owed[attempt, value] = self._clock.now

    def at_rest(self, attempt: int, client: str, said_ms: int) -> None:
        """A seat that may write believes the server has everything, by what it said at that moment."""
        self._at_rest[attempt, device_of(client)] = said_ms - self.skew_ms

    # The end

    def judge(self, postgres: Any, facts: dict[int, AttemptFacts], attempts: int) -> None:
        """Compare what PostgreSQL holds at the end with everything that was said."""
        for attempt in range(attempts):
            row = postgres.facts(attempt)
            if row.state not in (AttemptState.SUBMITTED, AttemptState.CLOSED):
                raise Violation("everybody comes to an end", f"attempt {attempt} is {row.state}")
            if attempt in facts and lasting(facts[attempt]) != lasting(row):
                raise Violation("Redis and PostgreSQL agree", f"attempt {attempt}: {facts[attempt]} and {row}")
            self._judge_credit(attempt, row)
        for key, said in self._acknowledged.items():
            self._judge_answer(key, said, postgres.responses.get(key))
        for attempt, (client, held) in self._submitted.items():
            row = postgres.facts(attempt)
            if attempt in self._hand_ins_lost and device_of(row.client) != device_of(client):
                self._too_late.add(attempt)  # people gave the paper to another computer before this one was back
            elif attempt in self._hand_ins_lost and row.state is AttemptState.CLOSED:
                self._excuse(attempt, row)
            else:
                self._judge_submission(attempt, held, postgres)
        for attempt, held in self._stored:
            self._judge_stored(attempt, held, postgres)
        self._judge_events(postgres)
        self._judge_evidence(postgres)
        for attempt, revision in self._closed_running & self._told_running:
            raise Violation("the sitting closes over nobody's head", f"attempt {attempt} at revision {revision}")

        self.hand_ins_brought_back = sum(
            postgres.facts(attempt).state is AttemptState.SUBMITTED
            for attempt in set(self._hand_ins_lost) - self._too_late
        )
        self.hand_ins_too_late = len(self._too_late)

    def _excuse(self, attempt: int, row: AttemptFacts) -> None:
        """Excuse a hand-in that was lost and not repeated only where trouble or the end left the seat no time."""
        since = self._hand_ins_lost[attempt]
        calm = self.calm_ms(attempt, since, row.finished_ms)
        if calm > CALM_MS:
            raise Violation(
                "a paper handed in comes back", f"attempt {attempt}: lost at {since}, {calm} ms without trouble"
            )
        self._too_late.add(attempt)

    def _judge_credit(self, attempt: int, row: AttemptFacts) -> None:
        credited = row.extensions.split()
        if len(set(credited)) != len(credited):
            raise Violation("nothing is counted twice", f"attempt {attempt} was credited {credited}")
        missing = self._promised.get(attempt, set()) - set(credited)
        if missing:
            raise Violation("a promised extension stands", f"attempt {attempt} lacks {sorted(missing)}")

    def _judge_answer(self, key: tuple[int, int], said: set[tuple[int, str]], final: tuple[int, str] | None) -> None:
        for sequence, value in said:
            if self._is_out_of_reach(key[0], value):
                self.out_of_reach += 1
            elif final is None:
                raise Violation(
                    "an acknowledged answer is never lost",
                    f"attempt {key[0]} slot {key[1]}: {value} ({sequence}) is gone",
                )
            elif final[1] != value and self._created[final[1]] <= self._created[value]:
                raise Violation(
                    "an acknowledged answer is never lost",
                    f"attempt {key[0]} slot {key[1]}: {value} ({sequence}) gave way to older {final[1]} ({final[0]})",
                )

    def _judge_evidence(self, postgres: Any) -> None:
        kept = {
            (late.save.attempt, slot, answer.sequence)
            for late in postgres.late.values()
            for slot, answer in late.save.answers
        }
        for told_ms, attempt, slot, sequence in self._refused:
            stored = postgres.responses.get((attempt, slot), (0, ""))[0]
            if (attempt, slot, sequence) in kept:
                self.evidence += 1
            elif stored < sequence and told_ms > self._emptied_ms:
                raise Violation("what is refused is kept as evidence", f"attempt {attempt} slot {slot} ({sequence})")

    def _is_out_of_reach(self, attempt: int, value: str) -> bool:
        """Whether only the seat had an answer since the server's disk was lost, and it did not come back in time."""
        since = self._owed.get((attempt, value))
        device = device_of(value)
        return since is not None and self._at_rest.get((attempt, device), 0) <= since

    def _judge_submission(self, attempt: int, held: dict[int, tuple[int, str]], postgres: Any) -> None:
        told = self._receipts.get(attempt)
        stored = {slot: sequence for (owner, slot), (sequence, _) in postgres.responses.items() if owner == attempt}
        if told not in (None, stored) and attempt not in self._hand_ins_lost:
            raise Violation("a receipt tells what is stored", f"attempt {attempt}: told {told}, stored {stored}")
        for slot, (sequence, value) in held.items():
            final = postgres.responses.get((attempt, slot))
            # Lost, it may have been handed in once more after another computer had written for a while.
            is_later = final is not None and self._created[final[1]] > self._created[value]
            if final is None or (final[1] != value and not (attempt in self._hand_ins_lost and is_later)):
                raise Violation(
                    "submitted is what the seat held",
                    f"attempt {attempt} slot {slot}: held {value} ({sequence}), stored {final}",
                )

    def _judge_stored(self, attempt: int, held: dict[int, tuple[int, str]], postgres: Any) -> None:
        row = postgres.facts(attempt)
        if row.state is not AttemptState.SUBMITTED:
            raise Violation("what was wiped stands", f"attempt {attempt}: {row}")
        for slot, (sequence, value) in held.items():
            final = postgres.responses.get((attempt, slot), (0, ""))
            if final[0] < sequence or (final[0] == sequence and final[1] != value):
                raise Violation(
                    "what was wiped stands",
                    f"attempt {attempt} slot {slot}: {value} ({sequence}), stored {final}",
                )

    def _judge_events(self, postgres: Any) -> None:
        seen: dict[tuple[int, int, int], str] = {}
        newest: dict[tuple[int, int], int] = {}
        for (attempt, slot, _), (sequence, value) in postgres.events.items():
            if (attempt, slot, sequence) in seen and (not self.was_emptied or seen[attempt, slot, sequence] != value):
                raise Violation("nothing is counted twice", f"attempt {attempt} slot {slot} sequence {sequence}")
            seen[attempt, slot, sequence] = value
            newest[attempt, slot] = max(newest.get((attempt, slot), 0), sequence)
        stored = {key: sequence for key, (sequence, _) in postgres.responses.items()}
        if stored != newest:
            raise Violation("the newest sequence wins", f"stored {stored}, newest of all events {newest}")

    def _expected_credit(self, apply: Any, before: AttemptFacts) -> int:
        attempt, kind, detail = apply.attempt, apply.change.kind, apply.detail
        credit = 0
        if kind is ChangeKind.START:
            began_ms = began(apply, before)
            credit += sum(max(end - max(begin, began_ms), 0) for begin, end in self._stops.get(attempt, ()))
        if "taken" in detail:
            return -self._expected_return(apply, before)
        if "seconds" in detail:
            if detail["request"] in self._credited.get(attempt, set()):
                raise Violation("time credit is exact", f"attempt {attempt}: {detail['request']} is credited twice")
            credit += 1000 * int(detail["seconds"])
        elif kind is ChangeKind.REOPEN and before.started_ms:
            credit += max(apply.truth_ms - self._closed_at[attempt], 0)
        if kind is ChangeKind.ADMIT and detail["credit"]:
            since = max(detail["seen_ms"], before.seated_ms, before.started_ms)
            credit += max(apply.truth_ms - since - stood(before, apply.truth_ms, since), 0)
        if kind in _STOPPING and attempt in self._paused_at and before.started_ms:
            credit += max(apply.truth_ms - self._paused_at[attempt], 0)
        return credit

    def _stood_before(self, attempt: int, moment_ms: int) -> int:
        paused_ms = self._paused_at.get(attempt, moment_ms)
        spans = [*self._stops.get(attempt, ()), (paused_ms, moment_ms)]
        return sum(max(min(end, moment_ms) - begin, 0) for begin, end in spans)

    def _expected_return(self, apply: Any, before: AttemptFacts) -> int:
        """How much may be taken back, computed from what is left by the clock of the worker that decided."""
        attempt, detail, now_ms = apply.attempt, apply.detail, apply.change.at_ms
        if detail["request"] in self._credited.get(attempt, set()):
            raise Violation("time credit is exact", f"attempt {attempt}: {detail['request']} takes back twice")
        self.taken_back += 1
        if before.state is AttemptState.READY:
            return 1000 * int(detail["taken"])
        left_ms = before.deadline_ms - (before.paused_ms or now_ms)
        return min(1000 * int(detail["taken"]), max(left_ms - 60_000, 0) // 1000 * 1000)

    def _follow(self, apply: Any, after: AttemptFacts) -> None:
        attempt, kind = apply.attempt, apply.change.kind
        if "seconds" in apply.detail or "taken" in apply.detail:
            self._credited[attempt] = {*self._credited.get(attempt, ()), apply.detail["request"]}
        stops, paused_ms = list(self._stops.get(attempt, ())), self._paused_at.get(attempt)
        self._stops[attempt] = stops
        if kind is ChangeKind.PAUSE:
            self._paused_at[attempt] = apply.truth_ms
        elif kind is ChangeKind.START and paused_ms is not None and paused_ms < after.started_ms:
            stops.append((paused_ms, after.started_ms))
            self._paused_at[attempt] = after.started_ms
        elif kind in _STOPPING and paused_ms is not None:
            stops.append((paused_ms, apply.truth_ms))
            del self._paused_at[attempt]
        elif kind is ChangeKind.REOPEN and "seconds" not in apply.detail:
            stops.append((self._closed_at[attempt], apply.truth_ms))
        if kind is ChangeKind.CLOSE:
            self._closed_at[attempt] = apply.truth_ms
