"""`exam-engine sitting …` on real servers: a sitting from its plan to its reconciliation."""

import asyncio
import json
import threading
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
import pytest_asyncio
from typer.testing import CliRunner, Result

from exam_engine.cli.sitting import app
from exam_engine.delivery import write_behind
from exam_engine.infra.clock import system_clock, to_milliseconds
from exam_engine.infra.settings import Settings, environment_of
from tests.exam_engine.delivery.conftest import HallMaker
from tests.exam_engine.delivery.halls import Hall

Command = Callable[..., Result]


@pytest.fixture
def command(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Command:
    for name, value in environment_of(settings).items():
        monkeypatch.setenv(name, value)
    return lambda *words: CliRunner().invoke(app, [str(word) for word in words])


@pytest_asyncio.fixture
async def hall(plan: HallMaker, redis: Any) -> Hall:
    return await plan(candidates=3, rooms=1, starts_at=system_clock() - timedelta(minutes=1))


@pytest.fixture
def writing(settings: Settings) -> Iterator[None]:
    """A write-behind beside the commands, as the supervisor runs one."""
    loop = asyncio.new_event_loop()
    task = loop.create_task(write_behind.run(settings, consumer="writer-1"))

    def work() -> None:
        loop.run_until_complete(asyncio.gather(task, return_exceptions=True))

    thread = threading.Thread(target=work)
    thread.start()
    yield
    loop.call_soon_threadsafe(task.cancel)
    thread.join()
    loop.close()


def _told(result: Result) -> Any:
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


@pytest.mark.usefixtures("writing")
def test_a_sitting_is_opened_extended_told_and_closed_from_the_shell(command: Command, hall: Hall) -> None:
    code, board = hall.sitting.code, hall.board
    assert _told(command("open", code, "--as", board, "--dry-run", "--json"))["state"] == "planned"
    assert _told(command("open", code, "--as", board, "--json"))["state"] == "open"
    shown = _told(command("board", code, "--room", "P01", "--json"))
    seats = [(seat["candidate_number"], seat["state"]) for seat in shown["seats"]]
    assert seats == [(number, "ready") for number in hall.numbers]
    assert "31000001" in command("board", code).stdout
    given = _told(
        command("extend", code, 5, "--reason", "mất điện", "--candidate", hall.numbers[0], "--as", board, "--json")
    )
    assert (given["extended"], given["unchanged"]) == (1, 0)
    dry = _told(command("extend", code, 5, "--reason", "?", "--room", "P01", "--as", board, "--dry-run", "--json"))
    assert dry["room_id"] == str(hall.rooms[0])
    assert _told(command("message", code, "Giữ trật tự", "--as", board, "--json"))["notice"] > 0
    closed = _told(command("close", code, "--as", board, "--yes", "--json"))
    assert (closed["differences"], closed["states"]) == (0, {"closed": 3})
    assert command("reconcile", code).exit_code == 0
    lines = _told(command("list", "--json"))
    assert [line["state"] for line in lines if line["code"] == code] == ["closed"]


@pytest.mark.usefixtures("writing")
def test_seats_are_paused_locked_ended_and_all_of_it_is_undone_from_the_shell(command: Command, hall: Hall) -> None:
    code, number = hall.sitting.code, hall.numbers[0]
    by = ("--as", hall.board, "--json")
    why = ("--reason", "biên bản 3")
    one = ("--candidate", number)
    _told(command("open", code, *by))
    dry = _told(command("pause", code, "--room", "P01", *why, *by, "--dry-run"))
    assert (dry["changed"], dry["is_repeated"]) == (3, False)
    assert _told(command("pause", code, "--room", "P01", *why, *by))["changed"] == 3
    assert _told(command("pause", code, *one, *why, *by))["unchanged"] == 1
    assert _told(command("resume", code, "--room", "P01", *why, *by))["changed"] == 3
    locked = _told(command("lock", code, *one, "--candidate", hall.numbers[1], *why, *by))
    assert (locked["changed"], locked["is_undoable"]) == (2, True)
    assert _told(command("undo", code, locked["request"], *why, *by))["changed"] == 2
    assert _told(command("absent", code, *one, *why, *by))["changed"] == 1
    assert _told(command("reopen", code, *one, *why, *by))["changed"] == 1
    assert _told(command("malpractice", code, *one, *why, *by))["changed"] == 1
    listed = _told(command("acts", code, *by))
    assert [act["kind"] for act in listed][:3] == ["malpractice", "reopen", "absent"]
    assert "biên bản 3" in command("acts", code, "--as", hall.board).stdout
    nobody = command("admit", code, *one, "--as", hall.board)
    assert (nobody.exit_code, "admit is not possible" in nobody.stderr) == (1, True)
    assert _told(command("late", code, *by))["answers"] == []
    none = command("accept-late", code, "--candidate", hall.numbers[1], *why, "--as", hall.board)
    assert none.exit_code == 1
    again = command("undo", code, locked["request"], *why, "--as", hall.board)
    assert (again.exit_code, "cannot be undone" in again.stderr) == (1, True)


def test_a_sitting_is_postponed_from_the_shell(command: Command, hall: Hall) -> None:
    code, by = hall.sitting.code, ("--reason", "mưa bão", "--as", hall.board, "--json")
    begins = hall.sitting.starts_at + timedelta(minutes=30)
    dry = _told(command("postpone", code, 30, *by, "--dry-run"))
    assert datetime.fromisoformat(dry["starts_at"]) == begins
    told = _told(command("postpone", code, 30, *by))
    assert told["starts_at_ms"] == to_milliseconds(begins)
    lines = _told(command("list", "--json"))
    assert [datetime.fromisoformat(line["starts_at"]) for line in lines if line["code"] == code] == [begins]


def test_a_sitting_is_planned_from_the_shell(command: Command, hall: Hall, settings: Settings) -> None:
    words = ("--exam", hall.exam_code, "--subject", "TOAN", "--form", f"f-{hall.exam_code[4:]}", "--as", hall.board)
    times = ("--start", "2027-06-10T07:30+0700", "--end", "2027-06-10T09:15+0700")
    code = f"ca-{uuid4().hex[:6]}"
    line = _told(command("plan", code, *words, *times, "--dry-run", "--json"))
    assert (line["starts_at"], line["minutes"], line["state"]) == ("2027-06-10T00:30:00Z", 60, "planned")
    assert _told(command("plan", code, *words, *times, "--json"))["code"] == code
    again = command("plan", code, *words, *times)
    assert (again.exit_code, "already" in again.stderr) == (1, True)
    backwards = command("plan", code + "x", *words, *reversed(times[:2]), *times[2:])
    assert backwards.exit_code == 2


@pytest.mark.parametrize(
    "words",
    [
        ("open", "no-such-sitting"),
        ("close", "no-such-sitting", "--yes"),
        ("message", "no-such-sitting", "hello"),
        ("extend", "no-such-sitting", "5", "--reason", "x"),
    ],
    ids=lambda words: words[0],
)
def test_what_cannot_be_done_is_refused_in_a_sentence(command: Command, hall: Hall, words: tuple[str, ...]) -> None:
    unknown = command(*words, "--as", hall.board)
    assert (unknown.exit_code, "no sitting" in unknown.stderr) == (1, True)
    stranger = command(*(hall.sitting.code if word == "no-such-sitting" else word for word in words), "--as", "nobody")
    assert stranger.exit_code == 1


def test_who_may_not_is_refused(command: Command, hall: Hall) -> None:
    author = hall.board.replace("sealer", "author")
    refused = command("open", hall.sitting.code, "--as", author)
    assert refused.exit_code == 1
    assert "manage_sittings" in refused.stderr
