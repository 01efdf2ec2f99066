"""`exam-engine up`: servers, schema, API and workers, supervised until Ctrl-C."""

import asyncio
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from http.client import HTTPConnection, HTTPException
from pathlib import Path

import msgspec
import typer

from exam_engine.cli.console import confirm, refuse, settings_from_environment
from exam_engine.infra.embedded.child import ChildPlan
from exam_engine.infra.embedded.servers import EmbeddedServers
from exam_engine.infra.embedded.signals import StopRequest
from exam_engine.infra.embedded.supervisor import Supervisor
from exam_engine.infra.errors import EmbeddedServerError, EngineError
from exam_engine.infra.migrations.standing import stands_at_newest
from exam_engine.infra.settings import Secret, Settings, environment_of

SAMPLE_MARK = "sample-loaded"
READY_SECONDS = 60.0

app = typer.Typer(help="Start the servers, the API and the workers, and keep them running.")


@app.command()
def up(
    *,
    reset: bool = typer.Option(False, "--reset", help="Delete all data of the embedded servers first."),
    yes: bool = typer.Option(False, "--yes", help="Do not ask before --reset."),
    sample: bool = typer.Option(False, "--sample", help="Load the sample province if it is not there yet."),
) -> None:
    """Start the servers, the API and the workers, and keep them running until Ctrl-C.

    Example: exam-engine up --sample
    """
    settings = settings_from_environment()
    data_folder = settings.data_folder.absolute()
    if reset:
        if settings.database_url is not None or settings.redis_url is not None:
            refuse("--reset deletes embedded servers only, and EXAM_DATABASE_URL or EXAM_REDIS_URL names another one")
        confirm(f"Delete every exam, answer and result in {data_folder}?", is_sure=yes)
    settings = msgspec.structs.replace(settings, data_folder=data_folder)
    with StopRequest() as stop:
        try:
            _run(settings, stop, reset=reset, sample=sample)
        except EngineError as error:
            refuse(error)


def _run(settings: Settings, stop: StopRequest, *, reset: bool, sample: bool) -> None:
    began = time.monotonic()
    servers = EmbeddedServers(
        settings.data_folder, with_postgresql=settings.database_url is None, with_valkey=settings.redis_url is None
    ).prepare(reset=reset)
    supervisor = Supervisor(servers, _tell)
    try:
        _require_port(settings)
        servers.http_url = settings.base_url
        servers.start()
        _tell(f"servers ready ({time.monotonic() - began:.1f} s)")
        settings = _with_addresses(settings, servers)
        asyncio.run(_prepare(settings, is_redis_ours=servers.redis_url is not None))
        if sample and not stop.requested:
            _load_sample(settings, stop)
        if not stop.requested:
            api, *workers = _plans(settings)
            supervisor.launch([api])
            supervisor.wait_ready(stop, READY_SECONDS)
            supervisor.launch(workers)  # after it, so that they do not slow each other down
        if not stop.requested:
            _show(settings, time.monotonic() - began, with_sample=sample)
        supervisor.watch(stop)
        _tell("stopping …")
    finally:
        supervisor.stop()
    _tell("stopped")


def _with_addresses(settings: Settings, servers: EmbeddedServers) -> Settings:
    return msgspec.structs.replace(
        settings,
        database_url=settings.database_url or (Secret(servers.database_url) if servers.database_url else None),
        redis_url=settings.redis_url or (Secret(servers.redis_url) if servers.redis_url else None),
    )


async def _prepare(settings: Settings, *, is_redis_ours: bool) -> None:
    """Look at a Redis that is not ours before trusting it with answers, and bring the schema up to date."""
    if not is_redis_ours:
        from exam_engine.infra.redis_client import create_redis, require_durable

        redis = create_redis(settings)
        try:
            await require_durable(redis)
        finally:
            await redis.aclose()
    if not await stands_at_newest(settings):
        from exam_engine.infra.migrations.runner import upgrade

        await upgrade(settings)


