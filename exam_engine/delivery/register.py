"""The register of open sittings: the Redis side of attempts, one group of keys a shard.

Keys `sit:{<sitting>:<shard>}:` + `events` (stream to PostgreSQL), `a:<attempt>` (facts), `answers` (below),
`l:<attempt>` (marks of refused answers kept), `due` (until when attempts are waited for), `seen`, `notices`,
`notice-of`, `changed` and `changes` (whose facts changed, and the count), `primed`, `sealed` (the sitting closes).
Scripts derive them from the stream's key.

All that a save asks and changes lies in the one hash `answers`, so that a batch of saves is three commands (decision
0020): `<attempt> <slot>` is a packed answer; `<attempt>` the gate (`model.Gate`), which the script compares and the
model judges; `<attempt> n` the tally, never the same again once an answer has changed: "<answered> <slot>,<slot>,…
<lease> <arrival> <slot> <sequence>" of all slots that have an answer, cleared ones too, and of the last save.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Any, Literal
from uuid import UUID, uuid4

import msgspec
from redis.exceptions import RedisError

from exam_engine.delivery import counters
from exam_engine.delivery.errors import (
    AttemptClosed,
    AttemptLocked,
    AttemptRefusal,
    LeaseTaken,
    SittingSealed,
    TimeOver,
)
from exam_engine.delivery.model import (
    AttemptFacts,
    AttemptId,
    Change,
    ChangeKind,
    Gate,
    SittingId,
    require_writable,
    shard_of,
    waited_until_ms,
)
from exam_engine.infra.errors import Busy
from exam_engine.infra.redis_client import Batcher, ScriptRunner, is_away, load_script, unavailable

PACKAGE = "exam_engine.delivery"
KEPT_AFTER_CLOSE_SECONDS = 7 * 24 * 3600
_MAXIMUM_TRIES = 50
_MARKED_CHARACTERS = 4 * 65  # four acts
_MOST_GATES = 100_000
_UNKNOWN = b"", AttemptFacts(starts_ms=0, late_ms=0, ends_ms=0, duration_ms=0, grace_ms=0).gate
_EVIDENT = {  # refusals after the start: what they refuse is kept
    AttemptClosed: "attempt-closed",
    LeaseTaken: "lease-taken",
    TimeOver: "time-over",
    AttemptLocked: "attempt-locked",
}
_SEALED = -2  # reply of the scripts that change attempts
_FACTS = AttemptFacts.__struct_fields__


class NotHeld(Exception):
    """Redis does not know the attempt: take it over from PostgreSQL and ask again. Never leaves the room."""


class Place(msgspec.Struct, frozen=True):
    """Where an attempt is kept: its id as text and the stream of its shard."""

    attempt: str
    stream: str

    @property
    def prefix(self) -> str:
        """What all keys of the shard begin with."""
        return self.stream.removesuffix("events")


class Noticed(msgspec.Struct, frozen=True):
    """How often a seat reported something, and when last."""

    times: int
    last_ms: int


class Held(msgspec.Struct, frozen=True, kw_only=True):
    """An attempt as Redis holds it."""

    facts: AttemptFacts
    saved_ms: int = 0
    answered: int = 0
    tally: bytes = b""  # another as soon as an answer changes
    acts: str = ""  # requests of the last acts of people that changed it, separated by blanks, the newest first
    noticed: Mapping[str, Noticed] = {}  # what its seat reported, by kind
    seen_ms: int = 0
    responses: Mapping[int, bytes] = {}  # packed answers, or only sequences, by slot

    @property
    def alive_ms(self) -> int:
        """The last sign of life of the seat that holds the lease."""
        return max(self.seen_ms, self.saved_ms)

    def sequences(self) -> dict[int, int]:
        """The newest sequence of each slot."""
        return sequences_of(self.responses)


class Saved(msgspec.Struct, frozen=True):
    """What a save came to: the deadline now, and the newest sequence of each slot in the order asked."""

    deadline_ms: int
    is_paused: bool
    sequences: Sequence[int]


class StoredChange(msgspec.Struct, frozen=True, kw_only=True):
    """A change as it travels in the stream."""

    kind: ChangeKind
    at_ms: int
    by: str  # "seat", "timer", "person:<user name>"
    facts: AttemptFacts
    detail: dict[str, Any] = {}


class SeatNote(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Something a seat noticed, or the server about it, as it travels in the stream."""

    kind: str
    at_ms: int
    client_ms: int | None = None
    detail: dict[str, Any] = {}
    source: Literal["seat", "server"] = "seat"


