"""Sealing bytes for browsers: AES-256-GCM under a key, a key wrapped by a code that people type, boxes to a public key.

Only what WebCrypto has had since Chrome 109 and Firefox 115: AES-GCM, PBKDF2, HKDF, ECDH on P-256, HMAC, SHA-256.
What is sealed, for whom and when a key is given away, the rooms decide.
"""

import hashlib
import hmac

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

KEY_BYTES = 32
NONCE_BYTES = 12
POINT_BYTES = 65
WRAP_ROUNDS = 200_000
"""Rounds of PBKDF2 over a code of 60 bits: a third of a second on an old computer, and hopeless to try out."""

_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


class SealBroken(Exception):
    """The bytes were not sealed under this key, or were changed since. Never leaves the room that opens them."""


def seal(key: bytes, label: bytes, content: bytes) -> bytes:
    """Seal content under a 32-byte key; the same content under the same label gives the same bytes on every host.

    The nonce is drawn from key, label and content, so it can only repeat with all three: that makes the sealed file
    one that may be named by its hash.
    """
    nonce = hashlib.blake2b(label + b"\0" + content, key=key, digest_size=NONCE_BYTES, person=b"seal nonce").digest()
    return nonce + AESGCM(key).encrypt(nonce, content, label)


def unseal(key: bytes, label: bytes, sealed: bytes) -> bytes:
    """Return what was sealed.

    Raises
    ------
    SealBroken
    """
    if len(sealed) < NONCE_BYTES:
        raise SealBroken
    try:
        return AESGCM(key).decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], label)
    except InvalidTag as error:
        raise SealBroken from error


def wrap_by_code(code: str, salt: bytes, label: bytes, key: bytes) -> bytes:
    """Seal a key under a code; takes a fifth of a second on purpose, so it belongs into a thread."""
    stretched = hashlib.pbkdf2_hmac("sha256", code.encode(), salt, WRAP_ROUNDS, KEY_BYTES)
    return seal(stretched, label, key)


def mac(key: bytes, content: bytes) -> bytes:
    """Return HMAC-SHA-256."""
    return hmac.new(key, content, hashlib.sha256).digest()


def box_private_key(secret: bytes) -> ec.EllipticCurvePrivateKey:
    """Return the P-256 key that a 32-byte secret stands for."""
    wide = hashlib.blake2b(secret, digest_size=48, person=b"box key").digest()  # 128 bits more than the order: no bias
    return ec.derive_private_key(int.from_bytes(wide, "big") % (_ORDER - 1) + 1, ec.SECP256R1())


def box_public_key(private: ec.EllipticCurvePrivateKey) -> bytes:
    """Return the public point, uncompressed, 65 bytes."""
    return private.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def open_box(private: ec.EllipticCurvePrivateKey, label: bytes, box: bytes) -> bytes:
    """Return what somebody sealed to our public key: their own point, then the sealed bytes.

    Raises
    ------
    SealBroken
    """
    point, sealed = box[:POINT_BYTES], box[POINT_BYTES:]
    try:
        theirs = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)
    except ValueError as error:
        raise SealBroken from error
    return unseal(_box_key(private.exchange(ec.ECDH(), theirs), point, label), label, sealed)


def seal_box(public_key: bytes, label: bytes, content: bytes) -> bytes:
    """Seal content so that only the holder of the private key opens it; browsers do the same in `player/sealing.ts`."""
    ephemeral = ec.generate_private_key(ec.SECP256R1())
    point = box_public_key(ephemeral)
    theirs = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), public_key)
    return point + seal(_box_key(ephemeral.exchange(ec.ECDH(), theirs), point, label), label, content)


def _box_key(shared: bytes, point: bytes, label: bytes) -> bytes:
    return HKDF(hashes.SHA256(), KEY_BYTES, salt=point, info=label).derive(shared)
