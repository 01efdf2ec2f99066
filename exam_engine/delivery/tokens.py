"""The candidate's bearer token: who, for which exam, until when, under a keyed MAC; checked from memory alone.

Its scope is the candidate: which attempts are theirs the worker knows. Layout: version, candidate, exam, expiry,
version of the card's codes, MAC.
"""

import base64
import binascii
import hmac
import struct
from collections.abc import Callable
from hashlib import blake2b
from uuid import UUID

import msgspec

from exam_engine.delivery.errors import TokenExpired, TokenInvalid

VERSION = 2
PURPOSE = "candidate-token"
_BODY = struct.Struct(">B16s16sIH")
_MAC_BYTES = 16
MOST_REMEMBERED = 50_000
_TOKEN_BYTES = _BODY.size + _MAC_BYTES


class CandidatePass(msgspec.Struct, frozen=True):
    """What a valid token says."""

    candidate_id: UUID
    exam_id: UUID
    expires_s: int
    code_version: int = 1  # of the card that was shown; a reissued card ends what the old one opened


def issue_token(key: bytes, candidate: CandidatePass) -> str:
    """Make the token of a candidate."""
    body = _BODY.pack(
        VERSION, candidate.candidate_id.bytes, candidate.exam_id.bytes, candidate.expires_s, candidate.code_version
    )
    return _text_of(body + _mac(key, body))


def check_token(key: bytes, token: str, now_ms: int) -> CandidatePass:
    """Return what a token says.

    Raises
    ------
    TokenInvalid, TokenExpired
    """
    try:
        raw = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
    except (ValueError, binascii.Error) as error:
        raise TokenInvalid from error
    # Decoding overlooks unused bits of the last letter and letters it does not know: one token has one spelling.
    if len(raw) != _TOKEN_BYTES or _text_of(raw) != token:
        raise TokenInvalid
    body = raw[: _BODY.size]
    if not hmac.compare_digest(_mac(key, body), raw[_BODY.size :]):
        raise TokenInvalid
    version, candidate, exam, expires_s, code_version = _BODY.unpack(body)
    if version != VERSION:
        raise TokenInvalid
    if now_ms >= 1000 * expires_s:
        raise TokenExpired
    return CandidatePass(UUID(bytes=candidate), UUID(bytes=exam), expires_s, code_version)


class PassDesk:
    """Checks tokens, and remembers those that were right: a seat shows the same one a thousand times.

    `is_reissued` tells whether a candidate's card of some version has been replaced.
    """

    def __init__(self, key: bytes, is_reissued: Callable[[UUID, int], bool]) -> None:
        self._key = key
        self._is_reissued = is_reissued
        self._known: dict[str, CandidatePass] = {}

    def check(self, token: str, now_ms: int) -> CandidatePass:
        """Return what a token says.

        Raises
        ------
        TokenInvalid, TokenExpired
        """
        found = self._known.get(token)
        if found is None or now_ms >= 1000 * found.expires_s:
            found = check_token(self._key, token, now_ms)
            if len(self._known) >= MOST_REMEMBERED:
                self._known.clear()
            self._known[token] = found
        if self._is_reissued(found.candidate_id, found.code_version):
            raise TokenExpired
        return found


def _text_of(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _mac(key: bytes, body: bytes) -> bytes:
    return blake2b(body, key=key, digest_size=_MAC_BYTES).digest()
