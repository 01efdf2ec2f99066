"""The embedded servers over a data folder: made, reused, refused."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from redis.asyncio import Redis

from exam_engine.infra.embedded import places
from exam_engine.infra.embedded.addresses import locate
from exam_engine.infra.embedded.child import rotate
from exam_engine.infra.embedded.servers import EmbeddedServers
from exam_engine.infra.errors import EmbeddedServerError
from exam_engine.infra.settings import Settings
from tests.exam_engine.infra.connecting import connect


@pytest.fixture
def folder() -> Iterator[Path]:
    """A place the servers' user may enter even when we are root."""
    made = Path(tempfile.mkdtemp(prefix="exam-embedded-"))
    made.chmod(0o755)
    yield made
    for stamp in list(made.rglob(places.STAMP_FILE)):
        places.remove_data(stamp.parent)
    shutil.rmtree(made, ignore_errors=True)


async def write(servers: EmbeddedServers, name: str) -> None:
    connection = await connect(servers.database_url)
    await connection.execute("create table if not exists kept (name text)")
    await connection.execute("insert into kept values ($1)", name)
    await connection.close()
    assert servers.redis_url is not None
    client = Redis.from_url(servers.redis_url, decode_responses=True)
    await client.set("kept", name)
    await client.aclose()


async def read(servers: EmbeddedServers) -> tuple[list[str], object]:
    connection = await connect(servers.database_url)
    rows = [row["name"] for row in await connection.fetch("select name from kept")]
    await connection.close()
    assert servers.redis_url is not None
    client = Redis.from_url(servers.redis_url, decode_responses=True)
    value = await client.get("kept")
    await client.aclose()
    return rows, value


async def test_a_later_start_finds_what_the_first_one_kept(folder: Path) -> None:
    with EmbeddedServers(folder / "dữ liệu của tỉnh") as servers:
        await write(servers, "Nguyễn Thị Ánh")
    with EmbeddedServers(folder / "dữ liệu của tỉnh") as servers:
        assert await read(servers) == (["Nguyễn Thị Ánh"], "Nguyễn Thị Ánh")


async def test_valkey_keeps_every_write_and_throws_nothing_out(folder: Path) -> None:
    with EmbeddedServers(folder / "data", with_postgresql=False) as servers:
        assert servers.redis_url is not None
        client = Redis.from_url(servers.redis_url, decode_responses=True)
        settings = await client.config_get("append*", "maxmemory-policy")
        await client.aclose()
    assert settings["appendonly"] == "yes"
    assert settings["appendfsync"] == "always"
    assert settings["maxmemory-policy"] == "noeviction"


async def test_postgresql_syncs_and_listens_on_no_network(folder: Path) -> None:
    with EmbeddedServers(folder / "data", with_valkey=False) as servers:
        connection = await connect(servers.database_url)
        found = {
            name: await connection.fetchval(f"show {name}")
            for name in ("fsync", "synchronous_commit", "listen_addresses")
        }
        upper = await connection.fetchval("select upper('đặng thị ánh')")
        await connection.close()
    assert found == {"fsync": "on", "synchronous_commit": "on", "listen_addresses": ""}
    assert upper == "ĐẶNG THỊ ÁNH"


async def test_a_path_too_long_for_a_socket_gets_a_short_private_folder(folder: Path) -> None:
    long = folder / ("thư mục rất dài " * 6) / "data"
    with EmbeddedServers(long) as servers:
        await write(servers, "x")
        sockets = servers.places.run_folder
        assert not sockets.is_relative_to(long)
        assert sockets.stat().st_mode & 0o077 == 0
        assert len(os.fsencode(sockets / places.LONGEST_SOCKET_NAME)) <= places.SOCKET_PATH_LIMIT_BYTES
    sockets.rmdir()


def test_a_short_folder_that_others_may_enter_is_refused(folder: Path) -> None:
    assert places._private_folder(folder / "short", None) == folder / "short"
    assert places._private_folder(folder / "short", None) == folder / "short"
    (folder / "short").chmod(0o755)
    with pytest.raises(EmbeddedServerError, match="is not ours"):
        places._private_folder(folder / "short", None)


def test_a_short_folder_that_is_a_link_is_refused(folder: Path) -> None:
    (folder / "elsewhere").mkdir(mode=0o700)
    (folder / "short").symlink_to(folder / "elsewhere")
    with pytest.raises(EmbeddedServerError, match="is not ours"):
        places._private_folder(folder / "short", None)


async def test_a_second_start_is_refused_by_the_number_of_the_first(folder: Path) -> None:
    refusal = pytest.raises(EmbeddedServerError, match=f"already runs on .* as process {os.getpid()}")
    with EmbeddedServers(folder / "data", with_postgresql=False), refusal:
        EmbeddedServers(folder / "data").prepare()


