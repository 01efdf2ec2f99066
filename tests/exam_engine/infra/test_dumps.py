"""A dump taken while everything runs brings the whole database back, or changes nothing."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from exam_engine.infra.embedded import places
from exam_engine.infra.embedded.dumps import dump, restore
from exam_engine.infra.embedded.servers import EmbeddedServers
from exam_engine.infra.errors import EmbeddedServerError, EngineError
from exam_engine.infra.migrations.runner import pending, upgrade
from exam_engine.infra.settings import Secret, Settings
from tests.exam_engine.infra.connecting import connect


@pytest.fixture
def other() -> Iterator[Settings]:
    """A database of this test alone: it is replaced as a whole."""
    folder = Path(tempfile.mkdtemp(prefix="exam-dumps-"))
    folder.chmod(0o755)
    with EmbeddedServers(folder / "data", with_valkey=False) as servers:
        assert servers.database_url is not None
        yield msgspec.structs.replace(Settings(), data_folder=folder, database_url=Secret(servers.database_url))
    places.remove_data(folder / "data")
    shutil.rmtree(folder, ignore_errors=True)


def address_of(settings: Settings) -> str | None:
    return settings.database_url.reveal() if settings.database_url else None


async def execute(settings: Settings, statement: str) -> None:
    connection = await connect(address_of(settings))
    await connection.execute(statement)
    await connection.close()


async def unit_names(settings: Settings) -> list[str]:
    connection = await connect(address_of(settings))
    names = [row["name"] for row in await connection.fetch("select name from kept order by name")]
    await connection.close()
    return names


async def test_a_restored_dump_is_what_was_there(other: Settings, tmp_path: Path) -> None:
    await upgrade(other)
    await execute(other, "create table kept (name text); insert into kept values ('Trường THPT số 1')")
    dump(other, tmp_path / "exams.dump")
    await execute(other, "update kept set name = 'spoilt'")
    restore(other, tmp_path / "exams.dump")
    assert await unit_names(other) == ["Trường THPT số 1"]
    assert await pending(other) == []
    assert (tmp_path / "exams.dump").stat().st_mode & 0o077 == 0


async def test_a_broken_dump_changes_nothing(other: Settings, tmp_path: Path) -> None:
    await execute(other, "create table kept (name text); insert into kept values ('here')")
    (tmp_path / "broken.dump").write_bytes(b"not a dump")
    with pytest.raises(EmbeddedServerError, match="pg_restore refused"):
        restore(other, tmp_path / "broken.dump")
    assert await unit_names(other) == ["here"]


def test_a_dump_that_cannot_be_written_leaves_no_half_file(other: Settings, tmp_path: Path) -> None:
    with pytest.raises(EmbeddedServerError, match="pg_dump refused"):
        dump(other, tmp_path / "no such folder" / "exams.dump")
    assert list(tmp_path.iterdir()) == []


async def test_the_database_of_a_newer_program_is_refused(other: Settings) -> None:
    await upgrade(other)
    await execute(other, "update alembic_version set version_num = '9999'")
    with pytest.raises(EngineError, match="revision 9999, which this program does not know"):
        await upgrade(other)
