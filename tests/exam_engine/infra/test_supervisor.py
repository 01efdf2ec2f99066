"""What must survive: a killed server, a killed supervisor, a closed output. Real processes, really killed."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event

import asyncpg
import pytest
from redis.asyncio import Redis
from redis.exceptions import RedisError

from exam_engine.infra.embedded import places, processes
from exam_engine.infra.embedded.child import Child, ChildPlan, stop_together
from exam_engine.infra.embedded.lock import FolderLock
from exam_engine.infra.embedded.running import Running, read_running
from exam_engine.infra.errors import EmbeddedServerError
from tests.exam_engine.infra.connecting import connect

PROGRAM = Path(__file__).with_name("supervised.py")


def eventually(fact: Callable[[], object], seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not fact():
        assert time.monotonic() < deadline, "it did not become true in time"
        Event().wait(0.02)


class Supervised:
    """A supervising process over one data folder."""

    def __init__(self, data_folder: Path) -> None:
        self.data_folder = data_folder
        self.process = subprocess.Popen(
            [sys.executable, str(PROGRAM), str(data_folder)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def wait_ready(self) -> "Supervised":
        assert self.process.stdout is not None
        assert self.process.stderr is not None
        assert self.process.stdout.readline() == "ready\n", self.process.stderr.read()
        return self

    @property
    def running(self) -> Running:
        found = read_running(self.data_folder)
        assert found is not None
        return found

    def pid_of(self, name: str) -> int:
        return next(child.pid for child in self.running.children if child.name == name)

    def end(self, number: int = signal.SIGTERM) -> int:
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.process.wait(30)


@pytest.fixture
def data_folder() -> Iterator[Path]:
    made = Path(tempfile.mkdtemp(prefix="exam-supervisor-"))
    made.chmod(0o755)
    yield made / "data"
    places.remove_data(made / "data")
    shutil.rmtree(made, ignore_errors=True)


@pytest.fixture
def supervised(data_folder: Path) -> Iterator[Supervised]:
    process = Supervised(data_folder).wait_ready()
    yield process
    process.end()
    for stream in (process.process.stdout, process.process.stderr):
        assert stream is not None
        stream.close()


async def answers(data_folder: Path) -> bool:
    found = read_running(data_folder)
    if found is None:
        return False
    assert found.redis_url is not None
    client = Redis.from_url(found.redis_url)
    try:
        connection = await connect(found.database_url, timeout=5)
        await connection.close()
        return bool(await client.ping())
    except (OSError, RedisError, asyncpg.PostgresError):
        return False
    finally:
        await client.aclose()


async def become_well(data_folder: Path, seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not await answers(data_folder):
        assert time.monotonic() < deadline, "the servers did not come back"
        Event().wait(0.02)


@pytest.mark.parametrize("name", ["PostgreSQL", "Valkey"])
async def test_a_killed_server_comes_back(supervised: Supervised, name: str) -> None:
    killed = supervised.pid_of(name)
    os.kill(killed, signal.SIGKILL)
    eventually(lambda: supervised.pid_of(name) != killed)
    await become_well(supervised.data_folder)


async def test_after_a_killed_supervisor_the_next_start_stops_the_orphans_and_keeps_the_data(
    supervised: Supervised, data_folder: Path
) -> None:
    before = supervised.running
    assert before.redis_url is not None
    client = Redis.from_url(before.redis_url, decode_responses=True)
    await client.set("acknowledged", "yes")
    await client.aclose()
    supervised.end(signal.SIGKILL)
    assert all(processes.is_alive(child) for child in before.children)
    assert not FolderLock(data_folder).take(), "the orphans must hold the lock"
    later = Supervised(data_folder).wait_ready()
    try:
        assert not any(processes.is_alive(child) for child in before.children)
        client = Redis.from_url(before.redis_url, decode_responses=True)
        assert await client.get("acknowledged") == "yes"
        await client.aclose()
        assert await answers(data_folder)
    finally:
        assert later.end() == 0
        later.process.communicate()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda number: number.name)
async def test_a_request_to_stop_leaves_nothing_behind(supervised: Supervised, number: signal.Signals) -> None:
    children = supervised.running.children
    assert supervised.end(number) == 0
    assert not any(processes.is_alive(child) for child in children)
    assert read_running(supervised.data_folder) is None
    lock = FolderLock(supervised.data_folder)
    assert lock.take()
    lock.leave()


async def test_a_reader_that_goes_away_stops_nothing(supervised: Supervised) -> None:
    assert supervised.process.stdout is not None
    supervised.process.stdout.close()
    killed = supervised.pid_of("Valkey")
    os.kill(killed, signal.SIGKILL)
    eventually(lambda: supervised.pid_of("Valkey") != killed)
    await become_well(supervised.data_folder)
    assert supervised.process.poll() is None


async def test_a_disk_that_takes_no_note_stops_nothing_and_gets_it_later(supervised: Supervised) -> None:
    in_the_way = supervised.data_folder / "running.json.unfinished"
    in_the_way.mkdir()
    killed = supervised.pid_of("Valkey")
    os.kill(killed, signal.SIGKILL)
    await become_well(supervised.data_folder)
    assert supervised.pid_of("Valkey") == killed, "the note could not be written"
    in_the_way.rmdir()
    eventually(lambda: supervised.pid_of("Valkey") != killed)
    assert supervised.process.poll() is None


async def test_a_second_start_is_refused_and_harms_nothing(supervised: Supervised, data_folder: Path) -> None:
    second = Supervised(data_folder)
    _, said = second.process.communicate(timeout=30)
    assert second.process.returncode == 1
    assert f"already runs on {data_folder} as process {supervised.process.pid}" in said
    assert await answers(data_folder)


def test_a_process_number_that_was_given_again_is_not_taken_for_ours() -> None:
    mine = processes.mark("test", os.getpid())
    assert processes.is_alive(mine)
    assert not processes.is_alive(processes.ProcessMark("test", os.getpid(), "born at another time"))


def test_a_child_that_ends_at_once_shows_its_last_lines(tmp_path: Path) -> None:
    plan = ChildPlan(
        name="API",
        command=["/bin/sh", "-c", "echo the reason >&2; exit 3"],
        log_file=tmp_path / "api.log",
        environment={},
        is_ready=lambda: False,
    )
    child = Child(plan)
    child.start()
    with pytest.raises(EmbeddedServerError, match=r"API ended at its start; its last lines:\n +the reason"):
        child.wait_ready(10)
    stop_together([child])


def test_a_child_that_keeps_ending_is_started_less_and_less_often(tmp_path: Path) -> None:
    plan = ChildPlan(name="API", command=["/bin/false"], log_file=tmp_path / "api.log", environment={})
    child = Child(plan)
    child.start()
    pauses: list[float] = []
    for _ in range(3):
        eventually(lambda: child.take_ending() is not None)
        began = time.monotonic()
        eventually(child.revive)
        pauses.append(time.monotonic() - began)
    stop_together([child])
    assert child.failures == 3
    assert pauses[2] > pauses[1] > pauses[0]


def test_what_a_dead_child_leaves_in_its_group_is_ended_too(tmp_path: Path) -> None:
    log = tmp_path / "api.log"
    plan = ChildPlan(name="API", command=["/bin/sh", "-c", "sleep 300 & echo $!; exit 1"], log_file=log, environment={})
    child = Child(plan)
    child.start()
    eventually(lambda: child.take_ending() is not None)
    left_over = processes.mark("sleep", int(log.read_text()))
    eventually(lambda: not processes.is_alive(left_over))


def test_the_disk_is_reported_once_when_it_fills_up(data_folder: Path) -> None:
    from exam_engine.infra.embedded.servers import EmbeddedServers
    from exam_engine.infra.embedded.supervisor import Supervisor

    said: list[str] = []
    servers = EmbeddedServers(data_folder, with_postgresql=False, with_valkey=False).prepare()
    try:
        supervisor = Supervisor(servers, said.append, low_disk_bytes=2**60)
        supervisor.look()
        supervisor.look()
    finally:
        servers.stop()
    assert len(said) == 1
    assert "nearly full" in said[0]


def test_the_marks_of_the_places_fit_a_socket() -> None:
    assert len(places.LONGEST_SOCKET_NAME) < places.SOCKET_PATH_LIMIT_BYTES
