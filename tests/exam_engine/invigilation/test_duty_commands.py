"""Duties and moves from the shell, on real servers: one by one, by a table, refused whole, taken back."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from exam_engine.infra.clock import system_clock
from exam_engine.infra.sheets import workbook_bytes
from tests.exam_engine.delivery.conftest import HallMaker
from tests.exam_engine.delivery.halls import Hall
from tests.exam_engine.delivery.test_commands import Command, _told, command

__all__ = ["command"]


@pytest_asyncio.fixture
async def hall(plan: HallMaker, redis: Any) -> Hall:
    """One candidate in P01 and one in P02; nobody in P03."""
    return await plan(candidates=2, rooms=3, starts_at=system_clock() - timedelta(minutes=1))


def _author(hall: Hall) -> str:
    return f"author-{hall.exam_code[4:]}"


def test_a_room_is_given_deputed_and_taken_back_from_the_shell(command: Command, hall: Hall) -> None:
    code, by, one = hall.sitting.code, ("--as", hall.board, "--json"), ("--room", "P01", "--user", hall.board)
    assert _told(command("assign", code, *one, *by, "--dry-run"))["is_dry_run"]
    assert _told(command("duties", code, "--json")) == {"duties": [], "rooms_without": ["P01", "P02"]}
    assert _told(command("assign", code, *one, *by))["duty"] == "invigilator"
    assert _told(command("assign", code, *one, *by, "--deputy"))["duty"] == "deputy"
    assert _told(command("assign", code, "--room", "P03", "--user", hall.board, *by))["room"] == "P03"
    told = _told(command("duties", code, "--json"))
    assert [(line["room"], line["user"], line["duty"]) for line in told["duties"]] == [
        ("P01", hall.board, "deputy"),
        ("P03", hall.board, "invigilator"),
    ]
    assert told["rooms_without"] == ["P02"]
    shown = command("duties", code).stdout.splitlines()
    assert [line.split()[0] for line in shown] == ["room", "P01", "P02", "P03"]
    assert "nobody yet" in shown[2]
    assert _told(command("withdraw-duty", code, *one, *by, "--dry-run"))["is_dry_run"]
    assert _told(command("withdraw-duty", code, *one, *by))["user"] == hall.board
    again = command("withdraw-duty", code, *one, "--as", hall.board)
    assert (again.exit_code, "has no duty in room P01" in again.stderr) == (1, True)


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        pytest.param(("--room", "P09", "--user", "{board}"), "this sitting has no room P09", id="no such room"),
        pytest.param(("--room", "P01", "--user", "khong-ai"), "khong-ai", id="nobody"),
        pytest.param(("--room", "P01", "--user", "{author}"), "no role by which", id="does not invigilate"),
    ],
)
def test_a_duty_that_cannot_be_given_is_refused_in_a_sentence(
    command: Command, hall: Hall, words: tuple[str, ...], reason: str
) -> None:
    said = [word.format(board=hall.board, author=_author(hall)) for word in words]
    refused = command("assign", hall.sitting.code, *said, "--as", hall.board)
    assert (refused.exit_code, reason in refused.stderr) == (1, True), refused.output
    stranger = command("assign", hall.sitting.code, "--room", "P01", "--user", hall.board, "--as", _author(hall))
    assert stranger.exit_code == 1


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_a_table_of_duties_is_tried_taken_whole_and_changes_nothing_twice(
    command: Command, hall: Hall, tmp_path: Path, kind: str
) -> None:
    file = tmp_path / f"phan-cong.{kind}"
    titles, rows = ["Phòng thi", "Tên đăng nhập", "Họ tên", "Nhiệm vụ"], [["P01", hall.board.upper(), "x", "Giám thị"]]
    rows.append(["p03", hall.board, "x", "Người thay"])
    if kind == "csv":
        file.write_text("\n".join(";".join(row) for row in [titles, *rows]), "utf-8")
    else:
        file.write_bytes(workbook_bytes({"phân công": (titles, rows)}))
    words = ("import-duties", hall.sitting.code, file, "--as", hall.board, "--json")
    tried = _told(command(*words, "--dry-run"))
    assert (tried["created"], tried["is_dry_run"]) == (2, True)
    assert _told(command("duties", hall.sitting.code, "--json"))["duties"] == []
    done = _told(command(*words))
    assert (done["rows"], done["created"], done["changed"], done["unchanged"]) == (2, 2, 0, 0)
    again = _told(command(*words))
    assert (again["created"], again["changed"], again["unchanged"], again["changes"]) == (0, 0, 2, [])
    file = tmp_path / "khac.csv"
    file.write_text(f"room,user,duty\nP03,{hall.board},\n", "utf-8")
    changed = _told(command("import-duties", hall.sitting.code, file, "--as", hall.board, "--json"))
    assert changed["changes"] == [
        {"subject": f"P03 · {hall.board}", "field": "duty", "before": "deputy", "after": "invigilator"}
    ]
    kept = _told(command("duties", hall.sitting.code, "--json"))["duties"]
    assert [(line["room"], line["duty"]) for line in kept] == [("P01", "invigilator"), ("P03", "invigilator")]


def test_every_mistake_of_a_table_is_named_by_row_and_nothing_is_taken(
    command: Command, hall: Hall, tmp_path: Path
) -> None:
    file = tmp_path / "sai.csv"
    lines = (
        "room,user,duty",
        "P01,{b},",
        "P09,{b},",
        "P01,khong-ai,",
        "P02,{a},",
        "P02,{b},chief",
        ",,",
        "P01,{b},deputy",
    )
    file.write_text("\n".join(lines).format(b=hall.board, a=_author(hall)), "utf-8")
    refused = command("import-duties", hall.sitting.code, file, "--as", hall.board)
    assert refused.exit_code == 1
    told = [line.strip() for line in refused.stderr.splitlines()]
    assert [line.partition(":")[0] for line in told] == [
        "sai.csv",
        "row 3, column room",
        "row 4, column user",
        "row 5, column user",
        "row 6, column duty",
        "row 8, column user",
    ]
    assert "it has: P01, P02, P03" in told[1]
    assert "already stands for this room in row 2" in told[5]
    assert _told(command("duties", hall.sitting.code, "--json"))["duties"] == []
    headless = tmp_path / "thieu.csv"
    headless.write_text("room,duty\nP01,deputy\n", "utf-8")
    missing = command("import-duties", hall.sitting.code, headless, "--as", hall.board)
    assert (missing.exit_code, "column user is missing" in missing.stderr) == (1, True)


def test_a_candidate_is_moved_and_moved_back_from_the_shell(command: Command, hall: Hall) -> None:
    code, by = hall.sitting.code, ("--reason", "máy hỏng", "--as", hall.board, "--json")
    _told(command("open", code, "--as", hall.board, "--json"))
    one = ("--candidate", hall.numbers[0])

    def seated(room: str) -> list[tuple[str, int]]:
        board = _told(command("board", code, "--room", room, "--json"))
        assert board["room"] == room
        return [(seat["candidate_number"], seat["seat"]) for seat in board["seats"]]

    before, other = seated("P01"), seated("P02")
    assert seated("P03") == []
    tried = _told(command("move", code, *one, "--room", "P03", "--seat", 7, *by, "--dry-run"))
    assert (tried["from_room"], tried["room"], tried["seat"]) == ("P01", "P03", 7)
    assert (seated("P01"), seated("P03")) == (before, [])
    moved = _told(command("move", code, *one, "--room", "P03", "--seat", 7, *by))
    assert (seated("P01"), seated("P03")) == ([], [(hall.numbers[0], 7)])
    assert _told(command("undo", code, moved["request"], *by))["changed"] == 1
    assert (seated("P01"), seated("P03")) == (before, [])
    free = _told(command("move", code, *one, "--room", "P02", *by))
    assert free["seat"] == min(set(range(1, 24)) - {seat for _, seat in other})
    assert command("undo", code, free["request"], *by[:-1]).exit_code == 0
    shown = command("move", code, *one, "--room", "P03", "--seat", 7, *by[:-1])
    assert shown.stdout == f"{hall.numbers[0]}: P01 {before[0][1]} -> P03 7\n"
    assert f"sitting undo {code} " in shown.stderr
    assert "nobody sits in room P01" in command("board", code, "--room", "P01").stderr
    taken = command("move", code, *one, "--room", "P02", "--seat", other[0][1], *by[:-1])
    assert (taken.exit_code, "is not free" in taken.stderr) == (1, True)
    nowhere = command("move", code, *one, "--room", "P09", *by[:-1])
    assert (nowhere.exit_code, "has no room P09" in nowhere.stderr) == (1, True)
    nobody = command("move", code, "--candidate", "39999999", "--room", "P03", *by[:-1])
    assert (nobody.exit_code, "39999999" in nobody.stderr) == (1, True)
    acts = _told(command("acts", code, "--as", hall.board, "--json"))
    assert [act["kind"] for act in acts] == ["move", "move_back", "move", "move_back", "move"]
