"""The server's clock as a seat knows it: readings of unequal certainty, kept while nothing better comes.

As `proctor_client/src/core/timer.ts` has it.
"""

DRIFT_PER_MS = 0.0005  # counters drift: old readings grow stale
GUESS_DOUBT_MS = 60_000


class ServerClock:
    """How far the server's clock is ahead of the seat's counter, in milliseconds."""

    __slots__ = ("_doubt_ms", "_taken_ms", "offset_ms")

    def __init__(self) -> None:
        self.offset_ms = 0.0
        self._doubt_ms = 0.0
        self._taken_ms: int | None = None

    @property
    def is_read(self) -> bool:
        """Whether the server has told its time."""
        return self._taken_ms is not None

    def guess(self, server_ms: int, now_ms: int) -> None:
        """Go by what was known before the network went; any reading is better."""
        self.offset_ms, self._doubt_ms, self._taken_ms = server_ms - now_ms, GUESS_DOUBT_MS, now_ms

    def read(self, server_ms: int, sent_ms: int, now_ms: int) -> None:
        """Take the server's time from a reply to a request sent at `sent_ms`; the more certain reading stands."""
        offset = server_ms - (sent_ms + now_ms) / 2
        doubt = (now_ms - sent_ms) / 2
        if self._taken_ms is not None:
            aged = self._doubt_ms + (now_ms - self._taken_ms) * DRIFT_PER_MS
            if abs(offset - self.offset_ms) <= doubt + aged and doubt > aged:
                return
        self.offset_ms, self._doubt_ms, self._taken_ms = offset, doubt, now_ms
