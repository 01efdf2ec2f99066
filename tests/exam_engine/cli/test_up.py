"""`exam-engine up` as a user meets it: ready, refused, killed in parts, stopped."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event

import httpx
import pytest
from redis.asyncio import Redis

from exam_engine.infra.embedded import places, processes
from exam_engine.infra.embedded.running import Running, read_running
from exam_engine.infra.settings import Settings

READY_SECONDS = 200.0


def eventually(fact: Callable[[], object], seconds: float = 100.0) -> None:
    deadline = time.monotonic() + seconds
    while not fact():
        assert time.monotonic() < deadline, "it did not become true in time"
        Event().wait(0.05)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def environment(data_folder: Path, port: int, **more: str) -> dict[str, str]:
    rest = {name: value for name, value in os.environ.items() if not name.startswith("EXAM_")}
    return rest | {"EXAM_DATA_FOLDER": str(data_folder), "EXAM_HTTP_PORT": str(port), **more}


def living_members(group: int) -> list[str]:
    listed = subprocess.run(["ps", "-eo", "pgid=,stat="], capture_output=True, text=True, check=True).stdout
    return [line for line in listed.splitlines() if line.split()[0] == str(group) and "Z" not in line.split()[1]]


def command(*words: str) -> list[str]:
    return [sys.executable, "-m", "exam_engine.cli.main", *words]


class Up:
    """A running `exam-engine up`."""

    def __init__(self, data_folder: Path, port: int, **more: str) -> None:
        self.data_folder = data_folder
        self.port = port
        with (data_folder.parent / "up.log").open("ab") as log:
            self.process = subprocess.Popen(
                command("up"),
                env=environment(data_folder, port, **more),
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    @property
    def running(self) -> Running:
        found = read_running(self.data_folder)
        assert found is not None
        return found

    def pid_of(self, name: str) -> int:
        return next(child.pid for child in self.running.children if child.name == name)

    def is_ready(self) -> bool:
        assert self.process.poll() is None, (self.data_folder.parent / "up.log").read_text()
        try:
            return httpx.get(f"http://127.0.0.1:{self.port}/health/ready", timeout=5).status_code == 200
        except httpx.HTTPError:
            return False

    def stop(self, number: int = signal.SIGTERM) -> int:
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.process.wait(120)


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    made = Path(tempfile.mkdtemp(prefix="exam-up-"))
    made.chmod(0o755)
    yield made
    for stamp in list(made.rglob(places.STAMP_FILE)):
        places.remove_data(stamp.parent)
    shutil.rmtree(made, ignore_errors=True)


@pytest.fixture(scope="module")
def up(folder: Path) -> Iterator[Up]:
    running = Up(folder / "data", free_port())
    try:
        eventually(running.is_ready, READY_SECONDS)
        eventually(lambda: len(running.running.children) == 6)
        yield running
    finally:
        running.stop()


def test_a_command_finds_the_servers_that_run(up: Up) -> None:
    answer = subprocess.run(
        command("database", "status", "--json"),
        env=environment(up.data_folder, up.port),
        capture_output=True,
        text=True,
        check=False,
    )
    assert answer.returncode == 0, answer.stderr
    assert '"is_current": true' in answer.stdout


def test_a_second_start_says_so_and_harms_nothing(up: Up) -> None:
    answer = subprocess.run(
        command("up"),
        env=environment(up.data_folder, up.port),
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert answer.returncode == 1
    assert f"already runs on {up.data_folder} as process {up.process.pid}" in answer.stderr
    assert up.is_ready()


def test_a_taken_port_is_named_with_the_setting_that_changes_it(up: Up, folder: Path) -> None:
    answer = subprocess.run(
        command("up"),
        env=environment(folder / "other", up.port),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert answer.returncode == 1
    assert f"port {up.port} on 127.0.0.1 cannot be used" in answer.stderr
    assert f"EXAM_HTTP_PORT={up.port + 1}" in answer.stderr
    assert read_running(folder / "other") is None


@pytest.mark.parametrize("name", ["API", "write-behind", "timer", "jobs"])
def test_a_killed_process_of_ours_comes_back(up: Up, name: str) -> None:
    killed = up.pid_of(name)
    os.kill(killed, signal.SIGKILL)
    eventually(lambda: up.pid_of(name) != killed)
    eventually(up.is_ready)


def test_a_killed_api_leaves_no_worker_behind(up: Up) -> None:
    killed = up.pid_of("API")
    os.kill(killed, signal.SIGKILL)
    eventually(lambda: up.pid_of("API") != killed)
    eventually(lambda: living_members(killed) == [])
    eventually(up.is_ready)


@pytest.mark.parametrize("name", ["PostgreSQL", "Valkey"])
def test_the_api_serves_again_after_a_server_was_killed(up: Up, name: str) -> None:
    killed = up.pid_of(name)
    os.kill(killed, signal.SIGKILL)
    eventually(lambda: up.pid_of(name) != killed)
    eventually(up.is_ready)


def test_an_unknown_setting_stops_the_start(folder: Path) -> None:
    answer = subprocess.run(
        command("up"),
        env=environment(folder / "third", 1, EXAM_HTTP_PROT="1"),
        capture_output=True,
        text=True,
        check=False,
    )
    assert answer.returncode == 1
    assert "EXAM_HTTP_PROT, did you mean EXAM_HTTP_PORT?" in answer.stderr
    assert not (folder / "third").exists()


def test_a_reset_without_a_terminal_needs_its_word(folder: Path) -> None:
    answer = subprocess.run(
        command("up", "--reset"),
        env=environment(folder / "third", 1),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert answer.returncode == 1
    assert "--yes" in answer.stderr


def test_an_interrupt_stops_everything_and_the_next_start_is_whole(folder: Path) -> None:
    first = Up(folder / "fourth", free_port())
    eventually(first.is_ready, READY_SECONDS)
    eventually(lambda: len(first.running.children) == 6)
    children = first.running.children
    assert first.stop(signal.SIGINT) == 0
    assert not any(processes.is_alive(child) for child in children)
    assert read_running(folder / "fourth") is None


def test_an_interrupt_during_the_start_leaves_nothing_either(folder: Path) -> None:
    early = Up(folder / "fifth", free_port())
    eventually(lambda: read_running(folder / "fifth") is not None, READY_SECONDS)
    children = early.running.children
    assert early.stop(signal.SIGINT) == 0
    assert not any(processes.is_alive(child) for child in children)


def test_servers_of_your_own_are_used_and_not_started(folder: Path, settings: Settings) -> None:
    assert settings.database_url is not None
    assert settings.redis_url is not None
    addresses = {
        "EXAM_DATABASE_URL": settings.database_url.reveal(),
        "EXAM_REDIS_URL": settings.redis_url.reveal(),
    }
    external = Up(folder / "sixth", free_port(), **addresses)
    try:
        eventually(external.is_ready, READY_SECONDS)
        eventually(lambda: len(external.running.children) == 4)
        names = {child.name for child in external.running.children}
        assert names == {"API", "write-behind", "timer", "jobs"}
        assert not (folder / "sixth" / "postgresql").exists()
    finally:
        assert external.stop() == 0


def test_a_database_that_does_not_answer_is_named(folder: Path) -> None:
    more = {"EXAM_DATABASE_URL": f"postgresql://exam@127.0.0.1:{free_port()}/exam"}
    answer = subprocess.run(
        command("up"),
        env=environment(folder / "seventh", free_port(), **more),
        capture_output=True,
        text=True,
        check=False,
    )
    assert answer.returncode == 1
    assert "PostgreSQL is unavailable" in answer.stderr
    assert read_running(folder / "seventh") is None


async def test_a_redis_that_forgets_is_refused_with_what_to_set(
    folder: Path, settings: Settings, redis: "Redis"
) -> None:
    assert settings.redis_url is not None
    await redis.config_set("appendfsync", "no")
    try:
        answer = subprocess.run(
            command("up"),
            env=environment(folder / "eighth", free_port(), EXAM_REDIS_URL=settings.redis_url.reveal()),
            capture_output=True,
            text=True,
            check=False,
        )
    finally:
        await redis.config_set("appendfsync", "always")
    assert answer.returncode == 1
    assert "set `appendfsync always`" in answer.stderr
