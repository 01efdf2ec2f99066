"""Signing keys: one master secret, from which every use derives its own key.

Set `EXAM_SECRET_KEY` where several hosts share the work; else the secret is made once and kept in the data folder.
"""

import hashlib
import os
import secrets
from functools import lru_cache
from pathlib import Path

from exam_engine.infra.errors import SettingsInvalid
from exam_engine.infra.settings import Settings

FILE_NAME = "secret.key"
MINIMUM_CHARACTERS = 32


def load_master_secret(settings: Settings) -> bytes:
    """Return the master secret, making and keeping it (mode 0600) on the first start.

    Raises
    ------
    SettingsInvalid
        The secret given is too short to protect anything.
    """
    if settings.secret_key is not None:
        text = settings.secret_key.reveal()
        if len(text) < MINIMUM_CHARACTERS:
            raise SettingsInvalid([f"EXAM_SECRET_KEY must have at least {MINIMUM_CHARACTERS} characters"])
        return text.encode()
    return _load_or_make(settings.data_folder / FILE_NAME)


@lru_cache
def derive_key(master: bytes, purpose: str) -> bytes:
    """Return the 32-byte key of one purpose ("session", "candidate-token", "look-up-code", …)."""
    digest = hashlib.blake2b(purpose.encode(), key=hashlib.sha256(master).digest(), digest_size=32)
    return digest.digest()


def _load_or_make(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        pass
    path.parent.mkdir(parents=True, exist_ok=True)
    # Written aside and linked: of two processes that start at once, both read the secret of the first.
    aside = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(secrets.token_urlsafe(48).encode())
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(aside, path)
    except FileExistsError:
        pass
    finally:
        aside.unlink()
    return path.read_bytes()
