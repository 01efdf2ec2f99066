"""Statements: what a room held when its sitting had closed, signed, and how a change made later is found in its place.

    row ──digest (8 bytes a column, or a row)──► proof of an attempt ──SHA-256──► line ──SHA-256──► root ──► signature

The newest answers get one digest a column, so that a finding names attempt, slot and column. Raw events are chained in
the order of the stream (each hash covers the one before), with one digest a row: none can be changed, removed, inserted
or moved unseen. The sitting's own row, its notices, acts and decisions about late answers are stated by a digest each.
What a seat told, or a stick brought, after the statement is no difference: it is counted as later. The short digests
only tell where; that nothing differs is said by the whole hashes in the signed body.
"""

import hashlib
import struct
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

import msgspec

from exam_engine.delivery.receipts import GivenAnswer, answers_hash

_SIGNED = b"exam-engine room statement 1\n"
_SLOT = struct.Struct(">H")
_ROW = struct.Struct(">BQIH8s")
_DIGEST_BYTES = 8
ANSWER_COLUMNS = ("sequence", "value", "client_time", "server_time")
LOG_TABLES = ("response_event", "attempt_event", "late_response")  # numbered in proofs for ever: add at the end
Fact = str | int | None


class StoredAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """A row of `response`."""

    slot: int
    sequence: int
    value: Any
    client_time: datetime
    server_time: datetime


class LogRow(msgspec.Struct, frozen=True, kw_only=True):
    """A row of `LOG_TABLES`; `place` is its slot, or its position in the stream's entry."""

    table: str
    stream_id: str
    place: int
    content: tuple[Any, ...]
    may_follow: bool = False  # what a seat noticed, or what was refused, may come in after the close
    is_from_a_stick: bool = False  # no stream brought it

    @property
    def key(self) -> tuple[int, int, int, int]:
        """Where it stands in the log."""
        moment, _, count = self.stream_id.partition("-")
        table = LOG_TABLES.index(self.table)
        if moment.isdecimal() and count.isdecimal():
            return int(moment), int(count), table, self.place
        return 0, zlib.crc32(self.stream_id.encode()), table, self.place  # written by hand: it never came in a stream

    def follows(self, newest: tuple[int, int]) -> bool:
        """Whether it may have come after the statement, whose newest entry this was: streams never count backwards."""
        return self.may_follow and (self.is_from_a_stick or self.key[:2] > newest)


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """Everything PostgreSQL holds of one attempt."""

    attempt_id: UUID
    facts: Mapping[str, Fact]
    answers: Sequence[StoredAnswer]
    log: Sequence[LogRow]

    @property
    def given(self) -> list[GivenAnswer]:
        """The final answers."""
        return [GivenAnswer(answer.slot, answer.sequence, answer.value) for answer in self.answers]


class Proof(msgspec.Struct, frozen=True, kw_only=True):
    """Digests of an attempt's rows, and the receipt its candidate has."""

    attempt_id: UUID
    answers: bytes
    log: bytes
    receipt: str

    @property
    def hash(self) -> str:
        """What a line states of it."""
        digest = hashlib.sha256(self.attempt_id.bytes)
        for part in (self.answers, self.log, self.receipt.encode()):
            digest.update(len(part).to_bytes(8, "big") + part)
        return digest.hexdigest()


class StatementGap(msgspec.Struct, frozen=True, kw_only=True):
    """A place where seat, Redis and PostgreSQL did not hold the same when the statement was made."""

    attempt_id: UUID
    candidate_number: str
    slot: int | None  # none: the attempt as a whole
    what: str  # "sequence", "value", "state", "receipt"
    at_seat: str = ""
    in_redis: str = ""
    stored: str = ""


class AttemptLine(msgspec.Struct, frozen=True, kw_only=True):
    """One attempt in a statement; counts are slots that were ever answered."""

    attempt_id: UUID
    candidate_number: str
    seat_number: int | None
    paper_code: str
    facts: Mapping[str, Fact]
    at_seat: int | None  # when it was handed in; none: it was not
    in_redis: int | None  # none: Redis had let the sitting go
    stored: int
    answered: int
    answers_hash: str
    events: int
    log_hash: str  # end of the chain of raw events
    proof_hash: str

    @property
    def state(self) -> str:
        """Where the attempt stood, or why it was closed."""
        return str(self.facts.get("close_reason") or self.facts["state"])


