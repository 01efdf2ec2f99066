"""The rules the actors decide by: the product's own, any of which a mutant replaces by a broken one."""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from msgspec.structs import replace

from exam_engine.delivery import model
from exam_engine.delivery.model import AttemptFacts, Change, Gate
from exam_engine.delivery.offline_starts import start_as_claimed
from exam_engine.delivery.register import _limit
from loadtests.candidate_bot.protocol import SeatProtocol
from loadtests.candidate_bot.vault import Claim


def due_ms(facts: AttemptFacts) -> float | None:
    """Return when the timer shall look at an attempt; None: it is not waited for."""
    limit = _limit(facts)
    return None if limit == "" else float(limit)


class Rules(msgspec.Struct, frozen=True, kw_only=True):
    """What may be decided where, and how."""

    start: Callable[..., Change] = model.start
    start_as_claimed: Callable[..., Change] = start_as_claimed
    seat: type[SeatProtocol] = SeatProtocol
    submit: Callable[..., Change | None] = model.submit
    extend: Callable[..., Change | None] = model.extend
    take_back: Callable[..., Change | None] = model.take_back
    admit: Callable[..., Change | None] = model.admit
    pause: Callable[..., Change | None] = model.pause
    resume: Callable[..., Change | None] = model.resume
    reopen: Callable[..., Change | None] = model.reopen
    lock: Callable[..., Change | None] = model.lock
    unlock: Callable[..., Change | None] = model.unlock
    close: Callable[..., Change | None] = model.close
    require_writable: Callable[[Gate, int, int], None] = model.require_writable
    compares_the_gate: bool = True  # Valkey, before it saves
    refuses_from_memory: bool = False  # a worker, without asking Valkey
    is_newer: Callable[[int, int | None], bool] = model.is_newer
    is_newer_stored: Callable[[int, int | None], bool] = model.is_newer  # in PostgreSQL
    is_later: Callable[[int, int | None], bool] = model.is_later
    taken_back: Callable[..., AttemptFacts] = model.taken_back
    is_stored: Callable[..., bool] = model.is_stored
    waits_for_the_hand_in: bool = True  # itself, where an act has written that a paper is in
    waits_for_postgres: bool = True  # before a seat is told that its paper is stored
    due_ms: Callable[[AttemptFacts], float | None] = due_ms
    acknowledges_before_sync: bool = False  # the reply of Valkey
    acknowledges_before_commit: bool = False  # the write-behind
    believes_the_seat: bool = False  # a save is judged by the seat's clock
    priming_overwrites: bool = False
    checks_revisions: bool = True
    hears_of_loss: bool = True  # a worker, by the mark of the filling
    looks_under_the_lock: bool = True  # an act, whether the sitting is open
    looks_again: bool = True  # the timer, under the lock, whether anybody has time left
    knows_its_acts: bool = True  # an act whose commit was lost, whom it has changed
    acts_once: bool = True  # a request that comes again does nothing
    undoes_once: bool = True
    seals: bool = True
    heeds_the_seal: bool = True
    keeps_evidence: bool = True
    may_count: Callable[[AttemptFacts, str, int], bool] = model.may_count
    counts_after_hand_in: bool = False
    checks_answers: bool = True  # a hand-in is applied to the answers it was decided with
    refuse_claim: Callable[..., Change | None] = model.refuse_claim
    forgets_pending: bool = False  # a writer that returns begins with what is new


def _without_lease(gate: Gate, _lease: int, now_ms: int) -> None:
    model.require_writable(gate, gate.lease, now_ms)


def _without_deadline(gate: Gate, lease: int, _now_ms: int) -> None:
    model.require_writable(gate, lease, gate.deadline_ms)


def _without_lock(gate: Gate, lease: int, now_ms: int) -> None:
    model.require_writable(replace(gate, is_locked=False), lease, now_ms)


def _same_is_newer(sequence: int, stored: int | None) -> bool:
    return stored is None or sequence >= stored


def _last_to_come(_sequence: int, _stored: int | None) -> bool:
    return True


def _credit_again(facts: AttemptFacts, extension: str, seconds: int, now_ms: int) -> Change | None:
    again = msgspec.structs.replace(facts, extensions="")
    return model.extend(again, extension, seconds, now_ms)


def _take_back_all(facts: AttemptFacts, extension: str, seconds: int, request: str, now_ms: int) -> Change | None:
    """Take the time back though it is being used: the deadline falls behind the present."""
    change = model.take_back(facts, extension, seconds, request, facts.started_ms)
    return None if change is None else msgspec.structs.replace(change, at_ms=now_ms)


