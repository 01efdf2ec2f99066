"""Liveness, readiness and counters, with the servers there and away."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import unquote, urlsplit

import httpx
import msgspec
from sqlalchemy import URL, make_url

from exam_engine.infra.settings import Secret, Settings
from tests.api.conftest import REDIS_SPACE, House, Serving, free_port


async def test_a_house_that_runs_is_live_and_ready(visitor: httpx.AsyncClient) -> None:
    assert (await visitor.get("/health/live")).json() == {"status": "live"}
    ready = await visitor.get("/health/ready")
    assert ready.status_code == 200
    assert ready.json()["status"] == "ready"
    assert {finding["is_well"] for finding in ready.json()["findings"]} == {True}


@asynccontextmanager
async def cable(socket: str) -> AsyncIterator["Cable"]:
    """A port that leads to a server's socket until it is cut."""
    laid = Cable(socket)
    laid.server = await asyncio.start_server(laid.carry_both, "127.0.0.1", 0)
    yield laid
    laid.cut()


async def test_a_house_that_loses_postgresql_is_live_but_not_ready(house: House, tmp_path: Path) -> None:
    assert house.settings.database_url is not None
    address = make_url(house.settings.database_url.reveal())
    async with cable(postgresql_socket(address)) as laid:
        through = address.set(host="127.0.0.1", port=laid.port, query={}).render_as_string(hide_password=False)
        settings = msgspec.structs.replace(house.settings, http_port=free_port(), database_url=Secret(through))
        async with serving(settings, tmp_path / "api.log") as client:
            assert (await client.get("/health/ready")).status_code == 200
            laid.cut()
            assert (await client.get("/health/live")).status_code == 200
            assert_not_ready(await client.get("/health/ready"))
            refused = await client.get("/api/announcements")
    assert refused.status_code == 503, refused.text
    assert refused.json()["code"] == "service-unavailable"
    assert int(refused.headers["retry-after"]) >= 1
    assert "127.0.0.1" not in refused.text


async def test_a_house_that_loses_redis_is_live_but_not_ready(house: House, tmp_path: Path) -> None:
    assert house.settings.redis_url is not None
    async with cable(unquote(urlsplit(house.settings.redis_url.reveal()).path)) as laid:
        through = Secret(f"redis://127.0.0.1:{laid.port}/{REDIS_SPACE}")
        settings = msgspec.structs.replace(house.settings, http_port=free_port(), redis_url=through)
        async with serving(settings, tmp_path / "api.log") as client:
            assert (await client.get("/health/ready")).status_code == 200
            laid.cut()
            assert (await client.get("/health/live")).status_code == 200
            assert_not_ready(await client.get("/health/ready"))
            claim = {"exam": "lam-quen-2027", "candidate_number": "1", "code": "x"}
            assert (await client.post("/api/results/look-up", json=claim)).status_code == 403  # a limit is no lock


async def test_the_counters_name_requests_by_route_and_never_by_person(visitor: httpx.AsyncClient) -> None:
    await visitor.get("/api/exams/some-exam/distribution")
    counters = (await visitor.get("/metrics")).text
    assert "exam_http_requests_total" in counters
    assert 'path="/api/exams/{code}/distribution"' in counters
    assert "some-exam" not in counters


class Cable:
    """Carries bytes between a port and the socket of a server."""

    server: asyncio.Server

    def __init__(self, socket: str) -> None:
        self.socket = socket
        self.ends: set[asyncio.StreamWriter] = set()

    @property
    def port(self) -> int:
        return int(self.server.sockets[0].getsockname()[1])

    def cut(self) -> None:
        self.server.close()
        for end in self.ends:
            end.transport.abort()

    async def carry_both(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_unix_connection(self.socket)
        self.ends |= {writer, far_writer}
        await asyncio.gather(carry(reader, far_writer), carry(far_reader, writer))


async def carry(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    try:
        while data := await source.read(65536):
            target.write(data)
            await target.drain()
    except ConnectionError:
        pass
    target.close()


def postgresql_socket(address: URL) -> str:
    """Where the embedded PostgreSQL listens."""
    folder = address.query.get("host") or address.host
    return f"{folder}/.s.PGSQL.{address.query.get('port') or address.port or 5432}"


@asynccontextmanager
async def serving(settings: Settings, log: Path) -> AsyncIterator[httpx.AsyncClient]:
    """Serve in a process of its own; the loop goes on carrying bytes while it starts."""
    process = Serving(settings, log)
    await asyncio.to_thread(process.__enter__)
    try:
        async with httpx.AsyncClient(base_url=settings.base_url, timeout=30) as client:
            yield client
    finally:
        await asyncio.to_thread(process.__exit__)


def assert_not_ready(answer: httpx.Response) -> None:
    assert answer.status_code == 503, answer.text
    assert answer.json()["status"] == "not ready"
    assert [finding for finding in answer.json()["findings"] if not finding["is_well"]]
