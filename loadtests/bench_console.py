"""What a delivery to a watched room costs: many subscribers of one worker, a room that changes all the time.

    python -m loadtests.bench_console --subscribers 1000 --seconds 20

Starts servers of its own, loads the small sample, serves the API with one granian worker and lets seats of one room
report something several times a second. Subscribers are raw sockets in this process. CPU is that of the worker alone;
each subscriber must be told states in order and end at the newest one.
"""

import argparse
import asyncio
import json
import os
import platform
import re
import resource
import socket
import subprocess
import sys
import tempfile
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import msgspec
import psutil  # type: ignore[import-untyped]
from sqlalchemy import text

from exam_engine.enrolment import codes
from exam_engine.enrolment import service as enrolment
from exam_engine.infra.database import transaction
from exam_engine.infra.embedded import places
from exam_engine.infra.embedded.servers import EmbeddedServers
from exam_engine.infra.migrations.runner import upgrade
from exam_engine.infra.settings import Secret, Settings, environment_of
from exam_engine.sample import population
from exam_engine.sample.loader import load_sample
from exam_engine.sample.sign_ins import staff_sign_ins
from exam_engine.wiring import Engine, open_engine

EXAM = "lam-quen-2027"
SEATS = 24
BAR_MICROSECONDS = 45.0
_ID = re.compile(rb"^id: ([0-9a-f]+)-(\d+)$", re.MULTILINE)


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """What one run came to."""

    subscribers: int
    states: int  # versions of the room while everybody watched
    deliveries: int
    cpu_microseconds_each: float  # of the worker, less what it costs for one subscriber
    gross_microseconds_each: float  # with reading the room and taking the seats' reports in
    alone_cpu_share: float  # of one core, for one subscriber
    behind: int  # subscribers that did not end at the newest state
    out_of_order: int
    bytes_each: float
    machine: str


class Subscriber:
    """One browser, as raw as can be: what it was told, in order."""

    def __init__(self) -> None:
        self.versions: list[int] = []
        self.events = 0
        self.received = 0
        self.tail = b""
        self.writer: asyncio.StreamWriter | None = None

    async def watch(self, port: int, path: str, cookie: str) -> None:
        """Read until the connection ends."""
        reader, self.writer = await asyncio.open_connection("127.0.0.1", port)
        self.writer.write(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: session={cookie}\r\n\r\n".encode())
        status = await reader.readline()
        if b" 200 " not in status:
            raise RuntimeError(f"not let in: {status!r}")
        while data := await reader.read(65_536):
            self.received += len(data)
            self.tail += data
            whole, _, self.tail = self.tail.rpartition(b"\n\n")
            self.events += whole.count(b"\nevent: ") + whole.startswith(b"event: ")
            self.versions += [int(count) for _, count in _ID.findall(whole)]


async def run(subscribers: int, seconds: float, rate: float) -> Figures:
    """Run the benchmark on servers of its own."""
    folder = _open_folder()
    try:
        with EmbeddedServers(folder) as servers:
            settings = Settings(
                data_folder=folder,
                database_url=Secret(servers.database_url or ""),
                redis_url=Secret(servers.redis_url or ""),
                http_port=_free_port(),
                log_level="warning",
                secret_key=Secret("a secret of the benchmark, long enough to be taken"),
            )
            await upgrade(settings)
            async with open_engine(settings) as engine:
                await load_sample(engine, populations=_populations())
                return await _measure(settings, engine, subscribers, seconds, rate)
    finally:
        places.remove_data(folder)


def _populations() -> dict[str, Any]:
    return {
        population.GRADUATION: partial(population.mock_graduation, 4),
        population.INTAKE: partial(population.grade_10_intake, 4),
        population.PRACTICE: partial(population.practice, SEATS),
    }


async def _measure(settings: Settings, engine: Engine, count: int, seconds: float, rate: float) -> Figures:
    rest = {name: value for name, value in os.environ.items() if not name.startswith("EXAM_")}
    command = [sys.executable, "-m", "granian", "--interface", "asgi", "--factory", "api.hot:create_server"]
    command += ["--host", "127.0.0.1", "--port", str(settings.http_port), "--workers", "1", "--no-ws"]
    command += ["--backlog", "4096", "--backpressure", "4096"]
    server = subprocess.Popen(command, env=rest | environment_of(settings))  # noqa: ASYNC220 (started once)
    try:
        async with httpx.AsyncClient(base_url=settings.base_url, timeout=30) as client:
            await _until_it_answers(client)
            return await _watch_and_note(client, server.pid, settings, engine, count, seconds, rate)
    finally:
        server.terminate()
        await asyncio.to_thread(server.wait, 60)


async def _watch_and_note(
    client: httpx.AsyncClient, pid: int, settings: Settings, engine: Engine, count: int, seconds: float, rate: float
) -> Figures:
    cookie = await _sign_in(client)
    path = await _room_path(engine)
    worker = psutil.Process(pid).children()[0]
    seats = await _seats(client, engine)
    crowd = [Subscriber() for _ in range(count)]
    watching = [asyncio.create_task(crowd[0].watch(settings.http_port, path, cookie))]
    await _until(lambda: bool(crowd[0].versions))
    noting = asyncio.create_task(_note(client, seats, rate))
    alone = await _cpu_over(worker, seconds)  # reading the room and taking the reports in, for one subscriber
    for subscriber in crowd[1:]:
        watching.append(asyncio.create_task(subscriber.watch(settings.http_port, path, cookie)))
        await asyncio.sleep(0.002)
    await _until(lambda: all(subscriber.versions for subscriber in crowd))
    events = sum(subscriber.events for subscriber in crowd)
    received = sum(subscriber.received for subscriber in crowd)
    before = max(subscriber.versions[-1] for subscriber in crowd)
    spent = await _cpu_over(worker, seconds)
    noting.cancel()
    delivered = sum(subscriber.events for subscriber in crowd) - events
    received = sum(subscriber.received for subscriber in crowd) - received
    await asyncio.sleep(3.0)
    newest = max(subscriber.versions[-1] for subscriber in crowd)
    for subscriber in crowd:
        if subscriber.writer:
            subscriber.writer.close()
    await asyncio.gather(*watching, return_exceptions=True)
    return Figures(
        subscribers=count,
        states=newest - before,
        deliveries=delivered,
        cpu_microseconds_each=round(1e6 * (spent - alone) / max(delivered, 1), 1),
        gross_microseconds_each=round(1e6 * spent / max(delivered, 1), 1),
        alone_cpu_share=round(alone / seconds, 3),
        behind=sum(subscriber.versions[-1] != newest for subscriber in crowd),
        out_of_order=sum(subscriber.versions != sorted(set(subscriber.versions)) for subscriber in crowd),
        bytes_each=round(received / max(delivered, 1), 0),
        machine=f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}",
    )