def _take_back_again(facts: AttemptFacts, extension: str, seconds: int, request: str, now_ms: int) -> Change | None:
    others = " ".join(known for known in facts.extensions.split() if known != request)
    return model.take_back(msgspec.structs.replace(facts, extensions=others), extension, seconds, request, now_ms)


def _resume_by_guess(facts: AttemptFacts, now_ms: int) -> Change | None:
    return model.resume(facts, now_ms - now_ms % 1000)


def _submit_blindly(
    facts: AttemptFacts, lease: int, _held: Mapping[int, int], stored: Mapping[int, int], now_ms: int
) -> Change | None:
    return model.submit(facts, lease, {}, stored, now_ms)


def _as_they_are(facts: AttemptFacts, _now_ms: int, *, is_whole: bool) -> AttemptFacts:
    return facts


def _hand_ins_believed(facts: AttemptFacts, now_ms: int, *, is_whole: bool) -> AttemptFacts:
    return model.taken_back(facts, now_ms)


def _close_in_grace(facts: AttemptFacts, reason: Any, now_ms: int) -> Change | None:
    change = model.close(msgspec.structs.replace(facts, grace_ms=0), reason, now_ms)
    if change is None:
        return None
    return msgspec.structs.replace(change, facts=msgspec.structs.replace(change.facts, grace_ms=facts.grace_ms))


def _due_without_grace(facts: AttemptFacts) -> float | None:
    limit = due_ms(facts)
    return None if limit is None else limit - facts.grace_ms


def _hand_in_alone(facts: AttemptFacts, _sequences: Any, stored: AttemptFacts, _stored_sequences: Any) -> bool:
    return model.is_stored(facts, {}, stored, {})


def _submit_unseen(
    facts: AttemptFacts, lease: int, held: Mapping[int, int], stored: Mapping[int, int], now_ms: int
) -> Change | None:
    return model.submit(facts, lease, held, {slot: min(held.get(slot, 0), n) for slot, n in stored.items()}, now_ms)


def _start_again(facts: AttemptFacts, client: str, now_ms: int, **seat: Any) -> Change:
    return model.start(msgspec.structs.replace(facts, refused=""), client, now_ms, **seat)


def _counts_always(_facts: AttemptFacts, _refusal: str, _arrival_ms: int) -> bool:
    return True


def _due_without_end(facts: AttemptFacts) -> float | None:
    return float("inf") if facts.paused_ms else due_ms(facts)


def _due_once_started(facts: AttemptFacts) -> float | None:
    return due_ms(facts) if facts.started_ms else None


def _claimed_without_stops(facts: AttemptFacts, client: str, claimed_ms: int, now_ms: int) -> Change:
    """A pause that ended before the start is told gives nothing."""
    change = start_as_claimed(facts, client, claimed_ms, now_ms)
    after = change.facts
    more_ms = after.extra_ms - facts.extra_ms
    without = replace(after, extra_ms=facts.extra_ms, deadline_ms=after.deadline_ms - more_ms)
    return replace(change, facts=without)


def _claimed_into_the_pause(facts: AttemptFacts, client: str, claimed_ms: int, now_ms: int) -> Change:
    """A pause that stands when the start is told is taken to have begun with it."""
    change = start_as_claimed(facts, client, claimed_ms, now_ms)
    if not facts.paused_ms:
        return change
    return replace(change, facts=replace(change.facts, paused_ms=change.facts.started_ms))


def _claimed_when_told(facts: AttemptFacts, client: str, _claimed_ms: int, now_ms: int) -> Change:
    return model.start(facts, client, now_ms)


def _claims_believed(facts: AttemptFacts, client: str, claimed_ms: int, now_ms: int) -> Change:
    return replace(model.start(facts, client, max(claimed_ms, facts.starts_ms)), at_ms=now_ms)


class _CountsFromTheLeaseBefore(SeatProtocol):
    """The first lease counts from one, as a seat does that began alone."""

    __slots__ = ()

    def _floor(self) -> int:
        return max(0, self.lease - 1) * 100_000


class _BelievesItsOwnLease(SeatProtocol):
    """The lease it gave itself when it began alone is taken for the server's."""

    __slots__ = ()

    def begin_alone(self, claim: Claim, deadline_ms: int, server_ms: int, now_ms: int) -> None:
        super().begin_alone(claim, deadline_ms, server_ms, now_ms)
        self.is_alone = False


