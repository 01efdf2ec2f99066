"""Where the embedded servers keep their data, programs and sockets, and as which user they run.

Normally everything lies in the data folder. PostgreSQL refuses root, so under root both servers run as `nobody`; where
that user cannot come (a project below a 0700 home), programs, data and sockets move to a folder of root's own.
"""

import os
import pwd
import secrets
import shutil
import stat
import subprocess
import tempfile
from pathlib import Path

import msgspec

from exam_engine.infra.embedded.binaries import POSTGRESQL_MAJOR, VALKEY_MAJOR, Binaries, copy_binaries, find_binaries
from exam_engine.infra.embedded.child import ServerUser
from exam_engine.infra.errors import EmbeddedServerError

FORMAT = 1
STAMP_FILE = "version.json"
SOCKET_PATH_LIMIT_BYTES = 100  # Linux allows 107, macOS 103
LONGEST_SOCKET_NAME = ".s.PGSQL.5432.lock"
ROOT_BASE = Path("/var/lib/exam-engine")
# What a reset deletes: nothing that somebody else put into the folder.
OURS = (
    *("postgresql", "postgresql.unfinished", "valkey", "run", "logs", "metrics"),
    *("secret.key", ".secret.key.*", "running.json*", "sample-*", f"{STAMP_FILE}*"),
)
NEEDED_BYTES = 300 * 2**20


class Stamp(msgspec.Struct, frozen=True):
    """What made a data folder; written once, at its first start."""

    format: int
    postgresql: int
    valkey: int
    base: str | None = None  # where the servers' files lie, when not in the data folder itself


class Places(msgspec.Struct, frozen=True):
    """Folders, programs and user of one pair of embedded servers."""

    data_folder: Path
    base: Path
    run_folder: Path
    binaries: Binaries
    user: ServerUser | None

    @property
    def postgresql(self) -> Path:
        """PostgreSQL's data."""
        return self.base / "postgresql"

    @property
    def valkey(self) -> Path:
        """Valkey's append-only files."""
        return self.base / "valkey"

    @property
    def logs(self) -> Path:
        """Output of everything we start."""
        return self.data_folder / "logs"

    @property
    def valkey_socket(self) -> Path:
        """Valkey's socket; PostgreSQL names its own inside the run folder."""
        return self.run_folder / "valkey.sock"


def make_data_folder(data_folder: Path) -> Path:
    """Make the data folder if need be and return its absolute path."""
    try:
        data_folder.mkdir(mode=0o755, parents=True, exist_ok=True)
        probe = data_folder / f".probe-{os.getpid()}"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise EmbeddedServerError(
            f"the data folder {data_folder} cannot be written ({error.strerror}); "
            "give this user the right to it, or set EXAM_DATA_FOLDER to another folder"
        ) from error
    return data_folder.resolve()


def settle(data_folder: Path, needed_bytes: int = NEEDED_BYTES) -> Places:
    """Decide on folders, programs and user for a data folder whose lock we hold, and make what is missing.

    Raises
    ------
    EmbeddedServerError
        The data is of another version, the disk is nearly full, or no place suits.
    """
    stamp = read_stamp(data_folder)
    binaries = find_binaries()
    user = _server_user(data_folder if stamp is None or stamp.base is None else Path(stamp.base))
    if stamp is None:
        stamp = _choose_base(data_folder, binaries, user, needed_bytes)
    elif stamp.base is None and user is not None and not _may_serve(data_folder, binaries, user):
        raise EmbeddedServerError(
            f"the system user with the number {user.uid} can no longer enter {data_folder}; "
            "give the folders above it back their x right"
        )
    base = data_folder if stamp.base is None else Path(stamp.base)
    if not base.is_dir():
        raise EmbeddedServerError(
            f"the data of {data_folder} lay in {base}, which is gone; "
            "bring it back, or begin anew with make demo RESET=1"
        )
    require_space(base, needed_bytes)
    if stamp.base is not None:
        binaries = copy_binaries(binaries, base / "programs")
        if user is not None and not _can_run(binaries, user):
            raise EmbeddedServerError(f"programs in {base} cannot be run (a noexec mount?); run as an ordinary user")
    places = Places(data_folder, base, _run_folder(base, user), binaries, user)
    for folder in (places.valkey, places.run_folder):
        folder.mkdir(mode=0o700, exist_ok=True)
        folder.chmod(0o700)
        if user is not None:
            os.chown(folder, user.uid, user.gid)
    places.logs.mkdir(mode=0o700, exist_ok=True)
    return places


