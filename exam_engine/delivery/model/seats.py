"""What a seat may do: start, come back, wait for a second seat's admission, save, hand in."""

from collections.abc import Mapping

import msgspec

from exam_engine.delivery.errors import (
    AttemptClosed,
    AttemptLocked,
    LateStart,
    LeaseTaken,
    NotStarted,
    ResponsesMissing,
    ResponsesNewer,
    SittingNotStarted,
    TimeOver,
)
from exam_engine.delivery.model.facts import (
    AttemptFacts,
    AttemptState,
    Change,
    ChangeKind,
    Gate,
    changed,
    clock_stood,
    pause_ended,
    stopped_ms,
    stopped_since_ms,
)
from exam_engine.delivery.model.recovery import LEASES_PER_SECOND
from exam_engine.delivery.model.sittings import SecondSeat

MAXIMUM_SEQUENCE = 2**53 - 1
_FOREVER_MS = 2**53
SILENT_MS = 25_000  # an idle seat asks for the time every ten seconds: two may be lost


def start(
    facts: AttemptFacts,
    client: str,
    now_ms: int,
    *,
    seen_ms: int = 0,
    second_seat: SecondSeat = SecondSeat.ADMIT,
) -> Change:
    """Start, come back, take over or claim; `seen_ms` is the last sign of life of the seat that holds the lease.

    Who asked writes when the client of the facts returned is the asker's; otherwise it waits, read only. A start
    without a network is told afterwards: what has stopped the clock since `now_ms` is credited as if told at once.

    Raises
    ------
    SittingNotStarted, LateStart, AttemptLocked, AttemptClosed, TimeOver, LeaseTaken
    """
    if facts.state is AttemptState.RUNNING:
        return _return(facts, client, now_ms, seen_ms, second_seat)
    if facts.state is not AttemptState.READY:
        raise AttemptClosed(facts.state, facts.reason)
    if facts.is_locked:
        raise AttemptLocked
    if now_ms < facts.starts_ms:
        raise SittingNotStarted(facts.starts_ms)
    late_ms, ends_ms = latest_start(facts, now_ms)
    if now_ms > late_ms or now_ms >= ends_ms + facts.extra_ms:
        raise LateStart(min(late_ms, ends_ms + facts.extra_ms))
    extra_ms = facts.extra_ms + stopped_since_ms(facts, now_ms)
    started = changed(
        facts,
        state=AttemptState.RUNNING,
        lease=facts.lease + 1,
        client=client,
        seated_ms=now_ms,
        started_ms=now_ms,
        extra_ms=extra_ms,
        deadline_ms=min(now_ms + facts.duration_ms, ends_ms) + extra_ms,
    )
    if 0 < facts.paused_ms < now_ms:  # it started into a pause: from now on the clock stands for its own time
        before = clock_stood(facts, facts.paused_ms, now_ms)
        started = msgspec.structs.replace(started, stops=before["stops"], paused_ms=now_ms)
    return Change(started, ChangeKind.START, now_ms)


def latest_start(facts: AttemptFacts, now_ms: int) -> tuple[int, int]:
    """Return the latest start and the end of the sitting for who has not started, extra time not counted.

    While the clock stood nobody could start: both wait as long.
    """
    stood_ms = stopped_ms(facts, 0, now_ms)
    return facts.late_ms + stood_ms, facts.ends_ms + stood_ms


