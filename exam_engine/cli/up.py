"""`exam-engine up`: servers, schema, API and workers, supervised until Ctrl-C."""

import asyncio
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import IO

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

SAMPLE_FILE = "sample-sign-ins.json"
SAT_FILE = "sample-sat"
COMMAND = (sys.executable, "-m", "exam_engine.cli.main")
READY_SECONDS = 120.0
WAITING_CONNECTIONS = 4096
CONNECTIONS_EACH = 20_000  # of one worker; the limit of open files ends sooner on most machines

PAGES: Mapping[str, str] = {
    "start page": "/",
    "candidates": "/exam/",
    "staff": "/staff/",
    "results": "/results",
    "admission": "/admission",
    "API description": "/api/schema",
}

app = typer.Typer(help="Start the servers, the API and the workers, and keep them running.")


class _StaffSignIn(msgspec.Struct, frozen=True):
    """What we print of a person of the sample."""

    role: str
    user_name: str
    password: str


class _CandidateSignIn(msgspec.Struct, frozen=True):
    """What we print of a candidate's card."""

    exam: str
    candidate_number: str
    sit_code: str
    look_up_code: str


class _SignIns(msgspec.Struct, frozen=True):
    """Answer of `exam-engine sample sign-ins --json`."""

    staff: list[_StaffSignIn]
    candidates: list[_CandidateSignIn]


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
        if not stop.requested:
            api, *workers = _plans(settings)
            supervisor.launch([api])
            if sample:
                _load_sample(settings, stop, supervisor)
            supervisor.wait_ready(stop, READY_SECONDS)
        if not stop.requested:
            supervisor.launch(workers)  # after it, so that they do not slow each other down
            _show(settings, time.monotonic() - began, with_sample=sample)
        if sample and not stop.requested:
            _sit_sample(settings, stop, supervisor)
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


def _load_sample(settings: Settings, stop: StopRequest, supervisor: Supervisor) -> None:
    """Load the sample by the commands a user would use, once; keep its sign-ins beside the data for later starts."""
    kept = settings.data_folder / SAMPLE_FILE
    if not kept.exists():
        _tell("loading the sample province …")
        _run_command(settings, stop, "sample", "load", "--sign-ins", str(kept), meanwhile=supervisor.look)


def _sit_sample(settings: Settings, stop: StopRequest, supervisor: Supervisor) -> None:
    """Let simulated candidates sit the sample exams, once, so that there are results to look at."""
    mark = settings.data_folder / SAT_FILE
    if mark.exists():
        return
    _tell("\nThe sample's candidates sit their exams now; results and admission follow in a moment …")
    log = settings.data_folder / "logs" / "sample.log"
    try:
        with log.open("wb") as output:
            _run_command(settings, stop, "sample", "sit", output=output, meanwhile=supervisor.look)
    except EmbeddedServerError:
        _tell(f"The sample exams were not sat to the end; the rest works (why: {log})")
    else:
        if stop.requested:
            return
        _tell("The sample exams are sat, scored and published.")
    mark.touch()


def _run_command(
    settings: Settings,
    stop: StopRequest,
    *words: str,
    output: IO[bytes] | None = None,
    meanwhile: Callable[[], None] | None = None,
) -> None:
    """Run one of our own commands and wait for it, unless somebody asks to stop.

    Raises
    ------
    EmbeddedServerError
        It was refused; it has said why.
    """
    process = subprocess.Popen(
        [*COMMAND, *words], env=_environment(settings), stdin=subprocess.DEVNULL, stdout=output, start_new_session=True
    )
    while process.poll() is None:
        if stop.requested:
            process.terminate()
        if meanwhile is not None:
            meanwhile()
        stop.wait(0.2)
    if process.returncode != 0 and not stop.requested:
        raise EmbeddedServerError(f"exam-engine {' '.join(words)} failed (see above); make demo RESET=1 begins anew")


def _plans(settings: Settings) -> list[ChildPlan]:
    """Our own processes, in the order in which they start."""
    logs = settings.data_folder / "logs"
    logs.mkdir(mode=0o700, exist_ok=True)
    metrics = settings.data_folder / "metrics"
    shutil.rmtree(metrics, ignore_errors=True)
    metrics.mkdir(mode=0o700)
    environment = _environment(settings) | {"PROMETHEUS_MULTIPROC_DIR": str(metrics)}

    def plan(name: str, log: str, command: Sequence[str]) -> ChildPlan:
        return ChildPlan(name=name, command=command, log_file=logs / log, environment=environment, folder=Path.cwd())

    api = plan(
        "API",
        "api.log",
        (
            *(sys.executable, "-m", "granian", "--interface", "asgi", "--factory", "api.hot:create_server"),
            *("--host", settings.http_host, "--port", str(settings.http_port), "--workers", str(settings.api_workers)),
            *("--loop", "uvloop", "--no-ws", "--respawn-failed-workers", "--respawn-interval", "1"),
            *("--workers-kill-timeout", "10"),
            # The server counts open connections against this, idle ones too; every seat keeps one.
            *("--backlog", str(WAITING_CONNECTIONS), "--backpressure", str(CONNECTIONS_EACH)),
        ),
    )
    return [
        msgspec.structs.replace(api, is_ready=lambda: _is_ready(settings)),
        plan("write-behind", "write-behind.log", (*COMMAND, "worker", "write-behind")),
        plan("timer", "timer.log", (*COMMAND, "worker", "timer")),
        plan("jobs", "jobs.log", (*COMMAND, "worker", "jobs")),
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
    """Print where everything is and who can sign in. A reader that went away must not stop the servers."""
    base = settings.base_url
    lines = [
        f"The examination engine is ready ({seconds:.1f} s). Ctrl-C stops it; data in {settings.data_folder}",
        "",
        *(f"  {name:<18} {base}{path}" for name, path in PAGES.items()),
    ]
    kept = settings.data_folder / SAMPLE_FILE
    if with_sample and kept.exists():
        found = msgspec.json.decode(kept.read_bytes(), type=_SignIns)
        lines += ["", "  Staff sign in with", f"  {'role':<18} {'user name':<16} password"]
        lines += [f"  {one.role:<18} {one.user_name:<16} {one.password}" for one in found.staff]
        lines += [
            "",
            "  Candidates sit, parents and applicants look up, with the codes of a card",
            f"  {'exam':<18} {'number':<16} {'to sit':<16} to look up",
        ]
        lines += [
            f"  {one.exam:<18} {one.candidate_number:<16} {one.sit_code:<16} {one.look_up_code}"
            for one in found.candidates
        ]
        lines += [
            "",
            f"  Sit at {base}/exam/ (lam-quen-2027 has one item of each kind), look results up at {base}/results",
            f"  (thi-thu-tn-2027) and admission at {base}/admission (vao-10-2027).",
            "  More of them: exam-engine sample sign-ins --each 10",
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
