"""A whole installation of its own for a rehearsal: `exam-engine up` in a folder that is thrown away afterwards."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import httpx

from exam_engine.infra.errors import EmbeddedServerError
from exam_engine.infra.settings import Settings, load_settings

START_SECONDS = 180.0
STOP_SECONDS = 30.0


@contextmanager
def own_installation() -> Iterator[Settings]:
    """Start servers, API and workers on a free port, and stop and delete them at the end.

    Raises
    ------
    EmbeddedServerError
        It did not become ready; the text shows what it said.
    """
    # Not below a closed folder: the servers may run as another user when we are root.
    folder = Path(tempfile.mkdtemp(prefix="exam-rehearsal-"))
    folder.chmod(0o755)
    environment = _environment(folder)
    log = folder / "up.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "exam_engine.cli.main", "up"],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        settings = load_settings({name: text for name, text in environment.items() if name.startswith("EXAM_")})
        _wait_until_ready(process, settings, log)
        yield settings
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
        shutil.rmtree(folder, ignore_errors=True)


def _environment(folder: Path) -> Mapping[str, str]:
    rest = {name: text for name, text in os.environ.items() if not name.startswith("EXAM_")}
    own = {
        "EXAM_DATA_FOLDER": str(folder / "data"),
        "EXAM_HTTP_PORT": str(_free_port()),
        "EXAM_LOG_LEVEL": "warning",
    }
    return rest | own


def _wait_until_ready(process: "subprocess.Popen[bytes]", settings: Settings, log: Path) -> None:
    with httpx.Client(base_url=settings.base_url, timeout=2.0) as client:
        deadline = time.monotonic() + START_SECONDS
        while True:
            if process.poll() is not None or time.monotonic() > deadline:
                tail = log.read_text(errors="replace")[-2000:]
                raise EmbeddedServerError(f"the engine for the rehearsal did not start:\n{tail}")
            try:
                if client.get("/health/ready").is_success:
                    return
            except httpx.TransportError:
                pass
            time.sleep(0.1)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
