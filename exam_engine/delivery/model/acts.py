"""What people and the clock may do to an attempt: time, pause, lock, a second seat, closing and undoing it."""

import msgspec

from exam_engine.delivery.errors import ActImpossible, AttemptClosed
from exam_engine.delivery.model.facts import (
    AttemptFacts,
    AttemptState,
    Change,
    ChangeKind,
    CloseReason,
    changed,
    clock_stood,
    pause_ended,
    stopped_ms,
)
from exam_engine.delivery.model.waiting import is_waited_out

MAXIMUM_EXTRA_SECONDS = 4 * 3600
LEAST_LEFT_MS = 60_000  # of the time of who writes, whatever is taken back
UNDOABLE = (CloseReason.INVIGILATOR, CloseReason.ABSENT, CloseReason.MALPRACTICE)


def extend(facts: AttemptFacts, extension: str, seconds: int, now_ms: int) -> Change | None:
    """Credit extra time once. None: this extension was credited before.

    Raises
    ------
    AttemptClosed
        Submitted, closed by people, or closed so long ago that the new deadline has passed as well.
    """
    if extension in facts.extensions.split():
        return None
    has_started = facts.state is not AttemptState.READY
    deadline_ms = facts.deadline_ms + 1000 * seconds if has_started else 0
    credited = changed(
        facts,
        extra_ms=facts.extra_ms + 1000 * seconds,
        extensions=_with_id(facts, extension),
        deadline_ms=deadline_ms,
    )
    if _is_live(facts):
        return Change(credited, ChangeKind.EXTEND, now_ms)
    if facts.reason != CloseReason.TIME or deadline_ms <= now_ms:
        raise AttemptClosed(facts.state, facts.reason)
    reopened = msgspec.structs.replace(credited, state=AttemptState.RUNNING, finished_ms=0, reason="")
    return Change(reopened, ChangeKind.REOPEN, now_ms)


def take_back(facts: AttemptFacts, extension: str, seconds: int, request: str, now_ms: int) -> Change | None:
    """Take back extra time that was a mistake, in whole seconds and once: all of it, or what leaves a minute.

    So the deadline never moves behind an answer that was taken, nor ends a paper by itself. None: it was never
    credited here, or taken back before; nothing is left to take; the paper is over.
    """
    known = facts.extensions.split()
    if extension not in known or request in known or not _is_live(facts):
        return None
    taken_ms = 1000 * seconds
    if facts.state is AttemptState.RUNNING:
        spare_ms = facts.deadline_ms - (facts.paused_ms or now_ms) - LEAST_LEFT_MS
        taken_ms = max(min(taken_ms, spare_ms - spare_ms % 1000), 0)
    if taken_ms == 0:
        return None
    shortened = changed(
        facts,
        extra_ms=facts.extra_ms - taken_ms,
        extensions=_with_id(facts, request),
        deadline_ms=facts.deadline_ms - taken_ms if facts.state is AttemptState.RUNNING else 0,
    )
    return Change(shortened, ChangeKind.TAKE_BACK, now_ms)


def accommodate(facts: AttemptFacts, granted_ms: int, now_ms: int) -> Change | None:
    """Let an accommodation grant so much instead of what it granted. None: it does already, or the paper is over.

    What time closed runs again where the new deadline lies ahead.

    Raises
    ------
    ActImpossible
        Somebody writes whose time would be over with less.
    """
    more_ms = granted_ms - facts.accommodated_ms
    is_closed_by_time = facts.state is AttemptState.CLOSED and facts.reason == CloseReason.TIME
    if more_ms == 0 or not (_is_live(facts) or is_closed_by_time):
        return None
    deadline_ms = facts.deadline_ms + more_ms if facts.state is not AttemptState.READY else 0
    granted = changed(facts, extra_ms=facts.extra_ms + more_ms, accommodated_ms=granted_ms, deadline_ms=deadline_ms)
    if is_closed_by_time:
        if deadline_ms <= now_ms:
            return None
        reopened = msgspec.structs.replace(granted, state=AttemptState.RUNNING, finished_ms=0, reason="")
        return Change(reopened, ChangeKind.REOPEN, now_ms)
    if more_ms < 0 and facts.state is AttemptState.RUNNING and deadline_ms <= (facts.paused_ms or now_ms):
        raise ActImpossible("accommodate", facts.state, CloseReason.TIME)
    return Change(granted, ChangeKind.ACCOMMODATE, now_ms)


