"""Receipts: what a candidate takes along, and anybody can check without us and without a network.

    R1.<key id>.<payload>.<signature>      base32 (RFC 4648), so that it fits the compact mode of a QR code

The payload binds attempt, form, order, outcome, moment and the final answers by one flat SHA-256 over the whole vector.
A Merkle tree would allow to prove one answer alone; nobody asks that of forty answers, and whoever holds them all needs
no path. Answers themselves are not in a receipt: it may be shown.
"""

import base64
import binascii
import hashlib
import struct
from collections.abc import Iterable, Mapping, Sequence
from uuid import UUID

import msgspec

from exam_engine.delivery.errors import (
    ReceiptForged,
    ReceiptMalformed,
    ReceiptNotYet,
    ReceiptOfOtherAnswers,
    ReceiptOfOtherKey,
)
from exam_engine.delivery.model import AttemptFacts, AttemptState
from exam_engine.delivery.packing import unpack_response
from exam_engine.delivery.register import Held
from exam_engine.delivery.rolls import Sat
from exam_engine.delivery.signing import KeyRing, SigningKey
from item_bank.forms.ordering import OrderedSlot
from scoring.values import ResponseValue

VERSION = "R1"
MOST_CHARACTERS = 2000
MOST_REMEMBERED = 20_000
_SIGNED = b"exam-engine receipt 1\n"
_ANSWERS = b"exam-engine answers 1\n"
_FIXED = struct.Struct(">16s32s16s32sQBHH")
# Numbers of outcomes are written into receipts for ever: add at the end, never renumber.
OUTCOMES = ("submitted", "time", "sitting", "invigilator", "absent", "malpractice", "closed")


class GivenAnswer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The newest answer to one slot; a cleared one has the value null."""

    slot: int
    sequence: int
    value: ResponseValue


class Receipt(msgspec.Struct, frozen=True, kw_only=True):
    """What is signed."""

    attempt_id: UUID
    form_hash: str
    paper_code: str
    ordering_hash: str  # first half of a SHA-256
    outcome: str
    finished_ms: int
    slots: int  # slots that were ever answered
    answered: int  # of them not cleared again
    answers_hash: str


def answers_hash(answers: Iterable[GivenAnswer]) -> str:
    """Return the SHA-256 of a final answer vector, hexadecimal.

    Hashed are the line `exam-engine answers 1` and then, by ascending slot, one line of JSON without blanks
    `[slot,sequence,value]` each (keys of a value sorted), each ended by a line feed.
    """
    digest = hashlib.sha256(_ANSWERS)
    for answer in sorted(answers, key=lambda answer: answer.slot):
        digest.update(msgspec.json.encode([answer.slot, answer.sequence, answer.value], order="sorted") + b"\n")
    return digest.hexdigest()


def ordering_hash(ordering: Sequence[OrderedSlot]) -> str:
    """Return the first half of the SHA-256 of a paper's order as JSON, hexadecimal."""
    return hashlib.sha256(msgspec.json.encode(ordering)).hexdigest()[:32]


def given_answers(responses: Mapping[int, bytes]) -> list[GivenAnswer]:
    """Return packed answers of the register as a vector."""
    given = []
    for slot, packed in sorted(responses.items()):
        sequence, _, value = unpack_response(packed)
        given.append(GivenAnswer(slot, sequence, msgspec.json.decode(value)))
    return given


def receipt_of(
    attempt_id: UUID,
    facts: AttemptFacts,
    answers: Sequence[GivenAnswer],
    *,
    form_hash: str,
    paper_code: str,
    ordering: Sequence[OrderedSlot],
) -> Receipt:
    """Return the receipt of an attempt that has ended."""
    outcome = "submitted" if facts.state is AttemptState.SUBMITTED else facts.reason
    return Receipt(
        attempt_id=attempt_id,
        form_hash=form_hash,
        paper_code=paper_code,
        ordering_hash=ordering_hash(ordering),
        outcome=outcome if outcome in OUTCOMES else "closed",
        finished_ms=facts.finished_ms,
        slots=len(answers),
        answered=sum(bool(answer.value) for answer in answers),
        answers_hash=answers_hash(answers),
    )


def require_receipt(sat: Sat, held: Held, key: SigningKey) -> str:
    """Return the receipt of an attempt as the register, or PostgreSQL after the close, holds it.

    Raises
    ------
    ReceiptNotYet
    """
    if held.facts.state not in (AttemptState.SUBMITTED, AttemptState.CLOSED) or not held.facts.started_ms:
        raise ReceiptNotYet
    code = sat.roll.paper.codes[sat.seat.paper_code_id]
    receipt = receipt_of(
        sat.seat.attempt_id,
        held.facts,
        given_answers(held.responses),
        form_hash=sat.roll.paper.hash,
        paper_code=code.code,
        ordering=code.ordering,
    )
    return write_receipt(receipt, key)


