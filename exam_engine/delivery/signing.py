"""The installation's signature (Ed25519, RFC 8032): one key derived from the master secret, its public half published.

Whoever holds the public key checks receipts and statements without us; the key id says which key was used.
"""

import base64
import binascii
import hashlib
from collections.abc import Iterable, Mapping
from datetime import datetime

import msgspec
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from exam_engine.delivery.errors import KeyFileInvalid
from exam_engine.infra.secrets import derive_key

PURPOSE = "receipt-signature"
KEY_BYTES = 32
_ID_BYTES = 5

KeyRing = Mapping[str, "VerifyingKey"]
"""Public keys by their id."""


class PublishedKey(msgspec.Struct, frozen=True):
    """A public key as JSON Web Key (RFC 7517; OKP curve, RFC 8037), with two members of ours: when it was used."""

    kid: str
    x: str  # 32 bytes, base64url
    kty: str = "OKP"
    crv: str = "Ed25519"
    alg: str = "EdDSA"
    use: str = "sig"
    used_from: datetime | None = None
    used_until: datetime | None = None  # none: it is used now, or nobody said


class PublishedKeys(msgspec.Struct, frozen=True):
    """What stands at `/.well-known/receipt-keys.json`: every key ever used, and where the clocks of its exams are."""

    keys: tuple[PublishedKey, ...]
    time_zone: str = ""  # such as Asia/Ho_Chi_Minh

    def ring(self) -> KeyRing:
        """Return the keys to verify with, by their ids.

        Raises
        ------
        KeyFileInvalid
        """
        try:
            return key_ring(VerifyingKey(_raw(key.x)) for key in self.keys)
        except (binascii.Error, UnsupportedAlgorithm, ValueError) as error:
            raise KeyFileInvalid(str(error)) from error

    def named(self, key_id: str) -> PublishedKey | None:
        """Return the key of an id; a file may claim any id, so it is computed from the key."""
        return next((key for key in self.keys if VerifyingKey(_raw(key.x)).id == key_id), None)


class VerifyingKey:
    """A public key."""

    def __init__(self, raw: bytes) -> None:
        self.raw = raw
        self.id = base64.b32encode(hashlib.sha256(raw).digest()[:_ID_BYTES]).decode()
        self._key = Ed25519PublicKey.from_public_bytes(raw)

    def accepts(self, signature: bytes, content: bytes) -> bool:
        """Whether this key's owner signed exactly this."""
        try:
            self._key.verify(signature, content)
        except InvalidSignature:
            return False
        return True

    def published(self) -> PublishedKey:
        """Return the key as it is published."""
        return PublishedKey(kid=self.id, x=base64.urlsafe_b64encode(self.raw).rstrip(b"=").decode())


class SigningKey:
    """The private key of an installation; the same content always gets the same signature."""

    def __init__(self, master_secret: bytes) -> None:
        self._key = Ed25519PrivateKey.from_private_bytes(derive_key(master_secret, PURPOSE))
        self.public = VerifyingKey(self._key.public_key().public_bytes_raw())

    def sign(self, content: bytes) -> bytes:
        """Return the signature, 64 bytes."""
        return self._key.sign(content)


def key_ring(keys: Iterable[VerifyingKey]) -> KeyRing:
    """Return keys by their id."""
    return {key.id: key for key in keys}


def read_keys(content: str) -> PublishedKeys:
    """Read public keys: the published JSON, one JSON Web Key, PEM, or the 32 bytes as base64url.

    Raises
    ------
    KeyFileInvalid
    """
    text = content.strip()
    try:
        if text.startswith("-----BEGIN"):
            loaded = load_pem_public_key(text.encode())
            if not isinstance(loaded, Ed25519PublicKey):
                raise KeyFileInvalid("it is a key of another kind than Ed25519")
            return PublishedKeys((VerifyingKey(loaded.public_bytes_raw()).published(),))
        if text.startswith("{"):
            fields = msgspec.json.decode(text, type=dict[str, msgspec.Raw])
            found = (
                msgspec.json.decode(text, type=PublishedKeys)
                if "keys" in fields
                else PublishedKeys((msgspec.json.decode(text, type=PublishedKey),))
            )
            found.ring()
            return found
        return PublishedKeys((VerifyingKey(_raw(text)).published(),))
    except (msgspec.MsgspecError, binascii.Error, UnsupportedAlgorithm, ValueError) as error:
        raise KeyFileInvalid(str(error)) from error


def _raw(text: str) -> bytes:
    raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    if len(raw) != KEY_BYTES:
        raise KeyFileInvalid(f"a public key has {KEY_BYTES} bytes, this has {len(raw)}")
    return raw