def pause(facts: AttemptFacts, now_ms: int) -> Change | None:
    """Let the clock stand; None: it stands already.

    Raises
    ------
    ActImpossible
        Over, by hand or by time.
    """
    _require_live(facts, "pause")
    if facts.paused_ms:
        return None
    if facts.state is AttemptState.RUNNING and facts.is_over(now_ms):
        raise ActImpossible("pause", facts.state, CloseReason.TIME)
    return Change(changed(facts, paused_ms=now_ms), ChangeKind.PAUSE, now_ms)


def resume(facts: AttemptFacts, now_ms: int) -> Change | None:
    """Let the clock run on: the deadline moves by exactly the time it stood. None: it runs already.

    Raises
    ------
    ActImpossible
    """
    _require_live(facts, "resume")
    if not facts.paused_ms:
        return None
    return Change(changed(facts, **pause_ended(facts, now_ms)), ChangeKind.CONTINUE, now_ms)


def lock(facts: AttemptFacts, now_ms: int) -> Change | None:
    """Refuse further answers while time runs on; None: locked already.

    Raises
    ------
    ActImpossible
    """
    _require_live(facts, "lock")
    return None if facts.is_locked else Change(changed(facts, is_locked=True), ChangeKind.LOCK, now_ms)


def unlock(facts: AttemptFacts, now_ms: int) -> Change | None:
    """Take answers again; None: not locked.

    Raises
    ------
    ActImpossible
    """
    _require_live(facts, "unlock")
    return Change(changed(facts, is_locked=False), ChangeKind.UNLOCK, now_ms) if facts.is_locked else None


def admit(facts: AttemptFacts, request: str, seen_ms: int, now_ms: int, *, is_credited: bool) -> Change | None:
    """Give the lease to the seat that waits, and credit the time since the old one's last sign of life.

    None: this act was done before. An attempt that time closed while the seat waited runs again with what was left.

    Raises
    ------
    ActImpossible
        Nobody waits, or the attempt is over.
    """
    if request in facts.extensions.split():
        return None
    is_closed_by_time = facts.state is AttemptState.CLOSED and facts.reason == CloseReason.TIME
    if facts.state is not AttemptState.RUNNING and not (is_closed_by_time and is_credited):
        raise ActImpossible("admit", facts.state, facts.reason)
    if not facts.claimant:
        raise ActImpossible("admit", facts.state, "nobody-waits")
    lost = lost_ms(facts, seen_ms, now_ms) if is_credited else 0
    admitted = changed(
        facts,
        state=AttemptState.RUNNING,
        lease=facts.lease + 1,
        client=facts.claimant,
        seated_ms=now_ms,
        claimant="",
        claimed_ms=0,
        extra_ms=facts.extra_ms + lost,
        deadline_ms=facts.deadline_ms + lost,
        extensions=_with_id(facts, request),
        finished_ms=0,
        reason="",
    )
    if is_closed_by_time and admitted.is_over(now_ms):
        raise ActImpossible("admit", facts.state, facts.reason)
    return Change(admitted, ChangeKind.ADMIT, now_ms)


def lost_ms(facts: AttemptFacts, seen_ms: int, now_ms: int) -> int:
    """Return how long the holder of the lease has been silent, less the time its clock stood meanwhile."""
    since_ms = max(seen_ms, facts.seated_ms, facts.started_ms)
    return max(now_ms - since_ms - stopped_ms(facts, since_ms, now_ms), 0)


