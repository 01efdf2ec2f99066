"""What a worker remembers of attempts between two looks into Redis, and for how long it may believe it."""

import msgspec

from exam_engine.delivery.model import AttemptFacts, AttemptState, Gate, latest_start

BELIEVED_MS = 60_000  # an idle seat's facts are read anew at the latest after this
WAITING_MS = 5_000  # not yet started: another seat may start it
OVER_MS = 1_000  # its time is over: the timer is about to close it
MOST = 50_000


class Known(msgspec.Struct, frozen=True):
    """The gate of an attempt, and the moment it was asked for."""

    gate: Gate
    asked_ms: int
    starts_ms: int = 0  # the attempt's own door: 0 where a save told of it, which needs none
    latest_ms: int = 0
    ends_ms: int = 0

    @classmethod
    def of(cls, facts: AttemptFacts, asked_ms: int) -> "Known":
        """Know facts just read."""
        late_ms, ends_ms = latest_start(facts, asked_ms)
        return cls(
            facts.gate,
            asked_ms,
            facts.starts_ms,
            min(late_ms, ends_ms + facts.extra_ms),
            ends_ms + facts.extra_ms,
        )


class Recollection:
    """A cache by attempt, as text; forgetting it costs one look into Redis each."""

    def __init__(self) -> None:
        self._known: dict[str, Known] = {}

    def remember(self, attempt: str, facts: AttemptFacts, asked_ms: int) -> Known:
        """Keep facts just read."""
        return self.keep(attempt, Known.of(facts, asked_ms))

    def keep(self, attempt: str, known: Known) -> Known:
        """Keep what a reply told."""
        if len(self._known) >= MOST:
            self._known.clear()
        self._known[attempt] = known
        return known

    def recall(self, attempt: str, now_ms: int, stale_ms: int) -> Known | None:
        """Return what is known, unless it is older than `stale_ms` or than such a state stays believable."""
        known = self._known.get(attempt)
        # A clock that was set back would keep what it had learned for as long as it was ahead, whatever changed since.
        is_ahead = known is not None and known.asked_ms > now_ms
        if known is None or is_ahead or known.asked_ms <= stale_ms:
            return None
        if now_ms - known.asked_ms >= _believed_for(known, now_ms):
            return None
        return known


def _believed_for(known: Known, now_ms: int) -> int:
    gate = known.gate
    if gate.state is AttemptState.READY:
        return WAITING_MS
    is_over = gate.state is AttemptState.RUNNING and now_ms > gate.limit_ms and not gate.is_paused
    return OVER_MS if is_over else BELIEVED_MS
