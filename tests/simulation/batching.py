"""The batcher of a worker: entries of a turn share a call, two calls are under way at once, what failed is repeated."""

from collections.abc import Callable, Sequence
from typing import Any

from tests.simulation.clockwork import Clockwork
from tests.simulation.valkey import Valkey

RETRY_MS = 4_000
IN_FLIGHT = 2


class _Lane:
    __slots__ = ("flying", "is_kicked", "queue")

    def __init__(self) -> None:
        self.queue: list[Any] = []
        self.flying = 0
        self.is_kicked = False


class Batching:
    """The batchers of one life of a worker."""

    def __init__(self, clock: Clockwork, chance: Any, valkey: Valkey) -> None:
        self.is_over = False
        self._clock, self._chance, self._valkey = clock, chance, valkey
        self._lanes: dict[str, _Lane] = {}

    def put(self, command: str, argument: Any, answer: Callable[[Any], None], failure: Callable[[], None]) -> None:
        """Accept an entry for the script call of this turn."""
        lane = self._lanes.get(command)
        if lane is None:
            lane = self._lanes[command] = _Lane()
        lane.queue.append((argument, answer, failure, self._clock.now))
        if not lane.is_kicked and lane.flying < IN_FLIGHT:
            lane.is_kicked = True
            self._clock.after(self._chance.random() < 0.5, self._kick, command, lane)

    def _kick(self, command: str, lane: _Lane) -> None:
        if self.is_over:
            return
        lane.is_kicked = False
        if lane.queue and lane.flying < IN_FLIGHT:
            lane.flying += 1
            entries, lane.queue = lane.queue, []
            self._send(command, lane, entries, 20)

    def _send(self, command: str, lane: _Lane, entries: Sequence[Any], pause_ms: int) -> None:
        if self.is_over:
            return

        def answered(replies: Sequence[Any]) -> None:
            if self.is_over:
                return
            self._landed(command, lane)
            for (_, answer, _, _), reply in zip(entries, replies, strict=True):
                answer(reply)

        def failed() -> None:
            if self.is_over:
                return
            if self._clock.now + pause_ms > entries[0][3] + RETRY_MS:
                self._landed(command, lane)
                for _, _, failure, _ in entries:
                    failure()
            else:
                self._clock.after(pause_ms, self._send, command, lane, entries, min(2 * pause_ms, 500))

        self._valkey.call(command, [entry[0] for entry in entries], answered, failed)

    def _landed(self, command: str, lane: _Lane) -> None:
        lane.flying -= 1
        if lane.queue and not lane.is_kicked:
            lane.is_kicked = True
            self._clock.after(0, self._kick, command, lane)