def refuse_claim(facts: AttemptFacts, now_ms: int) -> Change | None:
    """Send the seat that waits away; None: nobody waits."""
    if not facts.claimant:
        return None
    refused = changed(facts, refused=facts.claimant, claimant="", claimed_ms=0)
    return Change(refused, ChangeKind.REFUSE, now_ms)


def allow_again(facts: AttemptFacts, now_ms: int) -> Change | None:
    """Let the browser that was sent away ask again; None: nobody was, or it may already.

    Raises
    ------
    ActImpossible
    """
    _require_live(facts, "allow")
    return Change(changed(facts, refused=""), ChangeKind.ALLOW, now_ms) if facts.refused else None


def close(facts: AttemptFacts, reason: CloseReason, now_ms: int) -> Change | None:
    """Close an attempt; None when there is nothing to close (or, by time, when it is still waited for).

    Time closes who writes, ends a pause nobody has ended, and calls absent who might have started later.

    Raises
    ------
    ActImpossible
        Somebody who has started is not absent.
    """
    if not _is_live(facts):
        return None
    is_ready = facts.state is AttemptState.READY
    if reason is CloseReason.TIME and not is_waited_out(facts, now_ms):
        return None
    if reason is CloseReason.ABSENT and not is_ready:
        raise ActImpossible("absent", facts.state, facts.reason)
    if reason in (CloseReason.SITTING, CloseReason.TIME) and is_ready:
        reason = CloseReason.ABSENT
    closed = changed(
        facts, **pause_ended(facts, now_ms), state=AttemptState.CLOSED, finished_ms=now_ms, reason=reason.value
    )
    return Change(closed, ChangeKind.CLOSE, now_ms)


def reopen(facts: AttemptFacts, now_ms: int) -> Change | None:
    """Undo a closing by people: the clock stood meanwhile. None: it is not closed.

    Raises
    ------
    ActImpossible
        Handed in, closed by time (an extension reopens that) or with the whole sitting.
    """
    if _is_live(facts):
        return None
    if facts.state is not AttemptState.CLOSED or facts.reason not in UNDOABLE:
        raise ActImpossible("reopen", facts.state, facts.reason)
    reopened = changed(
        facts,
        **clock_stood(facts, facts.finished_ms, max(now_ms, facts.finished_ms)),
        state=AttemptState.RUNNING if facts.started_ms else AttemptState.READY,
        finished_ms=0,
        reason="",
    )
    return Change(reopened, ChangeKind.REOPEN, now_ms)


def postpone(facts: AttemptFacts, starts_ms: int, now_ms: int) -> Change | None:
    """Move the beginning, the latest start and the end of who has not started; None: it begins then already.

    Raises
    ------
    ActImpossible
        Started, or over.
    """
    if facts.starts_ms == starts_ms:
        return None
    if facts.state is not AttemptState.READY:
        raise ActImpossible("postpone", facts.state, facts.reason)
    later_ms = starts_ms - facts.starts_ms
    moved = changed(facts, starts_ms=starts_ms, late_ms=facts.late_ms + later_ms, ends_ms=facts.ends_ms + later_ms)
    return Change(moved, ChangeKind.POSTPONE, now_ms)


def may_count(facts: AttemptFacts, refusal: str, arrival_ms: int) -> bool:
    """Decide whether a refused answer may count after all, if two people say so.

    What came too late must be covered by extra time given since; a lock or a lease may have been a mistake. What was
    handed in, or closed by people and not reopened, stays as it is.
    """
    if facts.state is not AttemptState.RUNNING and facts.reason != CloseReason.TIME:
        return False
    return refusal in ("attempt-locked", "lease-taken") or facts.is_paused or arrival_ms <= facts.limit_ms


def _is_live(facts: AttemptFacts) -> bool:
    return facts.state in (AttemptState.READY, AttemptState.RUNNING)


def _require_live(facts: AttemptFacts, act: str) -> None:
    if not _is_live(facts):
        raise ActImpossible(act, facts.state, facts.reason)


def _with_id(facts: AttemptFacts, request: str) -> str:
    return f"{facts.extensions} {request}".strip()