def recall(facts: AttemptFacts, now_ms: int) -> Change | None:
    """Have the seat that writes compare its answers, as some came past it. None: nobody writes.

    It keeps the paper under a lease of another thousand, by which it knows that it has missed something and starts
    again, as after a Redis that began empty (`recovery.taken_back`).
    """
    if facts.state is not AttemptState.RUNNING or not facts.client:
        return None
    lease = LEASES_PER_SECOND * (facts.lease // LEASES_PER_SECOND + 1)
    return Change(changed(facts, lease=lease), ChangeKind.RECALL, now_ms)


def require_writable(gate: Gate, lease: int, now_ms: int) -> None:
    """Decide whether a save counts that came at `now_ms`; `scripts/save.lua` keeps it if the gate is still the same.

    A pause refuses nothing: what was typed before it may arrive during it.

    Raises
    ------
    NotStarted, AttemptClosed, LeaseTaken, AttemptLocked, TimeOver
    """
    if gate.state is AttemptState.READY:
        raise NotStarted
    if gate.state is not AttemptState.RUNNING:
        raise AttemptClosed(gate.state, gate.reason)
    if lease != gate.lease:
        raise LeaseTaken(gate.lease)
    if gate.is_locked:
        raise AttemptLocked
    if now_ms > gate.limit_ms and not gate.is_paused:
        raise TimeOver(gate.deadline_ms)


def writable_until_ms(gate: Gate) -> int:
    """Return until when saves under the gate's lease count, as `require_writable` has it; -1: they do not."""
    if gate.state is not AttemptState.RUNNING or gate.is_locked:
        return -1
    return _FOREVER_MS if gate.is_paused else gate.limit_ms


def submit(
    facts: AttemptFacts, lease: int, held: Mapping[int, int], stored: Mapping[int, int], now_ms: int
) -> Change | None:
    """Hand in: `held` are the seat's sequences by slot, `stored` the server's. None: it was handed in before.

    Raises
    ------
    ResponsesMissing
        The server lacks something; nothing changed.
    ResponsesNewer
        It has more than the seat shows: late answers of another seat that count now, or a stick.
    NotStarted, AttemptClosed, LeaseTaken, AttemptLocked, TimeOver
        As for a save.
    """
    if facts.state is AttemptState.SUBMITTED and lease == facts.lease:
        return None
    require_writable(facts.gate, lease, now_ms)
    missing = sorted(slot for slot, sequence in held.items() if stored.get(slot, 0) < sequence)
    if missing:
        raise ResponsesMissing(missing)
    newer = sorted(slot for slot, sequence in held.items() if stored.get(slot, 0) > sequence)
    if newer:
        raise ResponsesNewer(newer)
    submitted = changed(
        facts,
        **pause_ended(facts, now_ms),
        state=AttemptState.SUBMITTED,
        finished_ms=now_ms,
        claimant="",
        claimed_ms=0,
    )
    return Change(submitted, ChangeKind.SUBMIT, now_ms)


def device_of(client: str) -> str:
    """Return the machine's part of a client id: it survives a restart of the browser, the tab's part does not."""
    return client.partition(".")[0]


def _return(facts: AttemptFacts, client: str, now_ms: int, seen_ms: int, second_seat: SecondSeat) -> Change:
    if facts.is_over(now_ms):
        raise TimeOver(facts.deadline_ms)
    if client == facts.client:
        return Change(facts, ChangeKind.RESUME, now_ms)
    if client == facts.refused:
        raise LeaseTaken(facts.lease)
    silent_ms = now_ms - max(seen_ms, facts.seated_ms, facts.started_ms)
    is_same_machine = device_of(client) == device_of(facts.client)
    if second_seat is SecondSeat.TAKE_OVER or (is_same_machine and silent_ms >= SILENT_MS):
        is_claimant = client == facts.claimant
        taken = changed(
            facts,
            lease=facts.lease + 1,
            client=client,
            seated_ms=now_ms,
            claimant="" if is_claimant else facts.claimant,
            claimed_ms=0 if is_claimant else facts.claimed_ms,
        )
        return Change(taken, ChangeKind.TAKE_OVER, now_ms)
    if client == facts.claimant:
        return Change(facts, ChangeKind.CLAIM, now_ms)  # it waits on
    return Change(changed(facts, claimant=client, claimed_ms=now_ms), ChangeKind.CLAIM, now_ms)
