"""Signs of life: every process that carries a sitting says once a second what it is and which version it runs."""

import os
import socket
from enum import StrEnum
from functools import cache
from typing import Any

import msgspec

from exam_engine.delivery.freezing import engine_version
from exam_engine.infra.migrations.standing import newest_revision

PROCESSES = "delivery:processes"
FORGOTTEN_MS = 24 * 3_600_000


class Role(StrEnum):
    """What a process does for a sitting."""

    API = "api"
    WRITE_BEHIND = "write-behind"
    TIMER = "timer"


class ProcessSign(msgspec.Struct, frozen=True, kw_only=True):
    """One process as it told last."""

    role: Role
    host: str
    process: int
    version: str
    schema: str
    at_ms: int

    @property
    def name(self) -> str:
        """How people speak of it."""
        return f"{self.role}@{self.host}:{self.process}"


async def give_sign(redis: Any, role: Role, now_ms: int) -> None:
    """Say that this process lives."""
    host, version, schema = _self()
    sign = ProcessSign(role=role, host=host, process=os.getpid(), version=version, schema=schema, at_ms=now_ms)
    await redis.hset(PROCESSES, sign.name, msgspec.json.encode(sign))


async def load_signs(redis: Any, now_ms: int) -> list[ProcessSign]:
    """Return who was heard of within a day, and forget the rest."""
    found = [msgspec.json.decode(sign, type=ProcessSign) for sign in (await redis.hgetall(PROCESSES)).values()]
    old = [sign.name for sign in found if now_ms - sign.at_ms > FORGOTTEN_MS]
    if old:
        await redis.hdel(PROCESSES, *old)
    return sorted((sign for sign in found if sign.name not in old), key=lambda sign: sign.name)


@cache
def _self() -> tuple[str, str, str]:
    return socket.gethostname(), engine_version(), newest_revision()
