"""A save: judged by the model, kept by the script if what it was judged by still holds."""

import asyncio
from collections.abc import Coroutine, Sequence
from typing import Any
from uuid import uuid4

import msgspec

from exam_engine.delivery import counters
from exam_engine.delivery.errors import AttemptClosed, AttemptLocked, AttemptRefusal, LeaseTaken, TimeOver
from exam_engine.delivery.model import AttemptFacts, Gate, require_writable, writable_until_ms
from exam_engine.delivery.places import PACKAGE, NotHeld, Place
from exam_engine.infra.errors import Busy
from exam_engine.infra.redis_client import Batcher, ScriptRunner, load_script

MAXIMUM_TRIES = 50
EVIDENT = {  # refusals after the start: what they refuse is kept
    AttemptClosed: "attempt-closed",
    LeaseTaken: "lease-taken",
    TimeOver: "time-over",
    AttemptLocked: "attempt-locked",
}
_MOST_GATES = 100_000
_UNKNOWN = b"", AttemptFacts(starts_ms=0, late_ms=0, ends_ms=0, duration_ms=0, grace_ms=0).gate, -1


class Saved(msgspec.Struct, frozen=True):
    """What a save came to: the gate it went through, and the newest sequence of each slot asked (None: those sent)."""

    gate: Gate
    sequences: Sequence[int] | None


class Saving:
    """Saves of one worker, and the gates it has seen."""

    def __init__(self, runner: ScriptRunner) -> None:
        self._gates: dict[str, tuple[bytes, Gate, int]] = {}  # of attempts as last seen, and until when they let in
        self._saved = 0  # answers acknowledged since the counters were published
        self._name, self._count = uuid4().hex[:8], 0  # marks of saves, which are never the same
        self._tasks: set[asyncio.Task[Saved]] = set()
        self._saves = Batcher(runner, load_script(PACKAGE, "save"), observe=counters.SAVE_BATCH.observe)
        self._lates = Batcher(runner, load_script(PACKAGE, "late"))

    def publish_counters(self) -> None:
        """Bring the shared counters up to date; one call for each save would cost more than the counting is worth."""
        counters.SAVED.inc(self._saved)
        self._saved = 0

    async def close(self) -> None:
        """Finish what was accepted."""
        while self._tasks:
            await asyncio.wait(self._tasks)
        await self._saves.close()
        await self._lates.close()

    async def save(self, place: Place, lease: int, arrival_ms: int, responses: Sequence[tuple[int, bytes]]) -> Saved:
        """Keep answers durably. Cancelling the caller does not cancel the write.

        Raises
        ------
        NotHeld, NotStarted, AttemptClosed, LeaseTaken, AttemptLocked, TimeOver
        """
        circumstances = self._circumstances(lease, arrival_ms)
        if len(responses) == 1:
            ((slot, packed),) = responses
            answers: tuple[int | bytes, ...] = (slot, packed)
            weight = len(packed)
        else:
            answers = tuple(part for pair in responses for part in pair)
            weight = sum(len(packed) for _, packed in responses)
        # What is remembered may let a save through, for the script compares it; only what was just read may refuse one.
        told, (text, gate, until_ms) = b"", self._gates.get(place.attempt, _UNKNOWN)
        if lease == gate.lease and arrival_ms <= until_ms:
            try:
                put = self._saves.put(place.stream, place.attempt, text, circumstances, *answers, weight=weight)
                reply = await put
            except asyncio.CancelledError:
                self._begin(self._save_anew(place, lease, arrival_ms, answers, weight))  # whoever asked is gone
                raise
            if reply is None:
                raise NotHeld(place.attempt)
            if not isinstance(reply, bytes):
                return self._kept(gate, answers, reply)
            told = reply
        return await asyncio.shield(self._begin(self._save_anew(place, lease, arrival_ms, answers, weight, told)))

    async def _save_anew(
        self, place: Place, lease: int, arrival_ms: int, answers: Sequence[int | bytes], weight: int, text: bytes = b""
    ) -> Saved:
        """Save under the gate that Redis names, or has just named, and keep as evidence what that refuses."""
        circumstances = self._circumstances(lease, arrival_ms)
        gate = _UNKNOWN[1]
        for _ in range(MAXIMUM_TRIES):
            if text:
                gate = self._remember(place, text)
                await self._require_writable(place, gate, lease, arrival_ms, answers, weight)
            reply = await self._saves.put(place.stream, place.attempt, text, circumstances, *answers, weight=weight)
            if reply is None:
                raise NotHeld(place.attempt)
            if not isinstance(reply, bytes):
                return self._kept(gate, answers, reply)
            text = reply
        raise Busy("redis", "the attempt changes faster than we can")

    async def _require_writable(
        self, place: Place, gate: Gate, lease: int, arrival_ms: int, answers: Sequence[int | bytes], weight: int
    ) -> None:
        try:
            require_writable(gate, lease, arrival_ms)
        except AttemptRefusal as refusal:
            if type(refusal) in EVIDENT:
                told = f"{lease} {arrival_ms} {EVIDENT[type(refusal)]}"
                if await self._lates.put(place.stream, place.attempt, told, *answers, weight=weight) is None:
                    raise NotHeld(place.attempt) from refusal
            counters.REFUSED.labels(type(refusal).__name__).inc()
            raise

    def _circumstances(self, lease: int, arrival_ms: int) -> str:
        self._count += 1
        return f"{lease} {arrival_ms} {self._name}-{self._count}"

    def _kept(self, gate: Gate, answers: Sequence[Any], reply: Any) -> Saved:
        self._saved += len(answers) // 2
        return Saved(gate, None if reply == 1 else reply)

    def _begin(self, work: Coroutine[Any, Any, Saved]) -> "asyncio.Task[Saved]":
        """Do work to its end even if nobody waits for it."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: "asyncio.Task[Saved]") -> None:
        self._tasks.discard(task)
        if not task.cancelled():
            task.exception()  # seen by whoever waits; if nobody does, there is nobody to tell

    def _remember(self, place: Place, text: bytes) -> Gate:
        if place.attempt not in self._gates and len(self._gates) >= _MOST_GATES:
            self._gates.clear()
        gate = msgspec.json.decode(text, type=Gate)
        self._gates[place.attempt] = text, gate, writable_until_ms(gate)
        return gate