async def test_a_data_folder_of_another_version_is_refused_and_left_alone(folder: Path) -> None:
    with EmbeddedServers(folder / "data", with_postgresql=False) as servers:
        stamp = places.read_stamp(servers.data_folder)
    assert stamp is not None
    older = msgspec.json.encode(msgspec.structs.replace(stamp, postgresql=16))
    (folder / "data" / places.STAMP_FILE).write_bytes(older)
    with pytest.raises(EmbeddedServerError, match=r"made by another version .*PostgreSQL 16"):
        EmbeddedServers(folder / "data").prepare()
    assert (folder / "data" / places.STAMP_FILE).read_bytes() == older


def test_a_folder_with_databases_of_something_else_is_refused(folder: Path) -> None:
    (folder / "data" / "postgresql").mkdir(parents=True)
    with pytest.raises(EmbeddedServerError, match="not made by this program"):
        EmbeddedServers(folder / "data").prepare()


def test_a_full_disk_is_refused_before_anything_is_made(folder: Path) -> None:
    servers = EmbeddedServers(folder / "data", needed_bytes=2**60)
    with pytest.raises(EmbeddedServerError, match=r"is full: .* MB are free"):
        servers.prepare()
    assert not (folder / "data" / "postgresql").exists()


def test_a_data_folder_that_cannot_be_written_is_refused(folder: Path) -> None:
    (folder / "file").touch()
    with pytest.raises(EmbeddedServerError, match="cannot be written"):
        EmbeddedServers(folder / "file" / "data")


async def test_a_reset_begins_anew(folder: Path) -> None:
    with EmbeddedServers(folder / "data", with_postgresql=False) as servers:
        assert servers.redis_url is not None
        client = Redis.from_url(servers.redis_url)
        await client.set("kept", "x")
        await client.aclose()
    (folder / "data" / "secret.key").write_text("old")
    (folder / "data" / "thesis.docx").write_text("not ours")
    servers = EmbeddedServers(folder / "data", with_postgresql=False).prepare(reset=True).start()
    try:
        client = Redis.from_url(servers.redis_url or "")
        assert await client.get("kept") is None
        await client.aclose()
        assert not (folder / "data" / "secret.key").exists()
        assert (folder / "data" / "thesis.docx").read_text() == "not ours"
    finally:
        servers.stop()


async def test_a_stale_pid_file_that_names_a_living_stranger_does_not_stop_the_start(folder: Path) -> None:
    with EmbeddedServers(folder / "data") as servers:
        await write(servers, "x")
        pid_file = servers.places.postgresql / "postmaster.pid"
        lines = pid_file.read_text().splitlines()
        owner = servers.places.user
    user = {} if owner is None else {"user": owner.uid, "group": owner.gid, "extra_groups": []}
    stranger = subprocess.Popen(["sleep", "300"], cwd="/", **user)  # type: ignore[call-overload]
    try:
        pid_file.write_text("\n".join([str(stranger.pid), *lines[1:]]) + "\n")
        with EmbeddedServers(folder / "data") as servers:
            assert await read(servers) == (["x"], "x")
    finally:
        stranger.kill()
        stranger.wait()


async def test_below_a_closed_folder_root_moves_data_and_programs_where_the_servers_may_go(folder: Path) -> None:
    closed = folder / "closed"
    closed.mkdir(mode=0o700)
    with EmbeddedServers(closed / "data") as servers:
        await write(servers, "x")
        base = servers.places.base
    with EmbeddedServers(closed / "data") as servers:
        assert await read(servers) == (["x"], "x")
        if os.geteuid() == 0:
            assert base == servers.places.base
            assert base.parent == places.ROOT_BASE
            assert base.stat().st_uid == 0
            assert base.stat().st_mode & 0o022 == 0
        else:
            assert base == closed / "data"
    places.remove_data(closed / "data")
    assert not (base / "postgresql").exists()


async def test_root_serves_the_data_of_an_ordinary_user_as_that_user(folder: Path) -> None:
    with EmbeddedServers(folder / "data") as servers:
        await write(servers, "x")
        base = servers.places.base
    owner = base.stat().st_uid if os.geteuid() != 0 else 12345
    if os.geteuid() == 0:
        for path in (base / "postgresql", *(base / "postgresql").rglob("*"), *(base / "valkey").rglob("*")):
            os.chown(path, owner, owner)
    with EmbeddedServers(folder / "data") as servers:
        assert await read(servers) == (["x"], "x")
        assert (servers.places.base / "postgresql").stat().st_uid == owner


def test_commands_find_the_running_servers(folder: Path) -> None:
    settings = msgspec.structs.replace(Settings(), data_folder=folder / "data")
    with pytest.raises(EmbeddedServerError, match="nothing runs on the data folder"):
        locate(settings)
    with EmbeddedServers(folder / "data") as servers:
        found = locate(settings)
        assert found.database_url is not None
        assert found.database_url.reveal() == servers.database_url
    with pytest.raises(EmbeddedServerError, match="nothing runs on the data folder"):
        locate(settings)


def test_logs_of_earlier_starts_are_kept_three_deep(tmp_path: Path) -> None:
    log = tmp_path / "api.log"
    for number in range(6):
        rotate(log)
        log.write_text(str(number))
    assert [path.read_text() for path in sorted(tmp_path.iterdir())] == ["5", "4", "3", "2"]
