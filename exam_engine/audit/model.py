"""The audit chain as pure values: an entry, its hash over the entry before it, and the check of a whole chain."""

import hashlib
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec

GENESIS = bytes(32)
"""What the first entry names as the hash before it."""


class AuditEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One act: who did what to which thing, when, with the facts that explain it."""

    sequence: int
    at: datetime
    actor: str  # "person:<user name>", "system:<what>"
    action: str  # "form.seal"
    subject: str  # "form:<id>"
    facts: dict[str, Any]
    previous_hash: bytes
    hash: bytes


class Head(msgspec.Struct, frozen=True):
    """Where a chain ends; noted down elsewhere, it shows later whether the end was cut off."""

    sequence: int
    hash: bytes

    def __str__(self) -> str:
        return f"{self.sequence}:{self.hash.hex()}"


EMPTY_HEAD = Head(0, GENESIS)


class Verification(msgspec.Struct, frozen=True, kw_only=True):
    """What the check of a chain found."""

    count: int  # entries that hold
    head: Head  # the last entry that holds
    broken_sequence: int | None = None  # the first that does not
    reason: str = ""

    @property
    def is_intact(self) -> bool:
        """Whether every entry is the one that was written."""
        return self.broken_sequence is None


class AuditQuery(msgspec.Struct, frozen=True, kw_only=True):
    """What a reader of the record looks for; newest first, page by page."""

    actor: str | None = None
    action: str | None = None  # "form.seal", or "form." for all of a kind
    subject: str | None = None
    since: datetime | None = None
    until: datetime | None = None  # exclusive
    before_sequence: int | None = None  # the last sequence of the page before
    limit: int = 50


def cleaned(query: AuditQuery) -> AuditQuery:
    """Take out what no stored text can hold, so that asking for it finds nothing instead of failing."""
    texts = {name: _clean(text) for name in ("actor", "action", "subject") if (text := getattr(query, name))}
    return msgspec.structs.replace(query, **texts)


def next_entry(
    head: Head, *, actor: str, action: str, subject: str, facts: Mapping[str, Any], at: datetime
) -> AuditEntry:
    """Make the entry that follows a head.

    Raises
    ------
    TypeError
        A fact is not plain: text, whole number, truth, nothing, or lists and mappings of these. Floats are refused,
        because the database and Python do not write every float alike and the chain would seem broken.
    """
    entry = AuditEntry(
        sequence=head.sequence + 1,
        at=at.astimezone(UTC),
        actor=_clean(actor),
        action=_clean(action),
        subject=_clean(subject),
        facts=_plain_facts(facts),
        previous_hash=head.hash,
        hash=b"",
    )
    return msgspec.structs.replace(entry, hash=_chain_hash(entry))


def verify_entries(entries: Iterable[AuditEntry], start: Verification | None = None) -> Verification:
    """Check entries in order of sequence, going on from what an earlier page gave."""
    state = start or Verification(count=0, head=EMPTY_HEAD)
    for entry in entries:
        if not state.is_intact:
            break
        reason = _fault(state.head, entry)
        if reason:
            state = msgspec.structs.replace(state, broken_sequence=entry.sequence, reason=reason)
        else:
            state = Verification(count=state.count + 1, head=Head(entry.sequence, entry.hash))
    return state


def expect_head(found: Verification, noted: Head, hash_at_noted: bytes | None) -> Verification:
    """Compare a chain with a head noted down earlier: the entry must still stand there, unchanged."""
    if not found.is_intact or hash_at_noted == noted.hash:
        return found
    reason = "it is missing: the end of the record was cut off" if hash_at_noted is None else "it was rewritten"
    return msgspec.structs.replace(found, broken_sequence=noted.sequence, reason=reason)


def _fault(head: Head, entry: AuditEntry) -> str:
    if entry.sequence != head.sequence + 1:
        return f"sequence {head.sequence + 1} is missing before it"
    if entry.previous_hash != head.hash:
        return "it does not name the hash of the entry before it"
    if entry.hash != _chain_hash(entry):
        return "its content is not what was written"
    return ""


def _chain_hash(entry: AuditEntry) -> bytes:
    content = {
        "sequence": entry.sequence,
        "at": entry.at.astimezone(UTC).isoformat(timespec="microseconds"),
        "actor": entry.actor,
        "action": entry.action,
        "subject": entry.subject,
        "facts": entry.facts,
    }
    return hashlib.sha256(entry.previous_hash + msgspec.json.encode(content, order="sorted")).digest()


def _plain_facts(facts: Mapping[str, Any]) -> dict[str, Any]:
    plain = msgspec.to_builtins(dict(facts), str_keys=True)
    return {_clean(str(key)): _require_plain(value, str(key)) for key, value in plain.items()}


def _require_plain(value: Any, place: str) -> Any:
    match value:
        case None | bool() | int():
            return value
        case str():
            return _clean(value)
        case list() | tuple():
            return [_require_plain(entry, f"{place}[{index}]") for index, entry in enumerate(value)]
        case dict():
            return {_clean(str(key)): _require_plain(entry, f"{place}.{key}") for key, entry in value.items()}
        case _:
            raise TypeError(f"audit fact {place} is a {type(value).__name__}; give whole numbers or text")


def _clean(text: str) -> str:
    # PostgreSQL cannot hold the character NUL in text.
    return text.replace("\x00", "\ufffd")
