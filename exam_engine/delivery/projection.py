"""Stream entries as rows: decodes what the scripts appended, and writes one batch to PostgreSQL in one transaction.

Every statement may run twice, late or beside another writer: logs are unique by stream id, and the newest sequence
and revision win (`model.merging`, which the statements mirror).
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg
import msgspec

from exam_engine.delivery import counters
from exam_engine.delivery.bulletins import Notice
from exam_engine.delivery.model import AttemptState, is_later, newest
from exam_engine.delivery.packing import unpack_response
from exam_engine.delivery.register import SeatNote, StoredChange
from exam_engine.delivery.saving import EVIDENT
from exam_engine.infra.clock import from_milliseconds

_BETWEEN_SAVES = (
    b"\n\n"  # of several attempts in one entry; each is "<attempt> <lease> <arrival>", "<slot> <packed>", …
)
Connection = Any  # an asyncpg connection, from a pool or not


class Entry(msgspec.Struct, frozen=True):
    """One stream entry as read; or the part of it that is one attempt's, where one entry has the saves of several."""

    stream: str
    id: str
    fields: Mapping[bytes, bytes]
    part: int = 0  # from 1 on, of an entry that was taken apart

    def parts(self) -> "list[Entry]":
        """Take saves apart: what PostgreSQL refuses of one attempt shall not take others with it."""
        saves = self.fields.get(b"s", b"").split(_BETWEEN_SAVES)
        if len(saves) == 1:
            return [self]
        return [Entry(self.stream, self.id, {b"s": save}, part) for part, save in enumerate(saves, 1)]

    @property
    def size(self) -> int:
        """How many parts it has."""
        return 1 + self.fields.get(b"s", b"").count(_BETWEEN_SAVES)

    @property
    def name(self) -> str:
        """Its id, and which part of the entry it is."""
        return f"{self.id} {self.part}" if self.part else self.id


class MalformedEntry(Exception):
    """An entry that no script of ours has written; it is set aside."""


class Batch:
    """Rows of many entries, collected column by column."""

    def __init__(self) -> None:
        self.entries = 0
        self.oldest_ms: int | None = None
        self._answers: list[tuple[Any, ...]] = []
        self._late: list[tuple[Any, ...]] = []
        self._changes: dict[UUID, StoredChange] = {}
        self._events: list[tuple[Any, ...]] = []
        self._notices: list[tuple[Any, ...]] = []

    def add(self, entry: Entry) -> None:
        """Take one entry in.

        Raises
        ------
        MalformedEntry
        """
        try:
            at_ms = self._read(entry)
        except (ValueError, KeyError, msgspec.MsgspecError) as error:
            raise MalformedEntry(str(error)) from error
        self.entries += 1
        self.oldest_ms = at_ms if self.oldest_ms is None else min(self.oldest_ms, at_ms)

    async def write(self, connection: Connection) -> None:
        """Write everything in one transaction; it is committed when this returns."""
        async with connection.transaction():
            await self._write_answers(connection)
            await self._write_changes(connection)
            if self._late:
                await connection.execute(_INSERT_LATE, *_columns(sorted(self._late, key=_answer_key)))
            if self._events:
                await connection.execute(_INSERT_EVENTS, *_columns(sorted(self._events, key=_event_key)))
            if self._notices:
                await connection.execute(_INSERT_NOTICES, *_columns(self._notices))
        for table, rows in (
            ("response_event", self._answers),
            ("late_response", self._late),
            ("attempt", self._changes),
            ("attempt_event", self._events),
            ("notice", self._notices),
        ):
            if rows:
                counters.STORED_ROWS.labels(table).inc(len(rows))

    async def _write_answers(self, connection: Connection) -> None:
        if not self._answers:
            return
        # In one order everywhere, so that two writers wait for each other and never in a circle.
        answers = sorted(self._answers, key=_answer_key)
        await connection.execute(_INSERT_RESPONSE_EVENTS, *_columns(answers))
        kept = newest(answers, key=_slot_of, version=_sequence_of)
        await connection.execute(_UPSERT_RESPONSES, *_columns([answer[:6] for answer in kept.values()]))

    async def _write_changes(self, connection: Connection) -> None:
        if self._changes:
            await write_changes(connection, self._changes)

    def _read(self, entry: Entry) -> int:
        if b"s" in entry.fields:
            return self._read_save(entry)
        if b"c" in entry.fields:
            return self._read_change(entry)
        if b"l" in entry.fields:
            return self._read_late(entry)
        if b"e" in entry.fields:
            return self._read_notes(entry)
        if b"n" in entry.fields:
            return self._read_notice(entry)
        raise MalformedEntry("no known field")

    def _read_save(self, entry: Entry) -> int:
        head, *answers = entry.fields[b"s"].split(b"\n")
        if not answers or len(entry.fields) > 1:
            raise MalformedEntry("a save without answers")
        attempt, lease, at_ms, *_mark = head.split(b" ")
        attempt_id, server_time = UUID(attempt.decode()), from_milliseconds(int(at_ms))
        for answer in answers:
            slot, packed = answer.split(b" ", 1)
            sequence, client_ms, value = unpack_response(packed)
            client_time = from_milliseconds(client_ms)
            self._answers.append(
                (attempt_id, int(slot), sequence, value.decode(), client_time, server_time, entry.id, int(lease))
            )
        return int(at_ms)

    def _read_late(self, entry: Entry) -> int:
        attempt, lease, at_ms, refusal = entry.fields[b"l"].split(b" ")
        if refusal.decode() not in EVIDENT.values():
            raise MalformedEntry("refused for no reason that is known")
        attempt_id, server_time = UUID(attempt.decode()), from_milliseconds(int(at_ms))
        for slot, packed in entry.fields.items():
            if slot != b"l":
                sequence, client_ms, value = unpack_response(packed)
                client_time = from_milliseconds(client_ms)
                answer = (attempt_id, int(slot), sequence, value.decode(), client_time, server_time, entry.id)
                self._late.append((*answer, int(lease), refusal.decode()))
        return int(at_ms)

    def _read_change(self, entry: Entry) -> int:
        attempt_id = UUID(entry.fields[b"c"].decode())
        change = msgspec.json.decode(entry.fields[b"f"], type=StoredChange)
        known = self._changes.get(attempt_id)
        if is_later(change.facts.revision, None if known is None else known.facts.revision):
            self._changes[attempt_id] = change
        detail = {"by": change.by, "lease": change.facts.lease, "revision": change.facts.revision, **change.detail}
        self._add_event(attempt_id, "server", SeatNote(kind=change.kind, at_ms=change.at_ms, detail=detail), entry, 0)
        return change.at_ms

    def _read_notes(self, entry: Entry) -> int:
        attempt_id = UUID(entry.fields[b"e"].decode())
        notes = msgspec.json.decode(entry.fields[b"d"], type=list[SeatNote])
        for position, note in enumerate(notes):
            self._add_event(attempt_id, note.source, note, entry, position)
        return min(note.at_ms for note in notes)

    def _read_notice(self, entry: Entry) -> int:
        notice = msgspec.json.decode(entry.fields[b"d"], type=Notice)
        self._notices.append(
            (
                notice.sitting_id,
                int(entry.fields[b"n"]),
                notice.kind,
                notice.text,
                notice.extra_seconds,
                notice.room_id,
                notice.attempt_id,
                notice.created_by,
                from_milliseconds(notice.created_ms),
            )
        )
        return notice.created_ms

    def _add_event(self, attempt_id: UUID, source: str, note: SeatNote, entry: Entry, position: int) -> None:
        client_time = None if note.client_ms is None else from_milliseconds(note.client_ms)
        detail = msgspec.json.encode(note.detail).decode()
        server_time = from_milliseconds(note.at_ms)
        self._events.append((attempt_id, source, str(note.kind), client_time, server_time, detail, entry.id, position))