class PrimedAttempt(msgspec.Struct, frozen=True):
    """An attempt to take over: its facts, its answers packed, and its last sign of life (0: none)."""

    place: Place
    facts: AttemptFacts
    responses: Mapping[int, bytes] = {}
    alive_ms: int = 0


def stream_key(sitting_id: UUID, shard: int) -> str:
    """Return the key of a shard's event stream."""
    return f"sit:{{{sitting_id}:{shard}}}:events"


def stream_keys(sitting_id: SittingId, shards: int) -> list[str]:
    """Return the streams of a sitting."""
    return [stream_key(sitting_id, shard) for shard in range(shards)]


def place_of(sitting_id: UUID, shards: int, attempt_id: UUID) -> Place:
    """Return where an attempt is kept."""
    return Place(str(attempt_id), stream_key(sitting_id, shard_of(attempt_id, shards)))


def pack_response(sequence: int, client_time_ms: int, value: bytes, is_answered: bool) -> bytes:
    """Pack an answer as Redis keeps it; the scripts read sequence and flag."""
    return b"%d %d %d %b" % (sequence, is_answered, client_time_ms, value)


def unpack_response(packed: bytes) -> tuple[int, int, bytes]:
    """Return sequence, client time and the value's JSON."""
    sequence, _, client_time, value = packed.split(b" ", 3)
    return int(sequence), int(client_time), value


def sequence_of(packed: bytes) -> int:
    """Return the sequence of an answer."""
    return int(packed.partition(b" ")[0])


def sequences_of(responses: Mapping[int, bytes]) -> dict[int, int]:
    """Return the sequence of each slot."""
    return {slot: sequence_of(packed) for slot, packed in responses.items()}


def count_answered(responses: Mapping[int, bytes]) -> int:
    """Count the slots that hold an answer, not a cleared one."""
    return sum(packed.split(b" ", 2)[1] == b"1" for packed in responses.values())


