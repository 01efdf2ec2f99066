"""Six Valkey servers on loopback as one cluster: three masters, each with a replica, every write fsync'ed.

They are the embedded server's program, started and started again by the product's own child processes.
"""

import asyncio
import os
import shutil
import signal
import socket
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from exam_engine.infra.embedded.binaries import find_binaries
from exam_engine.infra.embedded.child import Child, ChildPlan, stop_together
from exam_engine.infra.redis_cluster import ClusterClient

MASTERS = 3
NODES = 2 * MASTERS
SLOTS = 16384
NODE_TIMEOUT_MS = 2000  # how long a node is silent before the others think it dead


class ValkeyCluster:
    """The servers, by position: 0…2 begin as masters, 3…5 as their replicas."""

    def __init__(self, folder: Path, ports: list[int]) -> None:
        self.ports = ports
        self.children = [Child(_plan(folder, position, port)) for position, port in enumerate(ports)]

    @property
    def url(self) -> str:
        return "redis://" + ",".join(f"127.0.0.1:{port}" for port in self.ports)

    def kill(self, port: int, number: int = signal.SIGKILL) -> None:
        pid = self._child(port).pid
        assert pid is not None
        os.kill(pid, number)

    def start_again(self, port: int) -> None:
        child = self._child(port)
        deadline = time.monotonic() + 30
        while not child.is_running():
            child.take_ending()
            child.revive()
            assert time.monotonic() < deadline
        child.wait_ready(30)

    def bring_back(self, port: int) -> None:
        """Let a server that hangs go on, or start one that is dead."""
        if self._child(port).is_running():
            self.kill(port, signal.SIGCONT)
        self.start_again(port)

    def _child(self, port: int) -> Child:
        return self.children[self.ports.index(port)]

    async def form(self) -> None:
        """Make one cluster of the servers and wait until all of them see it whole."""
        nodes = [Redis(host="127.0.0.1", port=port) for port in self.ports]
        try:
            ids = [_text(await _ask(node, "CLUSTER", "MYID")) for node in nodes]
            for position, node in enumerate(nodes[:MASTERS]):
                first, last = (SLOTS * part // MASTERS for part in (position, position + 1))
                await _ask(node, "CLUSTER", "ADDSLOTSRANGE", first, last - 1)
                await _ask(node, "CLUSTER", "SET-CONFIG-EPOCH", position + 1)
            for port in self.ports[1:]:
                await _ask(nodes[0], "CLUSTER", "MEET", "127.0.0.1", port)
            for position, node in enumerate(nodes[MASTERS:]):
                await _until(lambda node=node, it=ids[position]: _knows(node, it))
                await _ask(node, "CLUSTER", "REPLICATE", ids[position])
            for node in nodes:
                await _until(lambda node=node: _is_whole(node))
            for node in nodes[:MASTERS]:
                await _until(lambda node=node: has_replica(node))
        finally:
            for node in nodes:
                await node.aclose()

    async def replica_of(self, master: int) -> int:
        """Return the port of a master's replica."""
        async with Redis(host="127.0.0.1", port=master) as node:
            told: Any = await node.info("replication")
        return int(told["slave0"]["port"])

    async def master_of(self, client: ClusterClient, key: str) -> int:
        """Return the port of the server that owns a key now, as a server that answers tells."""
        slot = client.keyslot(key)
        for port in self.ports:
            if not self._child(port).is_running():
                continue
            with suppress(RedisError, OSError):
                async with Redis(host="127.0.0.1", port=port, socket_timeout=0.5, retry=Retry(NoBackoff(), 0)) as node:
                    for first, last, master, *_ in await _ask(node, "CLUSTER", "SLOTS"):
                        if first <= slot <= last:
                            return int(master["port"] if isinstance(master, dict) else master[1])
        raise AssertionError("no server owns the key")


async def has_replica(node: Any) -> bool:
    """Whether a replica follows this server and has caught up."""
    told = await node.info("replication")
    return bool(told["role"] == "master" and told["connected_slaves"] >= 1 and told["slave0"]["state"] == "online")


@contextmanager
def open_cluster() -> Iterator[ValkeyCluster]:
    folder = Path(tempfile.mkdtemp(prefix="exam-cluster-"))
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        cluster = ValkeyCluster(folder, _free_ports())
        stack.callback(stop_together, cluster.children)
        for child in cluster.children:
            child.start()
        for child in cluster.children:
            child.wait_ready(30)
        asyncio.run(cluster.form())
        yield cluster


def _plan(folder: Path, position: int, port: int) -> ChildPlan:
    home = folder / f"node-{position}"
    home.mkdir()
    settings = {
        "port": port,
        "bind": "127.0.0.1",
        "dir": home,
        "cluster-enabled": "yes",
        "cluster-config-file": "nodes.conf",
        "cluster-node-timeout": NODE_TIMEOUT_MS,
        "cluster-require-full-coverage": "no",
        "cluster-allow-replica-migration": "no",
        "appendonly": "yes",
        "appendfsync": "always",
        "no-appendfsync-on-rewrite": "no",
        "maxmemory-policy": "noeviction",
        "repl-diskless-sync-delay": "0",
        "save": "",
        "daemonize": "no",
    }
    command = [str(find_binaries().valkey_server)]
    for name, value in settings.items():
        command += [f"--{name}", str(value)]
    return ChildPlan(
        name=f"Valkey {position}",
        command=command,
        log_file=home / "valkey.log",
        environment={"PATH": os.defpath},
        folder=home,
        is_ready=lambda: _answers(port),
    )


def _answers(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), 1.0) as connection:
            connection.sendall(b"PING\r\n")
            return connection.recv(16).startswith(b"+PONG")
    except OSError:
        return False


def _free_ports() -> list[int]:
    """Find ports whose buses, 10,000 above, are free as well and that nobody is given by chance."""
    found: list[int] = []
    for port in range(17000 + os.getpid() % 400 * 10, 22000):
        with suppress(OSError), ExitStack() as stack:
            for number in (port, port + 10000):
                stack.enter_context(socket.socket()).bind(("127.0.0.1", number))
            found.append(port)
        if len(found) == NODES:
            return found
    raise AssertionError("no six ports are free")


async def _knows(node: Any, identity: str) -> bool:
    return identity in _text(await _ask(node, "CLUSTER", "NODES"))


async def _is_whole(node: Any) -> bool:
    told = _text(await _ask(node, "CLUSTER", "INFO"))
    return "cluster_state:ok" in told and f"cluster_known_nodes:{NODES}" in told


async def _until(condition: Any) -> None:
    async with asyncio.timeout(60):
        while not await condition():
            await asyncio.sleep(0.05)


async def _ask(node: Any, *command: Any) -> Any:
    return await node.execute_command(*command)


def _text(value: Any) -> str:
    if isinstance(value, dict):  # the library reads CLUSTER NODES and CLUSTER INFO into mappings
        return "\n".join(f"{name}:{told}" for name, told in value.items()) + str(value)
    return value.decode() if isinstance(value, bytes) else str(value)
