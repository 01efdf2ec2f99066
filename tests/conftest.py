"""Fixtures of all tests: real servers started by the product's own code, once per run, in a folder of their own."""

import asyncio
import os
import shutil
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest
import pytest_asyncio
from playwright.async_api import Browser, async_playwright
from redis.asyncio import Redis
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker

from exam_engine.infra.database import create_engine, session_maker
from exam_engine.infra.embedded import places
from exam_engine.infra.embedded.servers import EmbeddedServers
from exam_engine.infra.migrations.runner import upgrade
from exam_engine.infra.settings import Secret, Settings

PROJECT = Path(__file__).resolve().parent.parent
REFERENCE_TESTS = pytest.StashKey[Counter[str]]()
SKIPPED_IN_BROWSER = pytest.StashKey[list[str]]()
BROWSERS = (
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--reference-dir",
        type=Path,
        default=PROJECT.parent / "shared" / "reference",
        help="folder of the published reference data; tests that need it skip when it is absent",
    )
    parser.addoption("--long-faults", action="store_true", help="kill processes for longer (make test-faults)")


def pytest_configure(config: pytest.Config) -> None:
    config.stash[REFERENCE_TESTS] = Counter()
    config.stash[SKIPPED_IN_BROWSER] = []


@pytest.fixture(scope="session")
def reference_dir(request: pytest.FixtureRequest) -> Path:
    folder: Path = request.config.getoption("--reference-dir").resolve()
    if not folder.is_dir():
        pytest.skip(f"the reference data is not in {folder}")
    return folder


@pytest.fixture(scope="session")
def servers() -> Iterator[EmbeddedServers]:
    # Not pytest's own folder: it is closed to the user the servers run as when we are root.
    folder = Path(tempfile.mkdtemp(prefix="exam-tests-"))
    folder.chmod(0o755)
    try:
        with EmbeddedServers(folder) as running:
            asyncio.run(upgrade(_settings_of(running)))
            yield running
    finally:
        places.remove_data(folder)
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def settings(servers: EmbeddedServers) -> Settings:
    return _settings_of(servers)


@pytest_asyncio.fixture(scope="session")
async def engine(settings: Settings) -> AsyncIterator[AsyncEngine]:
    engine = create_engine(settings)
    yield engine
    await engine.dispose()


@pytest.fixture(scope="session")
def sessions(engine: AsyncEngine) -> async_sessionmaker[AsyncSession]:
    return session_maker(engine)


@pytest_asyncio.fixture
async def session(engine: AsyncEngine) -> AsyncIterator[AsyncSession]:
    """One transaction that is rolled back; a commit inside becomes a savepoint."""
    async with engine.connect() as connection:
        outer = await connection.begin()
        async with AsyncSession(
            connection, expire_on_commit=False, join_transaction_mode="create_savepoint"
        ) as session:
            yield session
        await outer.rollback()


@pytest_asyncio.fixture
async def redis(settings: Settings) -> "AsyncIterator[Redis]":
    assert settings.redis_url is not None
    client = Redis.from_url(settings.redis_url.reveal())
    await client.flushdb()
    yield client
    await client.aclose()


@pytest.fixture(scope="session")
def chromium() -> str:
    """Path of the system's browser; the one thing the two commands cannot bring along themselves."""
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        if os.environ.get("CI") == "true":
            pytest.fail("no Chromium was found, and CI may not skip the browser tests")
        pytest.skip("no Chromium was found")
    return found


@pytest_asyncio.fixture(scope="session")
async def browser(chromium: str) -> AsyncIterator[Browser]:
    async with async_playwright() as driver:
        browser = await driver.chromium.launch(executable_path=chromium, args=["--disable-dev-shm-usage"])
        yield browser
        await browser.close()


@pytest.fixture
def now() -> datetime:
    return datetime(2027, 6, 10, 0, 30, tzinfo=UTC)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    outcome = yield
    report = outcome.get_result()  # type: ignore[attr-defined]
    if "reference_dir" in getattr(item, "fixturenames", ()):
        counts = item.config.stash[REFERENCE_TESTS]
        if report.when == "call":
            counts[report.outcome] += 1
        elif report.skipped:
            counts["skipped"] += 1
    if report.skipped and {"browser", "chromium"} & set(getattr(item, "fixturenames", ())):
        item.config.stash[SKIPPED_IN_BROWSER].append(item.nodeid)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    counts = config.stash[REFERENCE_TESTS]
    ran = counts["passed"] + counts["failed"]
    line = f"reference cases run: {ran} (from {config.getoption('--reference-dir')})"
    if counts["skipped"]:
        line += f"; {counts['skipped']} skipped for want of the reference data"
    terminalreporter.write_line(line)
    if skipped := config.stash[SKIPPED_IN_BROWSER]:
        terminalreporter.section(f"NOT TESTED: {len(skipped)} browser tests, for want of Chromium", sep="!", red=True)
        for name in skipped:
            terminalreporter.write_line(f"  {name}")
        terminalreporter.write_line("Install Chromium with the system's package manager and run make test again.")


def _settings_of(servers: EmbeddedServers) -> Settings:
    assert servers.database_url is not None
    assert servers.redis_url is not None
    return msgspec.structs.replace(
        Settings(),
        data_folder=servers.data_folder,
        database_url=Secret(servers.database_url),
        redis_url=Secret(servers.redis_url),
        secret_key=Secret("a secret of the tests, long enough to be taken"),
    )
