"""What a durable save costs: ours against a bare server and a plain one, and the batcher against redis-benchmark.

`make bench` runs it on an installation of its own and writes into docs/benchmarks.md. Same attempts, same bodies, same
Valkey (`appendfsync always`) for all; each server has one worker, and rounds alternate: the machine's moods meet all.
"""

import asyncio
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any
from urllib.parse import unquote, urlsplit
from uuid import uuid4

import httpx
import msgspec
import uvloop

from exam_engine.delivery.model import AttemptFacts, AttemptState
from exam_engine.delivery.packing import pack_response
from exam_engine.delivery.places import PACKAGE, Place, place_of
from exam_engine.delivery.register import PrimedAttempt, Register
from exam_engine.infra.embedded.servers import EmbeddedServers
from exam_engine.infra.garbage import collect_rarely
from exam_engine.infra.redis_client import Batcher, Durability, ScriptRunner, create_redis, load_script
from exam_engine.infra.settings import environment_of, load_settings
from loadtests.benchmark_page import machine_line, write_section
from loadtests.candidate_bot.answers import draw_response
from loadtests.http import Answer, Connection, request_bytes
from loadtests.processes import cpu_seconds
from loadtests.stage import Stage, open_stage

CANDIDATES = 128
CONNECTIONS = 64
SAVES = 12_000
ROUNDS = 9
APPENDS = 32_000
ATTEMPTS, SLOTS = 1000, 20  # of the sitting that the batcher saves into
BATCHER_ROUNDS = 15
SERVERS = {
    "product": ("api.hot:create_server", "the product (`api.hot`)"),
    "bare": ("loadtests.yardsticks:bare", "bare granian: token, decode, one batched script"),
    "plain": ("loadtests.yardsticks:plain", "plain Litestar, one redis-py call a save"),
}
_NOW_MS = 1_800_000_000_000
_RUNNING = AttemptFacts(
    state=AttemptState.RUNNING,
    lease=1,
    starts_ms=_NOW_MS,
    late_ms=_NOW_MS,
    ends_ms=_NOW_MS,
    duration_ms=0,
    grace_ms=0,
    deadline_ms=_NOW_MS,
)
RATIOS = (("bare", 1.3), ("plain", 0.35))


class Cost(msgspec.Struct, frozen=True):
    """CPU microseconds a save, and saves a second."""

    server_us: float
    valkey_us: float
    per_second: float


def main() -> None:
    """Measure and write."""
    collect_rarely()  # as the workers do
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        text = runner.run(_measure())
    write_section("bench-delivery", "A durable save (`make bench`)", text)
    print(text)


async def _measure() -> str:
    with tempfile.TemporaryDirectory() as folder, EmbeddedServers(Path(folder), with_postgresql=False) as servers:
        alone = await _batcher(str(servers.redis_url))
    async with open_stage(CANDIDATES, 7, _tell) as stage:
        await stage.everybody_in(5.0)
        for seat in stage.seats:
            seat.leave()
        rounds: dict[str, list[Cost]] = {name: [] for name in SERVERS}
        for _ in range(ROUNDS):
            for name in SERVERS:
                with tempfile.TemporaryDirectory() as counters:
                    rounds[name].append(await _serve_and_save(stage, name, counters))
                _tell(f"{name}: {rounds[name][-1]}")
    return _text(rounds, *alone)