async def write_changes(connection: Connection, changes: Mapping[UUID, StoredChange]) -> None:
    """Write the facts of attempts in the transaction of the caller; a higher revision stays."""
    await connection.execute(_LOCK_ATTEMPTS, list(changes))
    rows = [_attempt_row(attempt_id, change) for attempt_id, change in sorted(changes.items())]
    await connection.execute(_UPDATE_ATTEMPTS, *_columns(rows))


async def write_entries(connection: Connection, entries: Sequence[Entry], now: datetime) -> int | None:
    """Write entries; what PostgreSQL will not take is set aside whole. Returns the oldest arrival, milliseconds.

    Raises
    ------
    asyncpg.PostgresError, OSError
        The server is away or out of order; nothing is lost by calling again.
    """
    entries = [part for entry in entries for part in entry.parts()]
    batch = Batch()
    malformed: list[tuple[Entry, str]] = []
    for entry in entries:
        try:
            batch.add(entry)
        except MalformedEntry as error:
            malformed.append((entry, f"malformed: {error}"))
    for entry, reason in malformed:
        await _set_aside(connection, entry, reason, now)
    try:
        await batch.write(connection)
    except (asyncpg.DataError, asyncpg.IntegrityConstraintViolationError) as error:
        sound = [entry for entry in entries if all(entry is not bad for bad, _ in malformed)]
        if len(sound) == 1:
            await _set_aside(connection, sound[0], f"{type(error).__name__}: {error}", now)
        else:
            # Halve until the one entry that is refused stands alone; the others are written.
            middle = len(sound) // 2
            await write_entries(connection, sound[:middle], now)
            await write_entries(connection, sound[middle:], now)
    return batch.oldest_ms


async def _set_aside(connection: Connection, entry: Entry, reason: str, now: datetime) -> None:
    body = {name.decode(errors="replace"): value.decode(errors="replace") for name, value in entry.fields.items()}
    text = msgspec.json.encode(body).decode().replace("\\u0000", "?")
    await connection.execute(_INSERT_REJECT, entry.stream, entry.name, text, reason.replace("\x00", "?"), now)
    counters.REJECTED.inc()


def _answer_key(answer: tuple[Any, ...]) -> Any:
    return answer[0], answer[1], answer[2]


def _slot_of(answer: tuple[Any, ...]) -> tuple[Any, ...]:
    return answer[:2]


