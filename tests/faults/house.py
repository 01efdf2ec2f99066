"""A house for fault tests: servers and workers as real processes under the product's supervisor, and seats that answer.

A seat behaves as the browser does: it keeps every answer itself, sends it until it is acknowledged, and hands in only
when the server holds everything.
"""

import asyncio
import os
import random
import resource
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import msgspec
import psutil

from exam_engine.delivery.errors import LeaseTaken, NotStarted, ResponsesMissing
from exam_engine.delivery.hot_path import Delivery
from exam_engine.delivery.model import AttemptId
from exam_engine.delivery.tokens import CandidatePass
from exam_engine.delivery.wire import SaveBody, SaveResponse, SubmitBody
from exam_engine.infra.embedded.child import Child, ChildPlan
from exam_engine.infra.embedded.servers import EmbeddedServers
from exam_engine.infra.embedded.supervisor import Supervisor
from exam_engine.infra.errors import ServiceUnavailable
from exam_engine.infra.migrations.runner import upgrade
from exam_engine.infra.settings import Secret, Settings, environment_of

SLOTS = range(1, 9)  # single choices of the hall's form


class House:
    """Servers, write-behind and timer; any of them may be killed, and comes back."""

    def __init__(self, settings: Settings, supervisor: Supervisor) -> None:
        self.settings = settings
        self._supervisor = supervisor
        self._paused = threading.Lock()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def child(self, name: str) -> Child:
        for child in (*self._supervisor.servers.children, *self._supervisor.children):
            if child.plan.name == name:
                return child
        raise KeyError(name)

    def kill(self, name: str) -> bool:
        """Kill a process without warning; False if it is dead already and not yet started again.

        An API worker is a child of the API's own master, which starts another.
        """
        pid = self._api_worker() if name == "API worker" else self.child(name).pid
        if pid is None:
            return False
        os.kill(pid, signal.SIGKILL)
        return True

    def kill_host(self, name: str) -> None:
        """Kill an API with all its workers at once, as a power cut does."""
        pid = self.child(name).pid
        assert pid is not None
        os.killpg(pid, signal.SIGKILL)

    def _api_worker(self) -> int | None:
        master = self.child("API").pid
        workers = psutil.Process(master).children() if master is not None else []
        return random.choice(workers).pid if workers else None

    def serve(self, workers: int = 2, name: str = "API", **others: Any) -> Settings:
        """Start the API over these servers as well, and wait until it answers; under another name, a further host."""
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        settings = msgspec.structs.replace(self.settings, http_port=port, api_workers=workers, **others)
        with self._paused:  # or the watch finds it dead before it lives, and starts it as well
            self._supervisor.launch([_api(settings, name)])
        with httpx.Client(base_url=settings.base_url, timeout=5.0) as client:
            while True:
                try:
                    if client.get("/health/ready").is_success:
                        return settings
                except httpx.TransportError:
                    pass
                self._stop.wait(0.1)

    @contextmanager
    def unsupervised(self) -> Iterator[None]:
        """Nothing that dies inside comes back before the end."""
        with self._paused:
            yield

    def fill_the_disk_of(self, name: str) -> None:
        """Let no file of a process and its children grow any more: every write that would fails, as on a full disk.

        Whoever is started afterwards has room again.
        """
        pid = self.child(name).pid
        assert pid is not None
        process = psutil.Process(pid)
        largest = max((Path(file.path).stat().st_size for file in process.open_files()), default=0)
        limits = (largest + 1, largest + 1)
        # Another user's process can be limited only by that user, even by root in a container.
        owner = {"user": process.uids().real, "group": process.gids().real} if os.geteuid() == 0 else {}
        for one in (process, *process.children(recursive=True)):
            subprocess.run(
                ["/bin/sh", "-c", ":"],
                cwd="/",
                check=True,
                preexec_fn=partial(_limit_files, one.pid, limits),
                **owner,
            )

    def forget_answers(self) -> None:
        """Remove Valkey's files, as if its disk had been replaced."""
        shutil.rmtree(self._supervisor.servers.places.valkey / "appendonlydir")

    def stop(self) -> None:
        self._stop.set()
        self._thread.join()
        self._supervisor.stop()

    def _watch(self) -> None:
        while not self._stop.wait(0.05):
            with self._paused:
                self._supervisor.look()