class Statement(msgspec.Struct, frozen=True, kw_only=True):
    """What is signed for one room."""

    sitting_id: UUID
    sitting: str
    exam: str
    subject: str
    room: str
    number: int
    previous: str  # hash of the statement before it of the same room; empty: the first
    form_hash: str
    starts_at: datetime
    ends_at: datetime
    made_at: datetime
    made_by: str
    attempts: tuple[AttemptLine, ...]
    gaps: tuple[StatementGap, ...]
    root: str
    record: Mapping[str, Mapping[str, str]] = {}  # of the sitting as a whole: digest by table and row, or column

    @property
    def is_whole(self) -> bool:
        """Whether seat, Redis and PostgreSQL held the same."""
        return not self.gaps


class SignedStatement(msgspec.Struct, frozen=True, kw_only=True):
    """A statement with the very bytes that are signed."""

    id: UUID
    statement: Statement
    body: bytes
    signature: bytes
    public_key: bytes

    @property
    def hash(self) -> str:
        """By which the next statement names this one."""
        return hashlib.sha256(self.body).hexdigest()


class DifferenceKind(StrEnum):
    """How what is there now differs from what was stated."""

    CHANGED = "changed"
    MISSING = "missing"
    ADDED = "added"
    FORGED = "forged"  # the statement or its proof itself


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """One difference in its exact place."""

    room: str
    candidate_number: str
    attempt_id: UUID | None
    table: str
    kind: DifferenceKind
    slot: int | None = None
    stream_id: str = ""
    column: str = ""
    stated: str = ""
    found: str = ""


def statement_body(statement: Statement) -> bytes:
    """Return the bytes that are signed and kept."""
    return msgspec.json.encode(statement, order="sorted")


def signed_content(body: bytes) -> bytes:
    """Return what the signature is over."""
    return _SIGNED + body


def root_of(lines: Sequence[AttemptLine]) -> str:
    """Return the hash over all attempts of a room, by their ids."""
    digest = hashlib.sha256(b"exam-engine room root 1\n")
    for line in sorted(lines, key=lambda line: line.attempt_id):
        content = [line.attempt_id, line.answers_hash, line.log_hash, line.proof_hash]
        digest.update(msgspec.json.encode(content) + b"\n")
    return digest.hexdigest()


def prove(evidence: Evidence, receipt: str) -> Proof:
    """Take the digests of an attempt's rows."""
    answers = b"".join(
        _SLOT.pack(answer.slot) + b"".join(_answer_digests(evidence.attempt_id, answer))
        for answer in sorted(evidence.answers, key=lambda answer: answer.slot)
    )
    log = b"".join(
        _ROW.pack(key[2], key[0], key[1], key[3], _row_digest(evidence.attempt_id, row))
        for key, row in sorted(((row.key, row) for row in evidence.log), key=lambda keyed: keyed[0])
    )
    return Proof(attempt_id=evidence.attempt_id, answers=answers, log=log, receipt=receipt)


def chain_hash(evidence: Evidence) -> str:
    """Return the end of the chain of an attempt's raw events."""
    found = hashlib.sha256(b"exam-engine log 1\n" + evidence.attempt_id.bytes).digest()
    for row in sorted(evidence.log, key=lambda row: row.key):
        found = hashlib.sha256(found + _row_content(row)).digest()
    return found.hex()


def newest_entry(proofs: Iterable[Proof]) -> tuple[int, int]:
    """Return the newest entry of a stream that proofs know."""
    return max((key[:2] for proof in proofs for key, _ in _stated_rows(proof.log)), default=(0, 0))


def later_rows(proof: Proof, evidence: Evidence, newest: tuple[int, int]) -> int:
    """Count what came in after the statement."""
    stated = {key for key, _ in _stated_rows(proof.log)}
    return sum(row.key not in stated and row.follows(newest) for row in evidence.log)


def compare_record(
    stated: Mapping[str, Mapping[str, str]], found: Mapping[str, Mapping[str, str]]
) -> Iterator[Difference]:
    """Compare the record of a sitting as a whole with what was stated; tables that were not stated are passed over."""
    for table, rows in stated.items():
        now = found.get(table, {})
        for name in sorted(rows.keys() | now.keys()):
            before, after = rows.get(name, ""), now.get(name, "")
            if before != after:
                kind = DifferenceKind.CHANGED if before and after else DifferenceKind.MISSING
                yield Difference(
                    room="",
                    candidate_number="",
                    attempt_id=None,
                    table=table,
                    kind=kind if before else DifferenceKind.ADDED,
                    column=name,
                    stated=before,
                    found=after,
                )


def record_digest(table: str, name: str, content: Any) -> str:
    """Return the digest of a row, or of a column, of a sitting's record."""
    return hashlib.sha256(msgspec.json.encode([table, name, content], order="sorted")).hexdigest()[:16]