def read_stamp(data_folder: Path) -> Stamp | None:
    """Read what made a data folder; refuse one that another version made."""
    path = data_folder / STAMP_FILE
    if not path.exists():
        if (data_folder / "postgresql").exists():
            raise EmbeddedServerError(
                f"{data_folder} holds databases but no {STAMP_FILE}: it was not made by this program; "
                "set EXAM_DATA_FOLDER to another folder"
            )
        return None
    try:
        stamp = msgspec.json.decode(path.read_bytes(), type=Stamp)
    except msgspec.DecodeError as error:
        raise EmbeddedServerError(f"{path} cannot be read ({error}); restore the data folder from a backup") from error
    wanted = Stamp(FORMAT, POSTGRESQL_MAJOR, VALKEY_MAJOR, stamp.base)
    if stamp != wanted:
        raise EmbeddedServerError(
            f"the data folder {data_folder} was made by another version "
            f"(format {stamp.format}, PostgreSQL {stamp.postgresql}, Valkey {stamp.valkey}; "
            f"here: format {wanted.format}, PostgreSQL {wanted.postgresql}, Valkey {wanted.valkey}); "
            "dump it with the old version and restore it with this one, or begin anew with make demo RESET=1"
        )
    return stamp


def require_space(folder: Path, needed_bytes: int) -> None:
    """Refuse to start on a disk that is about to be full."""
    free = shutil.disk_usage(folder).free
    if free < needed_bytes:
        raise EmbeddedServerError(
            f"the disk under {folder} is full: {free // 2**20} MB are free, {needed_bytes // 2**20} MB are needed; "
            "free some space, or set EXAM_DATA_FOLDER to another disk"
        )


def remove_data(data_folder: Path) -> None:
    """Delete everything the servers hold, for a fresh start; the caller holds the lock."""
    path = data_folder / STAMP_FILE
    base: Path | None = None
    if path.exists():
        try:
            named = msgspec.json.decode(path.read_bytes(), type=Stamp).base
        except msgspec.DecodeError:
            named = None
        base = Path(named) if named else None
    # The folder's name is our own 16 characters: a stamp somebody changed must not delete anything else.
    if base is not None and base.parent == ROOT_BASE:
        shutil.rmtree(base, ignore_errors=True)
    for name in OURS:
        for entry in data_folder.glob(name):
            remove_tree(entry)