def _sequence_of(answer: tuple[Any, ...]) -> int:
    return int(answer[2])


def _event_key(event: tuple[Any, ...]) -> Any:
    return event[0], event[6], event[7]


def _columns(rows: Iterable[tuple[Any, ...]]) -> list[list[Any]]:
    return [list(column) for column in zip(*rows, strict=True)]


def _attempt_row(attempt_id: UUID, change: StoredChange) -> tuple[Any, ...]:
    facts = change.facts
    finished = _moment(facts.finished_ms)
    return (
        attempt_id,
        facts.state.value,
        facts.revision,
        facts.lease,
        facts.client,
        _moment(facts.seated_ms),
        facts.claimant,
        _moment(facts.claimed_ms),
        facts.refused,
        _moment(facts.started_ms),
        _moment(facts.deadline_ms),
        _moment(facts.paused_ms),
        facts.stops,
        facts.is_locked,
        facts.extra_ms,
        facts.accommodated_ms,
        msgspec.json.encode(facts.extensions.split()).decode(),
        finished if facts.state is AttemptState.SUBMITTED else None,
        finished if facts.state is AttemptState.CLOSED else None,
        facts.reason or None,
        from_milliseconds(change.at_ms),
    )


def _moment(milliseconds: int) -> datetime | None:
    return from_milliseconds(milliseconds) if milliseconds else None


_INSERT_RESPONSE_EVENTS = """
insert into response_event (attempt_id, slot, sequence, value, client_time, server_time, stream_id, lease)
select * from unnest($1::uuid[], $2::int[], $3::bigint[], $4::jsonb[], $5::timestamptz[], $6::timestamptz[],
                     $7::text[], $8::int[])
on conflict (attempt_id, slot, stream_id) do nothing
"""

_UPSERT_RESPONSES = """
insert into response as held (attempt_id, slot, sequence, value, client_time, server_time)
select * from unnest($1::uuid[], $2::int[], $3::bigint[], $4::jsonb[], $5::timestamptz[], $6::timestamptz[])
on conflict (attempt_id, slot) do update
set sequence = excluded.sequence, value = excluded.value, client_time = excluded.client_time,
    server_time = excluded.server_time
where excluded.sequence > held.sequence
"""

_LOCK_ATTEMPTS = "select 1 from attempt where id = any($1::uuid[]) order by id for no key update"

_UPDATE_ATTEMPTS = """
update attempt
set state = news.state, revision = news.revision, lease = news.lease, client = news.client,
    seated_at = news.seated_at, claimant = news.claimant, claimed_at = news.claimed_at, refused = news.refused,
    started_at = news.started_at, due_at = news.due_at, paused_at = news.paused_at, stops = news.stops,
    is_locked = news.is_locked, extra_ms = news.extra_ms, accommodated_ms = news.accommodated_ms,
    extensions = news.extensions,
    submitted_at = news.submitted_at, closed_at = news.closed_at, close_reason = news.close_reason,
    last_seen_at = greatest(attempt.last_seen_at, news.at)
from unnest($1::uuid[], $2::text[], $3::bigint[], $4::int[], $5::text[], $6::timestamptz[], $7::text[],
            $8::timestamptz[], $9::text[], $10::timestamptz[], $11::timestamptz[], $12::timestamptz[], $13::text[],
            $14::bool[], $15::int[], $16::int[], $17::jsonb[], $18::timestamptz[], $19::timestamptz[], $20::text[],
            $21::timestamptz[])
  as news(id, state, revision, lease, client, seated_at, claimant, claimed_at, refused, started_at, due_at,
          paused_at, stops, is_locked, extra_ms, accommodated_ms, extensions, submitted_at, closed_at, close_reason,
          at)
where attempt.id = news.id and attempt.revision < news.revision
"""

_INSERT_LATE = """
insert into late_response (attempt_id, slot, sequence, value, client_time, server_time, stream_id, lease, refusal)
select * from unnest($1::uuid[], $2::int[], $3::bigint[], $4::jsonb[], $5::timestamptz[], $6::timestamptz[],
                     $7::text[], $8::int[], $9::text[])
on conflict (attempt_id, slot, stream_id) do nothing
"""

_INSERT_EVENTS = """
insert into attempt_event (attempt_id, source, kind, client_time, server_time, detail, stream_id, position)
select * from unnest($1::uuid[], $2::text[], $3::text[], $4::timestamptz[], $5::timestamptz[], $6::jsonb[],
                     $7::text[], $8::int[])
on conflict (attempt_id, stream_id, position) do nothing
"""

_INSERT_NOTICES = """
insert into notice (sitting_id, number, kind, text, extra_seconds, room_id, attempt_id, created_by, created_at)
select * from unnest($1::uuid[], $2::bigint[], $3::text[], $4::text[], $5::int[], $6::uuid[], $7::uuid[],
                     $8::text[], $9::timestamptz[])
on conflict (sitting_id, number) do nothing
"""

_INSERT_REJECT = """
insert into stream_reject (stream, stream_id, body, reason, at) values ($1, $2, $3::jsonb, $4, $5)
on conflict (stream, stream_id) do nothing
"""