async def _serve_and_save(stage: Stage, name: str, counters: str) -> Cost:
    port = _free_port()
    # Counters in shared files, as the supervisor sets it for several workers.
    environment = {**os.environ, **environment_of(stage.engine.settings), "PROMETHEUS_MULTIPROC_DIR": counters}
    environment["BENCH_SITTING"] = stage.sitting["id"]
    command = [sys.executable, "-m", "granian", "--interface", "asgi", "--factory", SERVERS[name][0], "--no-ws"]
    command += ["--host", "127.0.0.1", "--port", str(port), "--workers", "1", "--loop", "uvloop"]
    server = subprocess.Popen(  # noqa: ASYNC220 (waiting for it blocks nobody: nothing else runs here)
        command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        await _until_ready(port)
        await _save(stage, port, SAVES // 6)  # warm
        before, began = _reading(server.pid), time.perf_counter()
        await _save(stage, port, SAVES)
        seconds, after = time.perf_counter() - began, _reading(server.pid)
    finally:
        server.terminate()
        server.wait()
    spent = [1e6 * (b - a) / SAVES for a, b in zip(before, after, strict=True)]
    return Cost(round(spent[0], 1), round(spent[1], 1), round(SAVES / seconds))


async def _save(stage: Stage, port: int, saves: int) -> None:
    """Save over 64 connections, each asking again as soon as it is answered."""
    loop = asyncio.get_running_loop()
    done = loop.create_future()
    left = [saves, saves]  # to send, to be answered
    seats = [seat for seat in stage.seats if seat.protocol.lease][:CONNECTIONS]

    def connect(seat: Any) -> None:
        connection = Connection(loop, "127.0.0.1", port)
        slots = list(stage.town.shapes[seat.form_hash].items())

        def ask(answer: Answer | None = None) -> None:
            if answer is not None:
                if answer.status != 200:
                    done.set_exception(RuntimeError(answer.body.decode()))
                    return
                left[1] -= 1
                if left[1] == 0:
                    done.set_result(None)
            if left[0] <= 0:
                return
            left[0] -= 1
            slot, shape = seat.rng.choice(slots)
            held = seat.protocol.answer(slot, draw_response(shape, seat.rng), 0, 1)
            body = {"lease": seat.protocol.lease, "responses": [held], "after": 0}
            path = f"/api/attempts/{seat.attempt_id}/responses"
            connection.ask(request_bytes("POST", path, "127.0.0.1", seat.token, msgspec.json.encode(body)), ask)

        ask()

    for seat in seats:
        connect(seat)
    await done


async def _batcher(url: str) -> tuple[Cost, float, float]:
    """Save through the batcher alone, 64 at a time, and let redis-benchmark append to a stream of the same server.

    Both in turns; returned are what the batcher costs, appends a second, and the ratio of the two, all in the median.
    """
    redis = create_redis(load_settings({"EXAM_REDIS_URL": url}))
    runner = ScriptRunner(redis, Durability(waits_for_aof=False))
    saves = Batcher(runner, load_script(PACKAGE, "save"))
    sitting = uuid4()
    attempts = [place_of(sitting, 1, uuid4()) for _ in range(ATTEMPTS)]
    answers = {slot: pack_response(1, _NOW_MS, b'"A"', True) for slot in range(SLOTS)}
    await Register(runner).prime([PrimedAttempt(place, _RUNNING, answers) for place in attempts])
    each = APPENDS // CONNECTIONS

    async def save(place: Place, begin: int) -> None:
        circumstances = f"{_RUNNING.lease} {_NOW_MS} {uuid4().hex[:8]}"
        gate = await saves.put(place.stream, place.attempt, b"", circumstances, 0, answers[0])
        for sequence in range(begin, begin + each):
            packed = pack_response(sequence, _NOW_MS, b'"B"', True)
            told = f"{circumstances}-{sequence}"
            if await saves.put(place.stream, place.attempt, gate, told, sequence % SLOTS, packed) != 1:
                raise RuntimeError("a save was refused")

    rounds: list[Cost] = []
    appends: list[float] = []
    for number in range(1, BATCHER_ROUNDS + 1):
        valkey = cpu_seconds(os.getpid()).get("valkey", 0.0)
        began, cpu = time.perf_counter(), time.process_time()
        await asyncio.gather(*(save(place, 10**6 * number) for place in attempts[:CONNECTIONS]))
        seconds, spent = time.perf_counter() - began, time.process_time() - cpu
        valkey = cpu_seconds(os.getpid()).get("valkey", 0.0) - valkey
        count = each * CONNECTIONS
        rounds.append(Cost(round(1e6 * spent / count, 1), round(1e6 * valkey / count, 1), round(count / seconds)))
        appends.append(_appends(url))
        _tell(f"batcher: {rounds[-1]}, XADD: {appends[-1]:,.0f} a second")
    await saves.close()
    await redis.aclose()
    ratios = [cost.per_second / rate for cost, rate in zip(rounds, appends, strict=True) if rate]
    return _middle(rounds), median(appends), median(ratios) if ratios else 0.0


def _appends(url: str) -> float:
    program = shutil.which("redis-benchmark") or shutil.which("valkey-benchmark")
    if program is None:
        return 0.0
    command = [program, "-s", unquote(urlsplit(url).path), "-c", "64", "-P", "1", "-n", str(APPENDS), "--csv"]
    command += ["XADD", "bench", "*", "s", "x" * 60, "1", "y" * 24]
    printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return float(printed.strip().splitlines()[-1].split('","')[1].strip('"'))


def _text(rounds: dict[str, list[Cost]], batcher: Cost, appends: float, shared: float) -> str:
    middle = {name: _middle(costs) for name, costs in rounds.items()}
    bars = dict(RATIOS)
    lines = [
        "| server | CPU µs a save | Valkey's CPU µs | saves a second | the product's CPU in ratio | bar |",
        "|---|---|---|---|---|---|",
    ]
    for name, (_, described) in SERVERS.items():
        cost = middle[name]
        ratio = f"{_ratio(rounds, name):.2f} | ≤ {bars[name]}" if name in bars else " | "
        costs = f"{cost.server_us:.0f} | {cost.valkey_us:.0f} | {cost.per_second:,.0f}"
        lines.append(f"| {described} | {costs} | {ratio} |")
    alone = (
        f"The batcher alone, {CONNECTIONS} changed answers at a time: {batcher.server_us} µs of client CPU each "
        f"(bar ≤ 25), {batcher.valkey_us} µs of Valkey's, {batcher.per_second:,.0f} a second."
    )
    beside = "`redis-benchmark` is not installed here (package redis-tools): not compared."
    if appends:
        beside = (
            f"`redis-benchmark -c 64 -P 1 XADD` on the same server: {appends:,.0f} a second; the batcher does "
            f"{shared:.2f} of it (bar ≥ 0.7; {BATCHER_ROUNDS} rounds in turns, medians)."
        )
    how = (
        f"{machine_line()} {CONNECTIONS} connections, `appendfsync always`, medians of {ROUNDS} rounds of {SAVES:,} "
        f"saves; load from the same machine."
    )
    return "\n".join([*lines, "", alone, beside, "", how])


def _ratio(rounds: dict[str, list[Cost]], name: str) -> float:
    """What the product costs of another server, each round by itself: a round meets one mood of the machine."""
    pairs = zip(rounds["product"], rounds[name], strict=True)
    return median(product.server_us / other.server_us for product, other in pairs)


def _middle(costs: list[Cost]) -> Cost:
    return Cost(*(median(getattr(cost, field) for cost in costs) for field in Cost.__struct_fields__))


def _reading(server: int) -> tuple[float, float]:
    return sum(cpu_seconds(server).values()), cpu_seconds(os.getpid()).get("valkey", 0.0)


async def _until_ready(port: int) -> None:
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=2) as client:
        for _ in range(600):
            try:
                await client.get("/health/live")
            except httpx.TransportError:
                await asyncio.sleep(0.1)
            else:
                return
    raise RuntimeError("the server did not start")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _tell(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