@contextmanager
def open_house(
    others: Callable[[EmbeddedServers], Mapping[str, Any]] = lambda _: {},
    more: Callable[[EmbeddedServers], Sequence[ChildPlan]] = lambda _: (),
    *,
    with_valkey: bool = True,
) -> Iterator[House]:
    """Start everything; `others` are settings of one's own, `more` further servers beside the embedded ones."""
    folder = Path(tempfile.mkdtemp(prefix="exam-faults-"))
    folder.chmod(0o755)
    servers = EmbeddedServers(folder, with_valkey=with_valkey)
    house: House | None = None
    try:
        servers.prepare().start()
        assert servers.database_url is not None
        settings = msgspec.structs.replace(
            Settings(),
            data_folder=servers.data_folder,
            database_url=Secret(servers.database_url),
            redis_url=Secret(servers.redis_url or ""),
            secret_key=Secret("a secret of the fault tests, long enough"),
        )
        settings = msgspec.structs.replace(settings, **others(servers))
        asyncio.run(upgrade(settings))
        supervisor = Supervisor(servers, lambda _: None)
        supervisor.launch(more(servers))
        supervisor.launch([_worker(settings, "write-behind"), _worker(settings, "timer")])
        house = House(settings, supervisor)
        yield house
    finally:
        if house is not None:
            house.stop()
        else:
            servers.stop()
        shutil.rmtree(folder, ignore_errors=True)


def _limit_files(pid: int, limits: tuple[int, int]) -> None:
    with suppress(ProcessLookupError):
        resource.prlimit(pid, resource.RLIMIT_FSIZE, limits)


def _worker(settings: Settings, name: str) -> ChildPlan:
    return _plan(settings, name, (sys.executable, "-m", "exam_engine.cli.main", "worker", name))


def _api(settings: Settings, name: str) -> ChildPlan:
    command = (sys.executable, "-m", "granian", "--interface", "asgi", "--factory", "api.hot:create_server")
    listen = ("--host", settings.http_host, "--port", str(settings.http_port), "--workers", str(settings.api_workers))
    return _plan(settings, name, (*command, *listen, "--no-ws", "--respawn-failed-workers", "--respawn-interval", "1"))


def _plan(settings: Settings, name: str, command: tuple[str, ...]) -> ChildPlan:
    environment = {key: value for key, value in os.environ.items() if not key.startswith("EXAM_")}
    logs = settings.data_folder / "logs"
    logs.mkdir(exist_ok=True, parents=True)
    return ChildPlan(
        name=name,
        command=command,
        log_file=logs / f"{name}.log",
        environment=environment | environment_of(settings),
        folder=Path.cwd(),
    )


class Seat:
    """One candidate's browser."""

    def __init__(self, delivery: Delivery, candidate: CandidatePass, attempt: AttemptId, seed: int) -> None:
        self.answers: dict[int, tuple[int, str]] = {}
        self.acknowledged = 0
        self.starts = 0
        self.refused = 0  # times the server asked to come again
        self._delivery = delivery
        self._candidate = candidate
        self._attempt = attempt
        self._rng = random.Random(seed)
        self._sequence = 0
        self._lease = 0

    async def start(self) -> None:
        envelope = await self._patiently(lambda: self._delivery.start(self._candidate, self._attempt, "browser"))
        self._lease = envelope.lease
        self.starts += 1

    async def answer(self) -> None:
        """Change one answer and send it until it is acknowledged."""
        self._sequence += 1
        slot = self._rng.choice(SLOTS)
        self.answers[slot] = (self._sequence, self._rng.choice("ABCD"))
        await self._send([slot])
        self.acknowledged += 1

    async def hand_in(self) -> None:
        sequences = {slot: sequence for slot, (sequence, _) in self.answers.items()}
        while True:
            try:
                await self._patiently(
                    lambda: self._delivery.submit(self._candidate, self._attempt, SubmitBody(self._lease, sequences))
                )
            except ResponsesMissing as missing:
                await self._send(list(missing.missing))
            else:
                return

    async def _send(self, slots: list[int]) -> None:
        responses = [SaveResponse(slot, *self.answers[slot], 0) for slot in slots]
        reply = await self._patiently(
            lambda: self._delivery.save(self._candidate, self._attempt, SaveBody(self._lease, responses))
        )
        assert {saved.slot: saved.sequence for saved in reply.saved} == {r.slot: r.sequence for r in responses}

    async def _patiently(self, request: Any) -> Any:
        while True:
            try:
                return await request()
            except ServiceUnavailable:
                self.refused += 1
                await asyncio.sleep(self._rng.uniform(0.05, 0.2))
            except (NotStarted, LeaseTaken):
                # Redis began empty: perhaps it lost even a start of the last second, surely the lease.
                await self.start()
