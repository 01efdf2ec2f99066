"""The machines of a day: what each process and server says of itself, and whether that is enough."""

from collections.abc import Iterator, Mapping, Sequence

import msgspec

from exam_engine.delivery.signs import ProcessSign, Role
from exam_engine.overviews.exam_day.findings import Finding, blocker, warning
from item_bank.messages import message

SKEW_WARNING_MS, SKEW_BLOCKER_MS = 250, 2000
LAG_WARNING_MS, LAG_BLOCKER_MS = 2000, 30_000
SILENT_MS = 10_000
DISK_WARNING_BYTES, DISK_BLOCKER_BYTES = 5 * 2**30, 2**29
MEMORY_WARNING_SHARE = 0.8
NEEDED = (Role.API, Role.WRITE_BEHIND, Role.TIMER)


class MachineFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What was measured; clocks as the server's less ours, milliseconds."""

    engine: str
    schema: str  # the newest this program knows
    stored_schema: str  # what the database has
    not_durable: Sequence[str] = ()  # what is wrong with Redis
    redis_ahead_ms: int = 0
    postgresql_ahead_ms: int = 0
    disk_free_bytes: int = 2**40
    redis_memory_share: float = 0.0  # of its limit; 0: none
    signs: Sequence[ProcessSign] = ()
    writers: Mapping[str, tuple[int, int, int]] = {}  # by name: age, lag, both ms; entries waiting
    now_ms: int


def lint_machines(facts: MachineFacts) -> list[Finding]:
    """Return everything about the machines that would hurt the day."""
    return [*_versions(facts), *_redis(facts), *_clocks(facts), *_disk(facts), *_processes(facts), *_writers(facts)]


def _versions(facts: MachineFacts) -> Iterator[Finding]:
    if facts.stored_schema != facts.schema:
        text = message(
            "the database stands at revision {stored}, this program needs {known}",
            stored=facts.stored_schema or "–",
            known=facts.schema,
        )
        yield blocker("schema-differs", "postgresql", text)
    for sign in _alive(facts):
        if (sign.version, sign.schema) != (facts.engine, facts.schema):
            text = message(
                "runs version {version} (schema {schema}), here is {own} ({own_schema})",
                version=sign.version,
                schema=sign.schema,
                own=facts.engine,
                own_schema=facts.schema,
            )
            yield blocker("version-differs", sign.name, text)


def _redis(facts: MachineFacts) -> Iterator[Finding]:
    for reason in facts.not_durable:
        yield blocker("redis-not-durable", "redis", message("answers could be lost: {reason}", reason=reason))
    if facts.redis_memory_share > MEMORY_WARNING_SHARE:
        text = message("{percent} % of its memory is used", percent=round(100 * facts.redis_memory_share))
        yield warning("redis-memory", "redis", text)


def _clocks(facts: MachineFacts) -> Iterator[Finding]:
    ahead = [("redis", facts.redis_ahead_ms), ("postgresql", facts.postgresql_ahead_ms)]
    # A sign is told once a second; only what lies in our future, or far in the past of a living process, is skew.
    ahead += [(sign.name, sign.at_ms - facts.now_ms) for sign in facts.signs if sign.at_ms > facts.now_ms]
    for place, skew_ms in ahead:
        text = message("its clock differs from ours by {ms} ms", ms=skew_ms)
        if abs(skew_ms) > SKEW_BLOCKER_MS:
            yield blocker("clock-skew", place, text)
        elif abs(skew_ms) > SKEW_WARNING_MS:
            yield warning("clock-skew", place, text)


def _disk(facts: MachineFacts) -> Iterator[Finding]:
    text = message("{megabytes} MB are free on the disk of the data folder", megabytes=facts.disk_free_bytes >> 20)
    if facts.disk_free_bytes < DISK_BLOCKER_BYTES:
        yield blocker("disk-full", "disk", text)
    elif facts.disk_free_bytes < DISK_WARNING_BYTES:
        yield warning("disk-low", "disk", text)


def _processes(facts: MachineFacts) -> Iterator[Finding]:
    alive = {sign.role for sign in _alive(facts)}
    for role in NEEDED:
        if role not in alive:
            yield blocker("process-missing", role.value, message("no living process of this kind was heard of"))


def _writers(facts: MachineFacts) -> Iterator[Finding]:
    for name, (age_ms, lag_ms, waiting) in facts.writers.items():
        if age_ms > SILENT_MS:
            continue  # a writer of another day
        text = message("at least {waiting} changes wait, the oldest for {ms} ms", waiting=waiting, ms=lag_ms)
        if lag_ms > LAG_BLOCKER_MS:
            yield blocker("write-behind-lags", name, text)
        elif lag_ms > LAG_WARNING_MS:
            yield warning("write-behind-lags", name, text)


def _alive(facts: MachineFacts) -> list[ProcessSign]:
    return [sign for sign in facts.signs if facts.now_ms - sign.at_ms <= SILENT_MS]