class Register:
    """Every read and write of attempts in Redis; each write is in the shard's stream when it is acknowledged."""

    def __init__(self, runner: ScriptRunner) -> None:
        self._runner = runner
        self._saved = 0  # answers acknowledged since the counters were published
        self._post = load_script(PACKAGE, "post")
        self._seal = load_script(PACKAGE, "seal")
        self._gates: dict[str, tuple[bytes, Gate]] = {}  # of attempts, as they were last seen
        self._tasks: set[asyncio.Task[Any]] = set()
        self._saves = Batcher(runner, load_script(PACKAGE, "save"), observe=counters.SAVE_BATCH.observe)
        self._lates = Batcher(runner, load_script(PACKAGE, "late"))
        self._changes = Batcher(runner, load_script(PACKAGE, "apply"), batch=100)
        self._primes = Batcher(runner, load_script(PACKAGE, "prime"), batch=50, capacity=100_000)
        self._counts = Batcher(runner, load_script(PACKAGE, "count"))
        self._notes = Batcher(runner, load_script(PACKAGE, "note"))
        self._looks = Batcher(runner, load_script(PACKAGE, "look"), is_reading=True, capacity=100_000)

    @property
    def redis(self) -> Any:
        """The client, for commands on a whole shard."""
        return self._runner.redis

    def publish_counters(self) -> None:
        """Bring the shared counters up to date; one call for each save would cost more than the counting is worth."""
        counters.SAVED.inc(self._saved)
        self._saved = 0

    async def close(self) -> None:
        """Finish what was accepted."""
        while self._tasks:
            await asyncio.wait(self._tasks)
        for batcher in (self._saves, self._lates, self._changes, self._primes, self._counts, self._notes, self._looks):
            await batcher.close()

    async def save(self, place: Place, lease: int, arrival_ms: int, responses: Sequence[tuple[int, bytes]]) -> Saved:
        """Keep answers durably. Cancelling the caller does not cancel the write.

        Raises
        ------
        NotHeld, NotStarted, AttemptClosed, LeaseTaken, AttemptLocked, TimeOver
        """
        circumstances = f"{lease} {arrival_ms}"
        if len(responses) == 1:
            ((slot, packed),) = responses
            answers: tuple[int | bytes, ...] = (slot, packed)
            weight = len(packed)
        else:
            answers = tuple(part for pair in responses for part in pair)
            weight = sum(len(packed) for _, packed in responses)
        # What is remembered may let a save through, for the script compares it; only what was just read may refuse one.
        text, gate = self._gates.get(place.attempt, _UNKNOWN)
        if not _lets(gate, lease, arrival_ms):
            text = b""
        try:
            for _ in range(_MAXIMUM_TRIES):
                reply = await self._saves.put(place.stream, place.attempt, text, circumstances, *answers, weight=weight)
                if reply is None:
                    raise NotHeld(place.attempt)
                if not isinstance(reply, bytes):
                    self._saved += len(responses)
                    sequences = [sequence_of(packed) for _, packed in responses] if reply == 1 else reply
                    return Saved(gate.deadline_ms, gate.is_paused, sequences)
                text, gate = reply, self._remember(place, reply)
                try:
                    require_writable(gate, lease, arrival_ms)
                except AttemptRefusal as refusal:
                    counters.REFUSED.labels(type(refusal).__name__).inc()
                    if type(refusal) in _EVIDENT:
                        told = f"{circumstances} {_EVIDENT[type(refusal)]}"
                        await self._lates.put(place.stream, place.attempt, told, *answers, weight=weight)
                    raise
        except asyncio.CancelledError:
            self._go_on(self.save(place, lease, arrival_ms, responses))  # whoever asked is gone; again does no harm
            raise
        raise Busy("redis", "the attempt changes faster than we can")

    def _go_on(self, work: Coroutine[Any, Any, Any]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: "asyncio.Task[Any]") -> None:
        self._tasks.discard(task)
        if not task.cancelled():
            task.exception()  # nobody waits for it

    def _remember(self, place: Place, text: bytes) -> Gate:
        if len(self._gates) >= _MOST_GATES:
            self._gates.clear()
        gate = msgspec.json.decode(text, type=Gate)
        self._gates[place.attempt] = text, gate
        return gate

    async def count(self, place: Place, lease: int, arrival_ms: int, slot: int, packed: bytes) -> bool:
        """Let a refused answer count after all; False: something newer is held.

        Raises
        ------
        NotHeld, SittingSealed
        """
        reply = await self._counts.put(place.stream, f"{place.attempt} {lease} {arrival_ms}", slot, packed)
        if reply == 0:
            raise NotHeld(place.attempt)
        if reply == _SEALED:
            raise SittingSealed
        return bool(reply == 1)

    async def look(self, place: Place, depth: str = "f") -> Held:
        """Read an attempt: facts `f`, with sequences `s`, or with whole answers `r`.

        Raises
        ------
        NotHeld
        """
        facts, *more = await self._looks.put(place.stream, place.attempt, depth)
        if not facts:
            raise NotHeld(place.attempt)
        return _held(facts, *more)

    async def change(
        self, place: Place, decide: Callable[[AttemptFacts], Change | None], by: str, **detail: Any
    ) -> tuple[AttemptFacts, Change | None]:
        """Apply a transition of the model to the newest facts; None from `decide` leaves them.

        Raises
        ------
        NotHeld, SittingSealed, and whatever `decide` raises
        """
        return await self.act(place, lambda held: decide(held.facts), by, **detail)

    async def act(
        self, place: Place, decide: Callable[[Held], Change | None], by: str, **detail: Any
    ) -> tuple[AttemptFacts, Change | None]:
        """Apply a transition that asks for more than the facts: signs of life.

        Raises
        ------
        NotHeld, SittingSealed, and whatever `decide` raises
        """
        held, change = await self._act(place, "f", decide, by, lambda _held, _change: detail)
        return held.facts, change

    async def act_on_answers(
        self,
        place: Place,
        decide: Callable[[Held], Change | None],
        by: str,
        tell: Callable[[Held, Change], dict[str, Any]],
    ) -> tuple[Held, Change | None]:
        """Apply a transition to facts and whole answers of one moment; an answer that comes between is not overlooked.

        `tell` is what the change carries, from the attempt as it is after it. Returned is that attempt.

        Raises
        ------
        NotHeld, and whatever `decide` raises
        """
        return await self._act(place, "r", decide, by, tell)

    async def prime(self, attempts: Sequence[PrimedAttempt]) -> int:
        """Take attempts over; those held already stay as they are. Returns how many were taken over."""
        futures = []
        for attempt in attempts:
            facts = _fields(attempt.facts)
            arguments: list[str | bytes | int] = [_limit(attempt.facts), attempt.alive_ms]
            arguments += (msgspec.json.encode(attempt.facts.gate), _tally(attempt.responses), len(facts), *facts)
            for slot, packed in attempt.responses.items():
                arguments += (slot, packed)
            weight = sum(map(len, attempt.responses.values()))
            futures.append(self._primes.put(attempt.place.stream, attempt.place.attempt, *arguments, weight=weight))
        return sum([await future for future in futures])

    async def note(self, place: Place, notes: Sequence[SeatNote]) -> None:
        """Keep what a seat noticed.

        Raises
        ------
        NotHeld
        """
        events = msgspec.json.encode(notes).replace(b"\\u0000", b"?")  # what jsonb cannot hold
        kinds = " ".join(f"{kind}={times}" for kind, times in Counter(note.kind for note in notes).items())
        moment = max((note.at_ms for note in notes), default=0)
        is_servers = int(all(note.source == "server" for note in notes))
        # A call whose reply was lost is repeated; by its name the script knows it again.
        told = (uuid4().hex[:12], is_servers, moment, kinds, events)
        if not await self._notes.put(place.stream, place.attempt, *told, weight=len(events)):
            raise NotHeld(place.attempt)

    async def post(self, stream: str, request: str, number: int, notice: bytes, *, is_kept: bool) -> int:
        """Post a notice to a shard, once; returns its number there."""
        try:
            arguments = [request, number, notice, "1" if is_kept else ""]
            return int(await self._runner.run(self._post, stream, arguments))
        except (RedisError, OSError) as error:
            raise _translated(error) from error

    async def due(self, stream: str, now_ms: int, limit: int) -> list[AttemptId]:
        """Return attempts of a shard that are no longer waited for."""
        try:
            found = await self.redis.zrangebyscore(
                stream.removesuffix("events") + "due", "-inf", f"({now_ms}", start=0, num=limit
            )
        except (RedisError, OSError) as error:
            raise _translated(error) from error
        return [AttemptId(UUID(attempt.decode())) for attempt in found]

    async def seal(self, stream: str, *, is_sealed: bool = True) -> bool:
        """Let no change happen any more in a shard, or again; False: somebody there is waited for."""
        try:
            return bool(await self._runner.run(self._seal, stream, ["1" if is_sealed else ""]))
        except (RedisError, OSError) as error:
            raise _translated(error) from error

    async def is_primed(self, stream: str) -> bool:
        """Whether a shard was filled since Redis last began empty."""
        try:
            return bool(await self.redis.exists(stream.removesuffix("events") + "primed"))
        except (RedisError, OSError) as error:
            raise _translated(error) from error

    async def mark_primed(self, stream: str) -> None:
        """Remember that a shard is filled; the mark is never the same after Redis began empty again."""
        try:
            await self.redis.set(stream.removesuffix("events") + "primed", uuid4().hex, nx=True)
        except (RedisError, OSError) as error:
            raise _translated(error) from error

    async def _act(
        self,
        place: Place,
        depth: str,
        decide: Callable[[Held], Change | None],
        by: str,
        tell: Callable[[Held, Change], dict[str, Any]],
    ) -> tuple[Held, Change | None]:
        for _ in range(_MAXIMUM_TRIES):
            held = await self.look(place, depth)
            facts = held.facts
            change = decide(held)
            if change is None or change.facts.revision == facts.revision:
                return held, change
            after = msgspec.structs.replace(held, facts=change.facts)
            expected = facts.revision, held.tally if depth == "r" else b""
            if await self._apply(place, expected, change, by, tell(after, change), held.acts):
                return after, change
        raise Busy("redis", "the attempt changes faster than we can")

    async def _apply(
        self, place: Place, expected: tuple[int, bytes], change: Change, by: str, detail: dict[str, Any], acts: str
    ) -> bool:
        marks: list[str | int] = []
        if "request" in detail:  # an act whose reply or commit was lost is known again when it is repeated
            marks = ["acts", f"{detail['request']} {acts}"[:_MARKED_CHARACTERS]]
        stored = StoredChange(kind=change.kind, at_ms=change.at_ms, by=by, facts=change.facts, detail=detail)
        reply = await self._changes.put(
            place.stream,
            place.attempt,
            *expected,
            _limit(change.facts),
            msgspec.json.encode(stored),
            msgspec.json.encode(change.facts.gate),
            *_fields(change.facts),
            *marks,
        )
        if reply == 0:
            raise NotHeld(place.attempt)
        if reply == _SEALED:
            raise SittingSealed
        return bool(reply == 1)


