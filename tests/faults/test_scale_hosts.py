"""Two API hosts behind the nginx configuration we deliver; one dies under load and its seats go on at the other."""

import asyncio
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx
import msgspec
import pytest

from exam_engine.infra.embedded.child import Child, ChildPlan, stop_together
from exam_engine.infra.settings import Settings
from tests.faults.house import House, open_house
from tests.faults.test_storm import open_room

pytestmark = pytest.mark.faults
CONFIGURATION = Path(__file__).parents[2] / "deploy" / "nginx.conf"
HOSTS = ("API", "API 2")
_SAVED = re.compile(r"^exam_responses_acknowledged_total .*$", re.MULTILINE)


@pytest.fixture(scope="module")
def house() -> Iterator[House]:
    with open_house() as house:
        yield house


@pytest.fixture(scope="module")
def hosts(house: House) -> list[Settings]:
    apart = house.settings.data_folder / "host-2"  # as another machine has it
    return [house.serve(trusted_proxies=1), house.serve(name=HOSTS[1], trusted_proxies=1, data_folder=apart)]


@pytest.fixture(scope="module")
def front(hosts: list[Settings], tell: Callable[[str], None]) -> Iterator[Settings]:
    """Settings whose address is nginx's."""
    program = shutil.which("nginx", path=os.environ.get("PATH", os.defpath) + ":/usr/sbin:/usr/local/sbin")
    if program is None:
        line = "NOT TESTED: several hosts behind nginx, for want of nginx (apt-get install nginx-light)"
        if os.environ.get("CI") == "true":
            pytest.fail(line)
        tell(line)
        pytest.skip(line)
    with _nginx(program, [host.http_port for host in hosts]) as port:
        yield msgspec.structs.replace(hosts[0], http_port=port)


async def test_one_of_two_hosts_dies_and_its_seats_go_on_at_the_other(
    house: House, hosts: list[Settings], front: Settings, tell: Callable[[str], None]
) -> None:
    async with open_room(house, front) as room:
        await room.begin()
        await room.answer(1000)
        before = sum(room.tally.failures.values())
        with house.unsupervised():
            house.kill_host(HOSTS[0])
            await room.answer(2000)
        failures = sum(room.tally.failures.values()) - before
        # The host comes back, gets its share again, and the other one dies.
        async with asyncio.timeout(60):
            told: list[str] = []
            while len(set(told)) < 2:
                await room.answer(100)
                told += await _saved_at(hosts[0])
        house.kill_host(HOSTS[1])
        await room.answer(1000)
        await room.end()
        await room.settle()
        answers, all_failures = room.tally.answers, sum(room.tally.failures.values())
    tell(
        f"two hosts, each killed once: {answers} answers stored; {failures} requests failed at the first kill,"
        f" {all_failures} in all: {dict(room.tally.failures)}"
    )


async def test_pages_come_through_and_metrics_stay_inside(front: Settings) -> None:
    async with httpx.AsyncClient(base_url=front.base_url) as browser:
        assert (await browser.get("/health/ready")).is_success
        assert (await browser.get("/metrics")).status_code == 403
        assert (await browser.get("/", follow_redirects=True)).is_success


async def _saved_at(host: Settings) -> list[str]:
    """Return how many answers a host has acknowledged, once it answers."""
    async with httpx.AsyncClient(base_url=host.base_url) as browser:
        try:
            return _SAVED.findall((await browser.get("/metrics")).text)
        except httpx.TransportError:
            return []


@contextmanager
def _nginx(program: str, ports: Sequence[int]) -> Iterator[int]:
    """Run nginx with the delivered file; only addresses, folders and the certificate are of this machine."""
    folder = Path(tempfile.mkdtemp(prefix="exam-nginx-"))
    folder.chmod(0o755)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    text = CONFIGURATION.read_text("utf-8")
    for address, our_port in zip(("192.0.2.11:8000", "192.0.2.12:8000"), ports, strict=True):
        assert address in text
        text = text.replace(address, f"127.0.0.1:{our_port}")
    text = re.sub(r"\n    server \{\n        listen 80;.*?\n    \}\n", "\n", text, flags=re.DOTALL)
    text = re.sub(r"\n +ssl_[^\n]+", "", text).replace("listen 443 ssl http2", f"listen 127.0.0.1:{port}")
    text = text.replace("pid /run/nginx.pid;", f"pid {folder}/nginx.pid;\nerror_log stderr;\ndaemon off;")
    paths = "".join(
        f"    {kind}_temp_path {folder}/{kind};\n" for kind in ("client_body", "proxy", "fastcgi", "scgi", "uwsgi")
    )
    text = text.replace("http {\n", f"http {{\n{paths}", 1)
    file = folder / "nginx.conf"
    file.write_text(text, "utf-8")
    child = Child(
        ChildPlan(
            name="nginx",
            command=(program, "-c", str(file), "-p", str(folder)),
            log_file=folder / "nginx.log",
            environment={"PATH": os.defpath},
            is_ready=lambda: _listens(port),
            stop_signal=signal.SIGTERM,
        )
    )
    try:
        subprocess.run([program, "-t", "-q", "-c", str(file), "-p", str(folder)], check=True)
        child.start()
        child.wait_ready(20)
        yield port
    finally:
        stop_together([child])
        shutil.rmtree(folder, ignore_errors=True)


def _listens(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), 1.0):
            return True
    except OSError:
        return False
