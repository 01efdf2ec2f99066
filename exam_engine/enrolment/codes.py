"""Codes people type: two on a candidate's card (one to sit with, one to look results up), one that releases a paper.

A code is a keyed MAC of what it is for, exam, number and version: nothing is stored, reissuing raises the version.
Sixty bits in Crockford's base 32, three groups of four, read tolerantly.
"""

import hashlib
import hmac
from enum import StrEnum

from exam_engine.infra.secrets import derive_key

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
LENGTH = 12
_READ_AS = str.maketrans({"O": "0", "I": "1", "L": "1"})


class CodePurpose(StrEnum):
    """What a code opens; the one never opens the other's door."""

    SIT = "sit"
    LOOK_UP = "look-up"
    RELEASE = "release"  # opens a pre-fetched paper in one room without a network


def sit_code(secret: bytes, exam_code: str, number: str, version: int) -> str:
    """Return the code with which a candidate enters the exam."""
    return make_code(secret, CodePurpose.SIT, exam_code, number, version)


def look_up_code(secret: bytes, exam_code: str, number: str, version: int) -> str:
    """Return the code with which results and decisions are looked up."""
    return make_code(secret, CodePurpose.LOOK_UP, exam_code, number, version)


def room_release_code(secret: bytes, sitting: str, room_code: str) -> str:
    """Return the code with which a room without a network opens the papers it has fetched beforehand."""
    return make_code(secret, CodePurpose.RELEASE, sitting, room_code, 1)


def sit_code_matches(secret: bytes, exam_code: str, number: str, version: int, typed: str) -> bool:
    """Compare a typed sit code in constant time."""
    return code_matches(secret, CodePurpose.SIT, exam_code, number, version, typed)


def look_up_code_matches(secret: bytes, exam_code: str, number: str, version: int, typed: str) -> bool:
    """Compare a typed look-up code in constant time."""
    return code_matches(secret, CodePurpose.LOOK_UP, exam_code, number, version, typed)


def make_code(secret: bytes, purpose: CodePurpose, exam_code: str, number: str, version: int) -> str:
    """Return the code of one purpose, "7KQ2-M4XV-0ZHT"; `secret` is the installation's master secret."""
    # Lengths in front, so that no two sets of parts give the same message.
    parts = (purpose.value, exam_code, number, str(version))
    message = b"".join(len(part.encode()).to_bytes(2, "big") + part.encode() for part in parts)
    digest = hashlib.blake2b(message, key=derive_key(secret, "candidate-code"), digest_size=8).digest()
    bits = int.from_bytes(digest, "big") >> 4
    characters = "".join(ALPHABET[(bits >> shift) & 31] for shift in range(5 * (LENGTH - 1), -1, -5))
    return "-".join(characters[i : i + 4] for i in range(0, LENGTH, 4))


def code_matches(secret: bytes, purpose: CodePurpose, exam_code: str, number: str, version: int, typed: str) -> bool:
    """Compare a typed code in constant time; what is no code at all takes the same way."""
    expected = make_code(secret, purpose, exam_code, number, version)
    return hmac.compare_digest(expected, read_code(typed))


def read_code(typed: str) -> str:
    """Return a typed code in its one spelling: lower case, missing hyphens, O, I and L are forgiven."""
    characters = "".join(c for c in typed[:64].upper() if c.isascii() and c.isalnum()).translate(_READ_AS)
    return "-".join(characters[i : i + 4] for i in range(0, len(characters), 4))
