"""A Redis or Valkey Cluster behind the client the engine knows: one key, one node, one connection.

Everything the engine writes has keys with a `{sitting:shard}` tag, so that a script touches one slot. The library's own
pipeline repeats a redirected command on another connection; an acknowledgement by WAITAOF speaks of one connection
alone, so commands that belong together go out here, and a redirection is an error that the caller repeats whole.
"""

from collections.abc import Sequence
from typing import Any
from urllib.parse import unquote, urlsplit

from redis.asyncio.cluster import ClusterNode, PipelineCommand, RedisCluster
from redis.asyncio.retry import Retry
from redis.backoff import ConstantBackoff
from redis.exceptions import AskError, ClusterDownError, RedisClusterException
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

DEFAULT_PORT = 6379
_STALE_MAP = (RedisConnectionError, RedisTimeoutError, ClusterDownError, AskError, OSError)  # MovedError is an AskError


class ClusterClient(RedisCluster):
    """The library's client, which also sends several commands to the master of a key on one connection."""

    replicas_to_wait = 0

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
