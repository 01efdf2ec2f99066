"""A Redis or Valkey Cluster behind the client the engine knows: one key, one node, one connection.

Everything the engine writes has keys with a `{sitting:shard}` tag, so that a script touches one slot. The library's own
pipeline repeats a redirected command on another connection; an acknowledgement by WAITAOF speaks of one connection
alone, so commands that belong together go out here, and a redirection is an error that the caller repeats whole.
"""

import asyncio
from collections.abc import Iterable, Sequence
from typing import Any
from urllib.parse import unquote, urlsplit

from redis.asyncio.cluster import ClusterNode, PipelineCommand, RedisCluster
from redis.asyncio.connection import Connection, SSLConnection
from redis.asyncio.retry import Retry
from redis.backoff import ConstantBackoff
from redis.exceptions import AskError, ClusterDownError, RedisClusterException
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

DEFAULT_PORT = 6379
_STALE_MAP = (RedisConnectionError, RedisTimeoutError, ClusterDownError, AskError, OSError)  # MovedError is an AskError


class _ClosedByOthers:
    """Makes a connection that another task closes fail as a lost connection does, for whoever is using it.

    After an error the library closes all connections of a node, also those that a task holds or has just taken. It
    then waits for the transport and forgets whatever the connection has become meanwhile, and it writes to a transport
    that is no more: an AttributeError, which no caller repeats (redis-py #4287).
    """

    _writer: asyncio.StreamWriter | None

    async def disconnect(self, *_: Any, **named: Any) -> None:
        named["nowait"] = True
        await super().disconnect(**named)  # type: ignore[misc]

    async def _send_packed_command(self, command: Iterable[bytes]) -> None:
        if self._writer is None:
            raise RedisConnectionError("the connection was closed while it was in use")
        await super()._send_packed_command(command)  # type: ignore[misc]


class _PlainConnection(_ClosedByOthers, Connection):
    pass


class _SecureConnection(_ClosedByOthers, SSLConnection):
    pass


class ClusterClient(RedisCluster):
    """The library's client, which also sends several commands to the master of a key on one connection."""

    replicas_to_wait = 0

    def __init__(self, *, max_connections: int, ssl: bool, **named: Any) -> None:
        # The library refuses where it should wait: single commands find as many connections again.
        super().__init__(max_connections=2 * max_connections, ssl=ssl, **named)
        self._max_pipelines = max_connections
        self._turns: dict[str, asyncio.Semaphore] = {}
        connection_class = _SecureConnection if ssl else _PlainConnection
        self.connection_kwargs["connection_class"] = connection_class
        for node in self.startup_nodes:
            node.connection_class = connection_class

    async def initialize(self, *arguments: Any, **named: Any) -> "ClusterClient":
        """Learn who serves which slot, if that is not known.

        Raises
        ------
        redis.exceptions.ConnectionError
            No node answers, or none belongs to a cluster.
        """
        try:
            await super().initialize(*arguments, **named)
        except RedisClusterException as error:
            raise RedisConnectionError(str(error)) from error
        return self

    async def run_on_key(self, key: str, commands: Sequence[Sequence[Any]]) -> list[Any]:
        """Send commands to the master of a key, in order on one connection; errors are returned in their places.

        Raises
        ------
        redis.exceptions.ConnectionError
            The master does not answer, or is none any more. The map of slots was read anew: the repeat may succeed.
        """
        await self.initialize()
        try:
            node = self.get_node_from_key(key)
        except RedisClusterException as error:
            await self._learn(None)
            raise RedisConnectionError(str(error)) from error
        if node is None:
            raise RedisConnectionError("the slot has no master")
        sent = [PipelineCommand(position, *command) for position, command in enumerate(commands)]
        try:
            async with self._turn(node):
                await node.execute_pipeline(sent)
        except _STALE_MAP:
            await self._learn(node)
            raise
        replies: list[Any] = [command.result for command in sent]
        stale = next((reply for reply in replies if isinstance(reply, _STALE_MAP)), None)
        if stale is not None:
            await self._learn(node)
            raise RedisConnectionError(f"{type(stale).__name__}: {stale}") from stale
        return replies

    async def all_nodes(self) -> list[ClusterNode]:
        """Return masters and replicas as the cluster lists them."""
        await self.initialize()
        return list(self.get_nodes())

    def _turn(self, node: ClusterNode) -> asyncio.Semaphore:
        """Return what lets only so many pipelines out to a node at once; one that has to wait is not refused."""
        return self._turns.setdefault(node.name, asyncio.Semaphore(self._max_pipelines))

    async def _learn(self, failed: ClusterNode | None) -> None:
        try:
            await self.nodes_manager.initialize(last_failed_node_name=failed.name if failed else None)
        except RedisClusterException as error:
            raise RedisConnectionError(str(error)) from error


def create_cluster_client(url: str, max_connections: int) -> ClusterClient:
    """Make the client from `redis://user:password@host:port,host:port`; one node that answers is enough to begin.

    Raises
    ------
    ValueError
        The address names no host, or a port that is none.
    """
    parts = urlsplit(url)
    if parts.scheme not in ("redis", "rediss"):
        raise ValueError(f"a cluster's address begins with redis:// or rediss://, not {parts.scheme}://")
    credentials, _, hosts = parts.netloc.rpartition("@")
    user, _, password = credentials.partition(":")
    nodes = [_node(text) for text in hosts.split(",") if text]
    if not nodes:
        raise ValueError("a cluster's address names at least one host")
    return ClusterClient(
        startup_nodes=nodes,
        username=unquote(user) or None,
        password=unquote(password) or None,
        ssl=parts.scheme == "rediss",
        max_connections=max_connections,
        # A master that is away takes its slots with it, and nobody else's.
        require_full_coverage=False,
        socket_timeout=5,
        socket_connect_timeout=2,
        retry=Retry(ConstantBackoff(0.05), 2),
    )


def as_cluster(redis: object) -> ClusterClient | None:
    """Return the client as what it is, if it speaks to a cluster."""
    return redis if isinstance(redis, ClusterClient) else None


def _node(text: str) -> ClusterNode:
    host, colon, port = text.rpartition(":")
    if not colon or host.endswith(":"):
        return ClusterNode(text.strip("[]"), DEFAULT_PORT)
    return ClusterNode(host.strip("[]"), int(port))