async def _note(client: httpx.AsyncClient, seats: list[tuple[str, str]], rate: float) -> None:
    event = {"events": [{"kind": "paste_blocked", "client_time_ms": 0, "detail": {}}]}
    turn = 0
    while True:
        attempt, token = seats[turn % len(seats)]
        turn += 1
        await client.post(f"/api/attempts/{attempt}/events", json=event, headers={"Authorization": f"Bearer {token}"})
        await asyncio.sleep(1 / rate)


async def _sign_in(client: httpx.AsyncClient) -> str:
    person = next(person for person in staff_sign_ins() if person.user_name == "board")
    await client.get("/api/announcements")
    client.headers["x-csrftoken"] = client.cookies["csrftoken"]
    body = {"user_name": person.user_name, "password": person.password}
    (await client.post("/api/staff/sign-in", json=body)).raise_for_status()
    return str(client.cookies["session"])


async def _room_path(engine: Engine) -> str:
    query = "select a.sitting_id, a.room_id from attempt a join sitting s on s.id = a.sitting_id where s.code = :code"
    async with transaction(engine.sessions) as session:
        row = (await session.execute(text(query), {"code": EXAM})).first()
    if row is None:
        raise RuntimeError("the sample has no room")
    return f"/api/sittings/{row.sitting_id}/rooms/{row.room_id}/events"


async def _seats(client: httpx.AsyncClient, engine: Engine) -> list[tuple[str, str]]:
    async with transaction(engine.sessions) as session:
        exam = await enrolment.require_exam(session, EXAM)
        people = await enrolment.load_candidates(session, exam.id)
    seats = []
    for one in people:
        code = codes.sit_code(engine.master_secret, EXAM, one.number or "", one.code_version)
        body = {"exam": EXAM, "candidate_number": one.number, "code": code}
        signed: dict[str, Any] = (await client.post("/api/candidate/sign-in", json=body)).json()
        attempt = signed["attempts"][0]["attempt_id"]
        bearer = {"Authorization": f"Bearer {signed['token']}"}
        await client.post(f"/api/attempts/{attempt}/start", json={"client_id": f"bench.{attempt[:8]}"}, headers=bearer)
        seats.append((attempt, signed["token"]))
    return seats


async def _cpu_over(process: psutil.Process, seconds: float) -> float:
    before = process.cpu_times()
    await asyncio.sleep(seconds)
    after = process.cpu_times()
    return float(after.user + after.system - before.user - before.system)


async def _until_it_answers(client: httpx.AsyncClient) -> None:
    async def answers() -> bool:
        try:
            return (await client.get("/health/live")).status_code == 200
        except httpx.TransportError:
            return False

    async with asyncio.timeout(60):
        while not await answers():  # noqa: ASYNC110 (another process)
            await asyncio.sleep(0.1)


async def _until(is_so: Any) -> None:
    async with asyncio.timeout(120):
        while not is_so():  # noqa: ASYNC110 (sockets fill it)
            await asyncio.sleep(0.05)


def _open_folder() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="bench-console-"))
    folder.chmod(0o755)  # the servers run as another user when we are root
    return folder


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def main() -> int:
    """Run, print the figures as JSON, and tell by the exit code whether the bar was met."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--subscribers", type=int, default=1000)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--rate", type=float, default=4.0, help="reports of seats a second")
    options = parser.parse_args()
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    figures = asyncio.run(run(options.subscribers, options.seconds, options.rate))
    sys.stdout.write(json.dumps(msgspec.to_builtins(figures), indent=2) + "\n")
    is_met = figures.cpu_microseconds_each <= BAR_MICROSECONDS and not figures.behind and not figures.out_of_order
    return 0 if is_met else 1


if __name__ == "__main__":
    raise SystemExit(main())