MUTANTS: Mapping[str, Rules] = {
    "Valkey replies before its file is synced": Rules(acknowledges_before_sync=True),
    "the same sequence counts as newer": Rules(is_newer=_same_is_newer),
    "the last to come wins": Rules(is_newer=_last_to_come),
    "the lease is not looked at": Rules(require_writable=_without_lease),
    "the seat's clock decides what is late": Rules(believes_the_seat=True),
    "nothing is late": Rules(require_writable=_without_deadline),
    "an answer is kept whatever has changed since it was judged": Rules(compares_the_gate=False),
    "what a worker remembers refuses answers": Rules(refuses_from_memory=True),
    "a lock locks nothing": Rules(require_writable=_without_lock),
    "an extension is credited as often as it is asked": Rules(extend=_credit_again),
    "time is taken back that is being used": Rules(take_back=_take_back_all),
    "time is taken back as often as it is asked": Rules(take_back=_take_back_again),
    "a pause is credited in whole seconds": Rules(resume=_resume_by_guess),
    "the write-behind acknowledges before the commit": Rules(acknowledges_before_commit=True),
    "the write-behind forgets what it had read": Rules(forgets_pending=True),
    "PostgreSQL keeps whatever comes last": Rules(is_newer_stored=_last_to_come, is_later=_last_to_come),
    "taking back overwrites what Redis holds": Rules(priming_overwrites=True),
    "attempts taken back keep lease and revision": Rules(taken_back=_as_they_are),
    "a change is applied to facts it was not computed from": Rules(checks_revisions=False),
    "handing in asks nothing, and attempts come back with their old lease": Rules(
        submit=_submit_blindly, taken_back=_as_they_are
    ),
    "a seat forgets its paper as soon as Valkey has it": Rules(waits_for_postgres=False),
    "the timer closes within the grace": Rules(close=_close_in_grace, due_ms=_due_without_grace),
    "a worker goes on telling what a lost Redis knew": Rules(hears_of_loss=False),
    "refused answers are thrown away": Rules(keeps_evidence=False),
    "late answers count whenever somebody asks": Rules(may_count=_counts_always),
    "a refused browser waits again": Rules(start=_start_again),
    "a paused attempt is waited for without end": Rules(due_ms=_due_without_end),
    "a start alone is not credited the pauses it had not heard of": Rules(start_as_claimed=_claimed_without_stops),
    "a start alone is told into a pause that began with it": Rules(start_as_claimed=_claimed_into_the_pause),
    "a start alone counts from when it is told": Rules(start_as_claimed=_claimed_when_told),
    "a start alone in the future is believed": Rules(start_as_claimed=_claims_believed),
    "a seat with the first lease counts as one that began alone": Rules(seat=_CountsFromTheLeaseBefore),
}

# What only two writers, one of them dead with the answers in its hands, and the loss of the disk together bring out.
OVERTAKEN: Mapping[str, Rules] = {
    "a seat forgets its paper once the hand-in is stored, answers or not": Rules(is_stored=_hand_in_alone),
    "a hand-in that comes back without its answers is believed": Rules(taken_back=_hand_ins_believed),
}

# What an act and the closing of the sitting in the same moment bring out.
UNQUEUED: Mapping[str, Rules] = {
    "an act looks before it has the lock, and nothing is sealed": Rules(looks_under_the_lock=False, seals=False),
    "the timer does not look again under the lock": Rules(looks_again=False),
    "the seal is not heeded by an act that lost its lock": Rules(heeds_the_seal=False),
}

# What an act brings out that writes of a hand-in which PostgreSQL has not heard of, before the disk is lost.
HEARSAY: Mapping[str, Rules] = {
    "what an act wrote of a hand-in counts as the hand-in": Rules(waits_for_the_hand_in=False),
}

# What late answers that count change under a seat that writes.
UNSEEN: Mapping[str, Rules] = {
    "a seat hands in what the server has newer": Rules(submit=_submit_unseen),
    "late answers count after the hand-in": Rules(counts_after_hand_in=True),
}

# What an answer brings out that comes to count between a hand-in's look at the answers and its change.
UNHELD: Mapping[str, Rules] = {
    "a hand-in is applied to answers it was not decided with": Rules(checks_answers=False),
}

# What only a paper that is closed and given back shows to a seat that began alone, while another has its first lease.
BESIDE: Mapping[str, Rules] = {
    "a seat that began alone believes in its own lease": Rules(seat=_BelievesItsOwnLease),
}

# What an act on a room brings out that is repeated, or undone by two people, while another stands.
TWICE: Mapping[str, Rules] = {
    "an act on a room is done as often as it is asked": Rules(acts_once=False, knows_its_acts=False),
    "an act on a room is undone as often as anybody asks": Rules(undoes_once=False),
}

# What an act on a room brings out whose commit PostgreSQL did not live to see.
UNCOMMITTED: Mapping[str, Rules] = {
    "an act whose commit was lost does not know whom it has changed": Rules(knows_its_acts=False),
}

NOBODY_WAITS = Rules(due_ms=_due_once_started)
