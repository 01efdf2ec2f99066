"""One small province behind a real HTTP server, in a database and a Redis space of its own, as users meet it."""

import asyncio
import os
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from uuid import uuid4

import httpx
import msgspec
import pytest
import pytest_asyncio
from redis.asyncio import Redis
from sqlalchemy import make_url, text
from sqlalchemy.ext.asyncio import AsyncEngine

from exam_engine.delivery import write_behind
from exam_engine.enrolment import codes
from exam_engine.enrolment import service as enrolment
from exam_engine.enrolment.model import Candidate, Exam
from exam_engine.infra.database import transaction
from exam_engine.infra.migrations.runner import upgrade
from exam_engine.infra.settings import Secret, Settings, environment_of
from exam_engine.sample import population
from exam_engine.sample.loader import load_sample
from exam_engine.sample.sign_ins import staff_sign_ins
from exam_engine.wiring import Engine, open_engine

GRADUATES, APPLICANTS, BEGINNERS = 10, 6, 20
REDIS_SPACE = 7
PASSWORDS = {person.user_name: person.password for person in staff_sign_ins()}


class Card(msgspec.Struct, frozen=True):
    """What stands on a candidate's card."""

    exam: str
    number: str
    sit_code: str
    look_up_code: str

    def claim(self, code: str) -> dict[str, str]:
        return {"exam": self.exam, "candidate_number": self.number, "code": code}


class House(msgspec.Struct, frozen=True):
    """The running API: where it answers, what stands behind it, what it logs."""

    settings: Settings
    engine: Engine
    log: Path

    @property
    def url(self) -> str:
        return self.settings.base_url

    def browser(self) -> httpx.AsyncClient:
        """A client that keeps cookies, as a browser does."""
        return httpx.AsyncClient(base_url=self.url, timeout=60)

    async def exam(self, code: str) -> Exam:
        async with transaction(self.engine.sessions) as session:
            return await enrolment.require_exam(session, code)

    async def candidates(self, exam_code: str) -> list[Candidate]:
        async with transaction(self.engine.sessions) as session:
            exam = await enrolment.require_exam(session, exam_code)
            return list(await enrolment.load_candidates(session, exam.id))

    async def card(self, exam_code: str, position: int = 0) -> Card:
        candidate = (await self.candidates(exam_code))[position]
        number = candidate.number or ""
        claim = (self.engine.master_secret, exam_code, number, candidate.code_version)
        return Card(exam_code, number, codes.sit_code(*claim), codes.look_up_code(*claim))

    @asynccontextmanager
    async def staff(self, user_name: str) -> AsyncIterator[httpx.AsyncClient]:
        """A member of staff, signed in; every request carries the CSRF header."""
        async with self.browser() as client:
            await sign_in(client, user_name)
            yield client

    @asynccontextmanager
    async def seat(self, exam_code: str, position: int) -> AsyncIterator[httpx.AsyncClient]:
        """A candidate, signed in; every request carries the token."""
        card = await self.card(exam_code, position)
        async with self.browser() as client:
            answer = await client.post("/api/candidate/sign-in", json=card.claim(card.sit_code))
            assert answer.status_code == 200, answer.text
            client.headers["Authorization"] = f"Bearer {answer.json()['token']}"
            yield client


async def sign_in(client: httpx.AsyncClient, user_name: str, password: str | None = None) -> httpx.Response:
    """Sign in as a browser would: fetch the CSRF cookie first, and repeat it in the header from then on."""
    await client.get("/api/announcements")
    client.headers["x-csrftoken"] = client.cookies["csrftoken"]
    answer = await client.post(
        "/api/staff/sign-in", json={"user_name": user_name, "password": password or PASSWORDS[user_name]}
    )
    assert answer.status_code == 200, answer.text
    return answer


@pytest_asyncio.fixture(scope="session")
async def province(settings: Settings, engine: AsyncEngine) -> AsyncIterator[tuple[Settings, Engine]]:
    """The sample with few people, in a database and a Redis space of its own."""
    name = f"api_{uuid4().hex[:12]}"
    async with engine.connect() as connection:
        plain = await connection.execution_options(isolation_level="AUTOCOMMIT")
        await plain.execute(text(f"create database {name}"))
    assert settings.database_url is not None
    assert settings.redis_url is not None
    own = msgspec.structs.replace(
        settings,
        database_url=Secret(
            make_url(settings.database_url.reveal()).set(database=name).render_as_string(hide_password=False)
        ),
        redis_url=Secret(settings.redis_url.reveal().replace("db=0", f"db={REDIS_SPACE}")),
        http_port=free_port(),
        log_level="warning",
    )
    await upgrade(own)
    async with open_engine(own) as opened:
        await load_sample(
            opened,
            populations={
                population.GRADUATION: partial(population.mock_graduation, GRADUATES),
                population.INTAKE: partial(population.grade_10_intake, APPLICANTS),
                population.PRACTICE: partial(population.practice, BEGINNERS),
            },
        )
        # Answers reach PostgreSQL as they do in a house that runs.
        writing = asyncio.create_task(write_behind.run(own))
        yield own, opened
        writing.cancel()
        await asyncio.wait([writing])


@pytest.fixture(scope="session")
def house(province: tuple[Settings, Engine], tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """The API, served by the server the product uses."""
    own, opened = province
    log = tmp_path_factory.mktemp("api") / "api.log"
    with Serving(own, log):
        yield House(own, opened, log)


@pytest_asyncio.fixture
async def fresh_limits(house: House) -> AsyncIterator[None]:
    """Forget the failures other tests made, before and after."""
    await forget_failures(house.engine.redis)
    yield
    await forget_failures(house.engine.redis)


@pytest_asyncio.fixture
async def visitor(house: House) -> AsyncIterator[httpx.AsyncClient]:
    async with house.browser() as client:
        yield client


async def forget_failures(redis: Redis) -> None:
    async for key in redis.scan_iter("rate:*"):
        await redis.delete(key)


class Serving:
    """Serve the API of some settings in a process of its own until the block ends."""

    def __init__(
        self, settings: Settings, log: Path, path: str = "/health/live", factory: str = "api.hot:create_server"
    ) -> None:
        self.settings, self.log, self.path, self.factory = settings, log, path, factory

    def __enter__(self) -> None:
        rest = {name: value for name, value in os.environ.items() if not name.startswith("EXAM_")}
        command = [sys.executable, "-m", "granian", "--interface", "asgi", "--factory", self.factory]
        command += ["--host", "127.0.0.1", "--port", str(self.settings.http_port), "--workers", "1", "--no-ws"]
        with self.log.open("wb") as output:
            self.process = subprocess.Popen(
                command, env=rest | environment_of(self.settings), stdout=output, stderr=output, cwd=_project()
            )
        wait_for(self._answers, self.process, self.log)

    def __exit__(self, *_: object) -> None:
        self.process.terminate()
        self.process.wait(30)

    def _answers(self) -> bool:
        try:
            return httpx.get(self.settings.base_url + self.path, timeout=2).status_code == 200
        except httpx.TransportError:
            return False


def wait_for(is_there: Callable[[], bool], process: "subprocess.Popen[bytes]", log: Path, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not is_there():
        if process.poll() is not None or time.monotonic() > deadline:
            raise AssertionError("the API did not start:\n" + log.read_text(errors="replace")[-3000:])
        time.sleep(0.05)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _project() -> Path:
    return Path(__file__).resolve().parent.parent.parent