def _load_sample(settings: Settings, stop: StopRequest) -> None:
    mark = settings.data_folder / SAMPLE_MARK
    if mark.exists():
        return
    _tell("loading the sample province …")
    command = [sys.executable, "-m", "exam_engine.cli.main", "sample", "load"]
    loading = subprocess.Popen(command, env=_environment(settings), stdin=subprocess.DEVNULL, start_new_session=True)
    while loading.poll() is None:
        if stop.requested:
            loading.terminate()
        stop.wait(0.2)
    if stop.requested:
        return
    if loading.returncode != 0:
        raise EmbeddedServerError(
            "the sample province could not be loaded (see above); begin anew with make demo RESET=1"
        )
    mark.touch()


def _plans(settings: Settings) -> list[ChildPlan]:
    """Our own processes, in the order in which they start."""
    logs = settings.data_folder / "logs"
    logs.mkdir(mode=0o700, exist_ok=True)
    metrics = settings.data_folder / "metrics"
    shutil.rmtree(metrics, ignore_errors=True)
    metrics.mkdir(mode=0o700)
    environment = _environment(settings) | {"PROMETHEUS_MULTIPROC_DIR": str(metrics)}
    exam_engine = (sys.executable, "-m", "exam_engine.cli.main")

    def plan(name: str, log: str, command: Sequence[str]) -> ChildPlan:
        return ChildPlan(name=name, command=command, log_file=logs / log, environment=environment, folder=Path.cwd())

    api = plan(
        "API",
        "api.log",
        (
            *(sys.executable, "-m", "granian", "--interface", "asgi", "--factory", "api.app:create_app"),
            *("--host", settings.http_host, "--port", str(settings.http_port), "--workers", str(settings.api_workers)),
            *("--loop", "uvloop", "--no-ws", "--respawn-failed-workers", "--respawn-interval", "1"),
            *("--workers-kill-timeout", "10"),
        ),
    )
    return [
        msgspec.structs.replace(api, is_ready=lambda: _is_ready(settings)),
        plan("write-behind", "write-behind.log", (*exam_engine, "worker", "write-behind")),
        plan("timer", "timer.log", (*exam_engine, "worker", "timer")),
        plan("jobs", "jobs.log", (*exam_engine, "worker", "jobs")),
    ]


def _environment(settings: Settings) -> dict[str, str]:
    rest = {name: value for name, value in os.environ.items() if not name.startswith("EXAM_")}
    return rest | environment_of(settings)


def _is_ready(settings: Settings) -> bool:
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.http_host, settings.http_host)  # noqa: S104 (only compared)
    connection = HTTPConnection(host, settings.http_port, timeout=5)
    try:
        connection.request("GET", "/health/ready")
        return connection.getresponse().status == 200
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()


def _require_port(settings: Settings) -> None:
    """Refuse a taken port before anything starts on it."""
    try:
        [(family, kind, protocol, _, address), *_] = socket.getaddrinfo(
            settings.http_host, settings.http_port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
            probe.listen(1)
    except PermissionError as error:
        raise EmbeddedServerError(
            f"this user may not listen on port {settings.http_port}; set EXAM_HTTP_PORT to a number above 1023"
        ) from error
    except OSError as error:
        raise EmbeddedServerError(
            f"port {settings.http_port} on {settings.http_host} cannot be used ({error.strerror}); "
            f"stop the program that has it, or choose another port, as in EXAM_HTTP_PORT={settings.http_port + 1}"
        ) from error


def _show(settings: Settings, seconds: float, *, with_sample: bool) -> None:
    """Print where everything is. A reader that went away must not stop the servers."""
    del with_sample
    base = settings.base_url
    lines = [
        f"The examination engine is ready ({seconds:.1f} s). Ctrl-C stops it; data in {settings.data_folder}",
        "",
        f"  start page         {base}/",
        f"  candidates         {base}/exam/",
        f"  staff              {base}/staff/",
        f"  results            {base}/results",
        f"  admission          {base}/admission",
        f"  API description    {base}/api/schema",
    ]
    _print("\n".join(lines), sys.stdout)


def _tell(text: str) -> None:
    _print(text, sys.stderr)


def _print(text: str, stream: object) -> None:
    try:
        print(text, file=stream, flush=True)  # type: ignore[call-overload]
    except (OSError, ValueError):
        # The pipe is closed (`make demo | head`): the servers matter more than the text.
        return