def remove_tree(path: Path) -> None:
    """Delete a file, or a folder with all it holds."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink()


def _write_stamp(data_folder: Path, stamp: Stamp) -> None:
    unfinished = data_folder / f"{STAMP_FILE}.unfinished"
    unfinished.write_bytes(msgspec.json.format(msgspec.json.encode(stamp)))
    unfinished.replace(data_folder / STAMP_FILE)


def _server_user(base: Path) -> ServerUser | None:
    """As root: whoever owns the databases already, else `nobody`. As anybody else: ourselves."""
    if os.geteuid() != 0:
        return None
    databases = base / "postgresql"
    if databases.exists() and databases.stat().st_uid != 0:
        return ServerUser(databases.stat().st_uid, databases.stat().st_gid)
    try:
        entry = pwd.getpwnam("nobody")
    except KeyError as error:
        raise EmbeddedServerError(
            "PostgreSQL refuses to run as root and there is no user nobody; run as an ordinary user"
        ) from error
    return ServerUser(entry.pw_uid, entry.pw_gid)


def _choose_base(data_folder: Path, binaries: Binaries, user: ServerUser | None, needed_bytes: int) -> Stamp:
    """Decide where new data lies, and write it down before anything is put there."""
    is_near = user is None or _may_serve(data_folder, binaries, user)
    if is_near:
        require_space(data_folder, needed_bytes)
    base = None if is_near else str(_make_root_base(data_folder, needed_bytes))
    stamp = Stamp(FORMAT, POSTGRESQL_MAJOR, VALKEY_MAJOR, base)
    _write_stamp(data_folder, stamp)
    return stamp


def _may_serve(data_folder: Path, binaries: Binaries, user: ServerUser) -> bool:
    return _can_pass(data_folder) and _can_run(binaries, user)


def _can_pass(folder: Path) -> bool:
    """Tell whether every user may walk down to a folder."""
    return all(parent.stat().st_mode & stat.S_IXOTH for parent in (folder, *folder.parents))


def _can_run(binaries: Binaries, user: ServerUser) -> bool:
    """Try both programs as the servers' user; `initdb` because, unlike `postgres`, it needs the libraries beside it."""
    for program in (binaries.initdb, binaries.valkey_server):
        try:
            subprocess.run(
                [program, "--version"],
                user=user.uid,
                group=user.gid,
                extra_groups=[],
                cwd="/",
                env={},
                capture_output=True,
                check=True,
                timeout=20,
            )
        except (OSError, subprocess.SubprocessError):
            return False
    return True


def _make_root_base(data_folder: Path, needed_bytes: int) -> Path:
    base = ROOT_BASE / secrets.token_hex(8)
    try:
        ROOT_BASE.mkdir(mode=0o755, parents=True, exist_ok=True)
        require_space(ROOT_BASE, needed_bytes)
        base.mkdir(mode=0o755)
        for folder in (ROOT_BASE, base):
            if folder.stat().st_uid != 0 or folder.stat().st_mode & 0o022:
                raise EmbeddedServerError(f"{folder} must belong to root and be writable by nobody else")
            folder.chmod(0o755)
        (base / "belongs-to").write_text(f"{data_folder}\n", "utf-8")
    except OSError as error:
        raise EmbeddedServerError(
            f"PostgreSQL refuses to run as root, and its user cannot enter {data_folder}; "
            f"{base} cannot be made either ({error.strerror}). "
            "Set EXAM_DATA_FOLDER to a folder that every user may enter, or run as an ordinary user"
        ) from error
    return base


def _run_folder(base: Path, user: ServerUser | None) -> Path:
    """Folder of the sockets: in the base, or a short private one when the path would be too long for a socket."""
    usual = base / "run"
    if _fits(usual):
        return usual
    name = f"exam-{os.getuid()}-{base.stat().st_ino}"
    places = [os.environ.get("XDG_RUNTIME_DIR"), tempfile.gettempdir(), "/tmp"]  # noqa: S108 (checked below for owner and mode)
    for place in places:
        if place and _fits(Path(place) / name) and os.access(place, os.W_OK | os.X_OK):
            return _private_folder(Path(place) / name, user)
    raise EmbeddedServerError(f"the path {base} is too long for a socket; set EXAM_DATA_FOLDER to a shorter one")


def _fits(folder: Path) -> bool:
    return len(os.fsencode(folder / LONGEST_SOCKET_NAME)) <= SOCKET_PATH_LIMIT_BYTES


def _private_folder(folder: Path, user: ServerUser | None) -> Path:
    """Make a folder in a place where everybody may write, or refuse one that somebody else could have laid there."""
    owners = {os.getuid()} if user is None else {os.getuid(), user.uid}
    try:
        folder.mkdir(mode=0o700)
    except FileExistsError:
        found = folder.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid not in owners or found.st_mode & 0o077:
            raise EmbeddedServerError(
                f"{folder} exists and is not ours; remove it, or set EXAM_DATA_FOLDER to a shorter path"
            ) from None
    return folder