def compare_attempt(
    line: AttemptLine, proof: Proof, evidence: Evidence, receipt: str, room: str, newest: tuple[int, int]
) -> list[Difference]:
    """Compare what PostgreSQL holds of an attempt now with what was stated of it; `newest` entry of its statement."""

    def differs(table: str, kind: DifferenceKind, **place: Any) -> Difference:
        return Difference(
            room=room,
            candidate_number=line.candidate_number,
            attempt_id=line.attempt_id,
            table=table,
            kind=kind,
            **place,
        )

    if proof.hash != line.proof_hash:
        return [differs("attempt_proof", DifferenceKind.FORGED, stated=line.proof_hash, found=proof.hash)]
    found = [
        differs("attempt", DifferenceKind.CHANGED, column=name, stated=_text(stated), found=_text(now))
        for name, stated in line.facts.items()
        if (now := evidence.facts.get(name)) != stated
    ]
    found += [differs("response", kind, **place) for kind, place in _compare_answers(proof, evidence)]
    found += [differs(table, kind, **place) for table, kind, place in _compare_log(proof, evidence, newest)]
    if not found and answers_hash(evidence.given) != line.answers_hash:
        stated, now = line.answers_hash, answers_hash(evidence.given)
        found.append(differs("response", DifferenceKind.CHANGED, stated=stated, found=now))
    if not found and receipt != proof.receipt:  # the order of the paper code, which no row of the attempt holds
        found.append(differs("paper_code", DifferenceKind.CHANGED, column="ordering"))
    return found


def _compare_answers(proof: Proof, evidence: Evidence) -> Iterator[tuple[DifferenceKind, dict[str, Any]]]:
    stated = dict(_stated_answers(proof.answers))
    now = {answer.slot: _answer_digests(evidence.attempt_id, answer) for answer in evidence.answers}
    for slot in sorted(stated.keys() | now.keys()):
        if slot not in now:
            yield DifferenceKind.MISSING, {"slot": slot}
        elif slot not in stated:
            yield DifferenceKind.ADDED, {"slot": slot}
        else:
            for column, before, after in zip(ANSWER_COLUMNS, stated[slot], now[slot], strict=True):
                if before != after:
                    place = {"slot": slot, "column": column, "stated": before.hex(), "found": after.hex()}
                    yield DifferenceKind.CHANGED, place


def _compare_log(
    proof: Proof, evidence: Evidence, newest: tuple[int, int]
) -> Iterator[tuple[str, DifferenceKind, dict[str, Any]]]:
    stated = dict(_stated_rows(proof.log))
    now = {row.key: row for row in evidence.log}
    for key in sorted(stated.keys() | now.keys()):
        table = LOG_TABLES[key[2]]
        place: dict[str, Any] = {
            "stream_id": f"{key[0]}-{key[1]}",
            "slot": None if table == "attempt_event" else key[3],
        }
        if key not in now:
            yield table, DifferenceKind.MISSING, place
        elif key not in stated:
            if not now[key].follows(newest):
                yield table, DifferenceKind.ADDED, place
        elif stated[key] != (after := _row_digest(evidence.attempt_id, now[key])):
            yield table, DifferenceKind.CHANGED, place | {"stated": stated[key].hex(), "found": after.hex()}


def _stated_answers(content: bytes) -> Iterator[tuple[int, list[bytes]]]:
    width = _SLOT.size + _DIGEST_BYTES * len(ANSWER_COLUMNS)
    for at in range(0, len(content), width):
        (slot,) = _SLOT.unpack_from(content, at)
        digests = content[at + _SLOT.size : at + width]
        yield slot, [digests[i : i + _DIGEST_BYTES] for i in range(0, len(digests), _DIGEST_BYTES)]


def _stated_rows(content: bytes) -> Iterator[tuple[tuple[int, int, int, int], bytes]]:
    for table, moment, count, place, digest in _ROW.iter_unpack(content):
        yield (moment, count, table, place), digest


def _answer_digests(attempt_id: UUID, answer: StoredAnswer) -> list[bytes]:
    return [
        _short(attempt_id, "response", [answer.slot, column, _plain(getattr(answer, column))])
        for column in ANSWER_COLUMNS
    ]


def _row_digest(attempt_id: UUID, row: LogRow) -> bytes:
    return _short(attempt_id, row.table, row.content)


def _row_content(row: LogRow) -> bytes:
    return msgspec.json.encode([row.table, row.stream_id, row.place, row.content], order="sorted")


def _short(attempt_id: UUID, table: str, content: Any) -> bytes:
    hashed = attempt_id.bytes + table.encode() + msgspec.json.encode(content, order="sorted")
    return hashlib.sha256(hashed).digest()[:_DIGEST_BYTES]


def _plain(value: Any) -> Any:
    return value.astimezone(UTC).isoformat(timespec="microseconds") if isinstance(value, datetime) else value


def _text(fact: Fact) -> str:
    return "" if fact is None else str(fact)
