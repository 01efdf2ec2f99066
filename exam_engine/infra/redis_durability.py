"""Whether a Redis or Valkey loses nothing that it acknowledges, and what an acknowledgement must wait for."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import msgspec
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import ResponseError

from exam_engine.infra.errors import RedisNotDurable
from exam_engine.infra.redis_cluster import ClusterClient

_WAIT_MS = 2000
_CONFIGURATION = ("appendonly", "appendfsync", "maxmemory-policy", "no-appendfsync-on-rewrite")

Execute = Callable[..., Awaitable[Any]]


class Durability(msgspec.Struct, frozen=True):
    """How an acknowledgement becomes safe on this server."""

    waits_for_aof: bool  # False: `appendfsync always`, the reply itself comes after the fsync
    replicas: int = 0  # that have received a write as well before it is acknowledged

    @property
    def waits(self) -> tuple[tuple[Any, ...], ...]:
        """What is sent behind a write; the answers have to come before the acknowledgement."""
        waits: list[tuple[Any, ...]] = []
        if self.waits_for_aof:
            waits.append(("WAITAOF", 1, 0, _WAIT_MS))
        if self.replicas:
            # Not WAITAOF for these: a replica tells of its own fsync only with the next request or once a second, so
            # that a lone save took 0.96 s. What it has received it fsyncs before it serves anybody as a master.
            waits.append(("WAIT", self.replicas, _WAIT_MS))
        return tuple(waits)


async def durability_of_server(execute: Execute, replicas: int) -> Durability:
    """Judge one server.

    Replicas that are missing are no finding: saves are refused until they are back, and a worker must be able to
    start meanwhile.

    Raises
    ------
    RedisNotDurable
    redis.exceptions.RedisError
        It does not answer.
    """
    config, has_waitaof, replication = await _ask(execute)
    findings = _findings(config, has_waitaof)
    if replication["role"] != "master":
        findings.insert(0, "it is a replica; give the address of the primary")
    if _lines(await execute("INFO", "cluster")).get("cluster_enabled") == "1":
        findings.insert(0, "it is a node of a cluster; set EXAM_REDIS_CLUSTER=true")
    if findings:
        raise RedisNotDurable(findings)
    return Durability(config.get("appendfsync") != "always", replicas)


async def durability_of_cluster(cluster: ClusterClient) -> Durability:
    """Judge every node that answers, replicas too: any of them may be a master tomorrow.

    Raises
    ------
    RedisNotDurable
    redis.exceptions.RedisError
        No node answers.
    """
    findings: list[str] = []
    waits, answered = False, 0
    for node in await cluster.all_nodes():
        try:
            config, has_waitaof, _ = await _ask(node.execute_command)
        except (RedisConnectionError, OSError):
            continue
        answered += 1
        waits = waits or config.get("appendfsync") != "always"
        findings += [f"{node.name}: {finding}" for finding in _findings(config, has_waitaof)]
    if not answered:
        raise RedisConnectionError("no node of the cluster answers")
    if findings:
        raise RedisNotDurable(findings)
    return Durability(waits, cluster.replicas_to_wait)


async def _ask(execute: Execute) -> tuple[Mapping[str, str], bool, Mapping[str, str]]:
    try:
        config = _pairs(await execute("CONFIG", "GET", *_CONFIGURATION))
        known = await execute("COMMAND", "INFO", "WAITAOF")
        replication = _lines(await execute("INFO", "replication"))
    except ResponseError as error:
        raise RedisNotDurable([f"its settings cannot be read ({error}); allow CONFIG GET and INFO"]) from error
    return config, bool(known and (known[0] if isinstance(known, list) else known)), replication


def _findings(config: Mapping[str, str], has_waitaof: bool) -> list[str]:
    findings: list[str] = []
    if config.get("appendonly") != "yes":
        findings.append("no append-only file; set `appendonly yes`")
    fsync = config.get("appendfsync")
    if fsync == "no" or (fsync == "everysec" and not has_waitaof):
        findings.append(f"`appendfsync {fsync}` forgets up to seconds; set `appendfsync always`")
    if fsync == "always" and config.get("no-appendfsync-on-rewrite") == "yes":
        findings.append("no fsync while the file is rewritten; set `no-appendfsync-on-rewrite no`")
    if config.get("maxmemory-policy") != "noeviction":
        findings.append(f"it evicts keys ({config.get('maxmemory-policy')}); set `maxmemory-policy noeviction`")
    return findings


def _pairs(reply: Any) -> dict[str, str]:
    if isinstance(reply, Mapping):
        return {_text(name): _text(value) for name, value in reply.items()}
    return {_text(reply[i]): _text(reply[i + 1]) for i in range(0, len(reply), 2)}


def _lines(reply: Any) -> dict[str, str]:
    if isinstance(reply, Mapping):
        return {str(name): str(value) for name, value in reply.items()}
    found = (line.partition(":") for line in _text(reply).splitlines())
    return {name: value.strip() for name, _, value in found}


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)