def _lets(gate: Gate, lease: int, arrival_ms: int) -> bool:
    try:
        require_writable(gate, lease, arrival_ms)
    except AttemptRefusal:
        return False
    return True


def _held(flat: Sequence[bytes], seen: bytes | None, tally: bytes | None, pairs: Sequence[Any]) -> Held:
    found = {flat[i].decode(): flat[i + 1].decode() for i in range(0, len(flat), 2)}
    answered, _, _, saved_ms, *_ = (tally or b"0  0 0").split(b" ")
    return Held(
        facts=msgspec.convert({name: found[name] for name in _FACTS if name in found}, AttemptFacts, strict=False),
        saved_ms=int(saved_ms),
        answered=int(answered),
        tally=tally or b"",
        acts=found.get("acts", ""),
        noticed={
            name[2:]: Noticed(int(times), int(found.get("w:" + name[2:], 0)))
            for name, times in found.items()
            if name.startswith("n:")
        },
        seen_ms=int(seen or 0),
        responses={int(pairs[i]): pairs[i + 1] for i in range(0, len(pairs), 2)},
    )


def _fields(facts: AttemptFacts) -> list[str | int]:
    fields: list[str | int] = []
    for name in _FACTS:
        value = getattr(facts, name)
        fields += (name, int(value) if value is True or value is False else value)
    return fields


def _tally(responses: Mapping[int, bytes]) -> str:
    """Return the tally of an attempt of which nothing was saved since it is here."""
    slots = "".join(f"{slot}," for slot in responses)
    return f"{count_answered(responses)} {slots} 0 0 0 0"


def _limit(facts: AttemptFacts) -> str | int:
    """Return after which moment the timer shall look; empty: not waited for."""
    until_ms = waited_until_ms(facts)
    return "" if until_ms is None else until_ms


def _translated(error: Exception) -> Exception:
    return unavailable(error) if is_away(error) else error
