"""The register of open sittings: the Redis side of attempts, every read and write of them (keys: `places`)."""

from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Literal
from uuid import UUID, uuid4

import msgspec
from redis.exceptions import RedisError

from exam_engine.delivery.errors import SittingSealed
from exam_engine.delivery.model import AttemptFacts, AttemptId, Change, ChangeKind, waited_until_ms
from exam_engine.delivery.packing import count_answered, sequences_of
from exam_engine.delivery.places import PACKAGE, NotHeld, Place
from exam_engine.delivery.saving import MAXIMUM_TRIES, Saved, Saving
from exam_engine.infra.errors import Busy
from exam_engine.infra.redis_client import Batcher, ScriptRunner, is_away, load_script, unavailable

_MARKED_CHARACTERS = 4 * 65  # four acts
_SEALED = -2  # reply of the scripts that change attempts
_FACTS = AttemptFacts.__struct_fields__
NEVER = b"0 0"  # last save of an attempt of which nothing was saved since it is here


class Noticed(msgspec.Struct, frozen=True):
    """How often a seat reported something, and when last."""

    times: int
    last_ms: int


class Held(msgspec.Struct, frozen=True, kw_only=True):
    """An attempt as Redis holds it."""

    facts: AttemptFacts
    saved_ms: int = 0
    answered: int = 0
    last_save: bytes = b""  # another as soon as an answer changes
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


class Register:
    """Every read and write of attempts in Redis; each write is in the shard's stream when it is acknowledged."""

    def __init__(self, runner: ScriptRunner) -> None:
        self._runner = runner
        self._post = load_script(PACKAGE, "post")
        self._seal = load_script(PACKAGE, "seal")
        self._saving = Saving(runner)
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
        self._saving.publish_counters()

    async def close(self) -> None:
        """Finish what was accepted."""
        await self._saving.close()
        for batcher in (self._changes, self._primes, self._counts, self._notes, self._looks):
            await batcher.close()

    def save(
        self, place: Place, lease: int, arrival_ms: int, responses: Sequence[tuple[int, bytes]]
    ) -> Awaitable[Saved]:
        """Keep answers, as `Saving.save` does."""
        return self._saving.save(place, lease, arrival_ms, responses)

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
            arguments += (msgspec.json.encode(attempt.facts.gate), _tally(attempt.responses), NEVER, len(facts), *facts)
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
        for _ in range(MAXIMUM_TRIES):
            held = await self.look(place, depth)
            facts = held.facts
            change = decide(held)
            if change is None or change.facts.revision == facts.revision:
                return held, change
            after = msgspec.structs.replace(held, facts=change.facts)
            expected = facts.revision, held.last_save if depth == "r" else b""
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


def _held(
    flat: Sequence[bytes], seen: bytes | None, tally: bytes | None, last_save: bytes | None, pairs: Sequence[Any]
) -> Held:
    found = {flat[i].decode(): flat[i + 1].decode() for i in range(0, len(flat), 2)}
    return Held(
        facts=msgspec.convert({name: found[name] for name in _FACTS if name in found}, AttemptFacts, strict=False),
        saved_ms=int((last_save or NEVER).split(b" ")[1]),
        answered=int((tally or b"0 ").split(b" ")[0]),
        last_save=last_save or b"",
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
    """Return how many answers there are, and the slots that have one or had."""
    slots = "".join(f"{slot}," for slot in responses)
    return f"{count_answered(responses)} {slots}"


def _limit(facts: AttemptFacts) -> str | int:
    """Return after which moment the timer shall look; empty: not waited for."""
    until_ms = waited_until_ms(facts)
    return "" if until_ms is None else until_ms


def _translated(error: Exception) -> Exception:
    return unavailable(error) if is_away(error) else error