class ReceiptDesk:
    """Writes receipts, and remembers the newest of each attempt: its seat asks for it until it is stored."""

    def __init__(self, key: SigningKey) -> None:
        self._key = key
        self._written: dict[UUID, tuple[int, bytes, str]] = {}

    def require(self, sat: Sat, held: Held) -> str:
        """Return the receipt of an attempt, as `require_receipt` does.

        Raises
        ------
        ReceiptNotYet
        """
        attempt_id = sat.seat.attempt_id
        version = (held.facts.revision, held.last_save)  # every change of facts or answers makes one of them another
        known = self._written.get(attempt_id)
        if known is not None and known[:2] == version:
            return known[2]
        text = require_receipt(sat, held, self._key)
        if len(self._written) >= MOST_REMEMBERED:
            self._written.clear()
        self._written[attempt_id] = (*version, text)
        return text


def write_receipt(receipt: Receipt, key: SigningKey) -> str:
    """Sign a receipt; the same receipt always gives the same text."""
    payload = _FIXED.pack(
        receipt.attempt_id.bytes,
        bytes.fromhex(receipt.form_hash),
        bytes.fromhex(receipt.ordering_hash),
        bytes.fromhex(receipt.answers_hash),
        receipt.finished_ms,
        OUTCOMES.index(receipt.outcome),
        receipt.slots,
        receipt.answered,
    )
    payload += receipt.paper_code.encode()
    signature = key.sign(_signed(key.public.id, payload))
    return ".".join((VERSION, key.public.id, _base32(payload), _base32(signature)))


def verify_receipt(text: str, keys: KeyRing, answers: Iterable[GivenAnswer] | None = None) -> Receipt:
    """Check a receipt with public keys alone, and, given them, that it is of these very answers.

    Raises
    ------
    ReceiptMalformed
        It is no receipt; names the part.
    ReceiptOfOtherKey
        It names a key we were not given.
    ReceiptForged
        The key named did not sign this.
    ReceiptOfOtherAnswers
        It is genuine, but these are not the answers it was given for.
    """
    key_id, payload, signature = _parts(text)
    key = keys.get(key_id)
    if key is None:
        raise ReceiptOfOtherKey(key_id, sorted(keys))
    if not key.accepts(signature, _signed(key_id, payload)):
        raise ReceiptForged(key_id)
    receipt = _read(payload)
    if answers is not None:
        given = list(answers)
        found = answers_hash(given)
        if found != receipt.answers_hash:
            raise ReceiptOfOtherAnswers(receipt.answers_hash, found, receipt.slots, len(given))
    return receipt


def key_of(text: str) -> str:
    """Return which key a receipt names.

    Raises
    ------
    ReceiptMalformed
    """
    return _parts(text)[0]


def _parts(text: str) -> tuple[str, bytes, bytes]:
    compact = "".join(text.split()).upper()
    if not compact:
        raise ReceiptMalformed("it is empty")
    if len(compact) > MOST_CHARACTERS:
        raise ReceiptMalformed(f"it has more than {MOST_CHARACTERS} characters")
    parts = compact.split(".")
    if parts[0] != VERSION:
        raise ReceiptMalformed(f"it begins with {parts[0][:12]!r}, not {VERSION}")
    if len(parts) != 4:
        raise ReceiptMalformed(f"it has {len(parts)} parts between full stops, not 4")
    payload, signature = (_bytes(name, part) for name, part in zip(("payload", "signature"), parts[2:], strict=True))
    if len(signature) != 64:
        raise ReceiptMalformed(f"the signature has {len(signature)} bytes, not 64")
    return parts[1], payload, signature


def _read(payload: bytes) -> Receipt:
    # Signed by us, so only a version of our own can have written what we cannot read.
    try:
        attempt, form, ordering, answers, finished_ms, outcome, slots, answered = _FIXED.unpack(payload[: _FIXED.size])
        return Receipt(
            attempt_id=UUID(bytes=attempt),
            form_hash=form.hex(),
            paper_code=payload[_FIXED.size :].decode(),
            ordering_hash=ordering.hex(),
            outcome=OUTCOMES[outcome],
            finished_ms=finished_ms,
            slots=slots,
            answered=answered,
            answers_hash=answers.hex(),
        )
    except (struct.error, UnicodeDecodeError, IndexError) as error:
        raise ReceiptMalformed("its payload was written by another version") from error


def _signed(key_id: str, payload: bytes) -> bytes:
    return _SIGNED + key_id.encode() + b"\n" + payload


def _base32(content: bytes) -> str:
    return base64.b32encode(content).rstrip(b"=").decode()


def _bytes(name: str, text: str) -> bytes:
    try:
        content = base64.b32decode(text + "=" * (-len(text) % 8))
    except (binascii.Error, ValueError) as error:
        raise ReceiptMalformed(f"the {name} is not base32: letters A to Z and digits 2 to 7") from error
    if _base32(content) != text:
        raise ReceiptMalformed(f"the {name} is not base32 as we write it")
    return content
