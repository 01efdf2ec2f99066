"""Password hashes: argon2id (OWASP: 19 MiB, two passes), in a few worker threads so that no event loop waits.

A check costs the same time whether or not there is a hash to compare with.
"""

import asyncio
import unicodedata
from concurrent.futures import ThreadPoolExecutor
from functools import cache

import msgspec
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from exam_engine.identity.model import MAXIMUM_PASSWORD_CHARACTERS

THREADS = 2
"""Checks at once: each holds 19 MiB, and a small machine has two cores."""


class Check(msgspec.Struct, frozen=True):
    """Outcome of comparing a password with a stored hash."""

    is_right: bool
    new_hash: str | None = None  # made with today's parameters, when the stored one was not


async def hash_password(password: str) -> str:
    """Hash a new password."""
    return await asyncio.get_running_loop().run_in_executor(_workers(), _hash, password)


async def check_password(password: str, stored_hash: str | None) -> Check:
    """Compare a password with a stored hash, or with one that nobody has when there is none."""
    return await asyncio.get_running_loop().run_in_executor(_workers(), _check, password, stored_hash)


def _check(password: str, stored_hash: str | None) -> Check:
    is_possible = stored_hash is not None and len(password) <= MAXIMUM_PASSWORD_CHARACTERS
    try:
        _hasher().verify(stored_hash if stored_hash and is_possible else _hash_of_nobody(), _bytes(password))
    except (VerificationError, InvalidHashError):
        return Check(is_right=False)
    if not is_possible or stored_hash is None:
        return Check(is_right=False)
    return Check(is_right=True, new_hash=_hash(password) if _hasher().check_needs_rehash(stored_hash) else None)


def _hash(password: str) -> str:
    return _hasher().hash(_bytes(password))


def _bytes(password: str) -> bytes:
    # Composed, because keyboards of different systems write one Vietnamese letter in different ways.
    return unicodedata.normalize("NFC", password[: MAXIMUM_PASSWORD_CHARACTERS + 1]).encode("utf-8", "surrogatepass")


@cache
def _hasher() -> PasswordHasher:
    return PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)


@cache
def _hash_of_nobody() -> str:
    return _hash("nobody")


@cache
def _workers() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(THREADS, thread_name_prefix="argon2")
