"""The way of a form on the command line, against real servers: import, assemble, seal, print, verify."""

import asyncio
import json
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from uuid import uuid4

import msgspec
import pytest
from click.testing import CliRunner, Result
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from exam_engine.cli.main import load_noun
from exam_engine.infra.database import transaction
from exam_engine.infra.settings import Settings, environment_of
from tests.exam_engine.assembly.banks import hall, spec

Run = Callable[..., Awaitable[Result]]


@pytest.fixture
def run(settings: Settings) -> Run:
    """Call a command in a thread of its own, as every command starts its own event loop."""
    environ: dict[str, str | None] = {name: None for name in os.environ if name.startswith("EXAM_")}
    environ |= environment_of(settings)

    async def call(*words: str, given: str = "") -> Result:
        noun, *rest = words
        return await asyncio.to_thread(CliRunner().invoke, load_noun(noun), rest, input=given, env=environ)

    return call


async def test_a_form_goes_from_its_blueprint_file_to_its_seal(
    run: Run, sessions: async_sessionmaker[AsyncSession], tmp_path: Path
) -> None:
    async with transaction(sessions) as session:
        on = await hall(session)
    developer, board, mark = on.developer.user_name, on.board.user_name, uuid4().hex[:8]
    file = tmp_path / f"bp-{mark}.json"
    file.write_bytes(msgspec.json.encode(spec()))

    imported = await run("blueprint", "import", str(file), "--bank", on.bank.code, "--as", developer)
    assert imported.exit_code == 0, imported.stderr
    assert f"blueprint bp-{mark}: 13 items, 7 points, 90 minutes" in imported.stdout

    words = ("form", "assemble", f"bp-{mark}", "--as", developer, "--code", f"F-{mark}", "--seed", "7", "--codes", "2")
    planned = json.loads((await run(*words, "--json", "--dry-run")).stdout)
    made = json.loads((await run(*words, "--json")).stdout)
    assert made == planned
    assert (made["state"], made["paper_codes"], len(made["slots"])) == ("draft", ["0101", "0102"], 13)

    own = await run("form", "seal", f"F-{mark}", "--as", developer)
    assert own.exit_code == 1
    assert "refused" in own.stderr
    assert (await run("form", "seal", f"F-{mark}", "--as", board)).exit_code == 0
    shown = json.loads((await run("form", "show", f"F-{mark}", "--json")).stdout)
    assert (shown["state"], shown["seal_holds"]) == ("sealed", True)
    key = (await run("form", "key", f"F-{mark}")).stdout
    assert "PHẦN II" in key
    assert "0101  0102" in key

    verified = await run("audit", "verify", "--json")
    assert verified.exit_code == 0, verified.stderr
    assert json.loads(verified.stdout)["intact"] is True
    listed = json.loads((await run("audit", "list", "--subject", f"form:F-{mark}", "--json")).stdout)
    assert [entry["action"] for entry in listed] == ["form.seal", "form.assemble"]


async def test_a_shortage_ends_the_command_with_the_short_cells_and_code_1(
    run: Run, sessions: async_sessionmaker[AsyncSession], tmp_path: Path
) -> None:
    async with transaction(sessions) as session:
        on = await hall(session)
    code = f"bp-{uuid4().hex[:8]}"
    table = tmp_path / "cells.csv"
    table.write_text(
        "Phần;Tiêu đề;Dạng;Điểm;Chủ đề;Mức độ;Số câu\n"
        "1;PHẦN I;Trắc nghiệm;0,25;t0;NB;1\n"
        ";;;;t1;Vận dụng;40\n"
        "2;PHẦN II;Đúng/Sai;1,0;;;2\n",
        encoding="utf-8",
    )
    words = (
        "--bank",
        on.bank.code,
        "--as",
        on.developer.user_name,
        "--code",
        code,
        "--title",
        "Toán",
        "--minutes",
        "45",
    )
    assert (await run("blueprint", "import", str(table), *words, "--title", "Toán", "--minutes", "45")).exit_code == 0
    refused = await run("form", "assemble", code, "--as", on.developer.user_name, "--seed", "1")
    assert refused.exit_code == 1
    assert "topic t1, level apply: 40 items wanted, 2 available, 38 short" in refused.stderr
    assert not refused.stdout


async def test_a_wrong_table_of_cells_is_refused_line_by_line(
    run: Run, sessions: async_sessionmaker[AsyncSession], tmp_path: Path
) -> None:
    table = tmp_path / "cells.csv"
    table.write_text("part,kind,points,level,count\n1,oral,0.25,easy,3\n,,,,none\n0,essay,x,,1\n", encoding="utf-8")
    refused = await run(
        "blueprint", "import", str(table), "--bank", "b", "--as", "nobody", "--title", "T", "--minutes", "9"
    )
    assert refused.exit_code == 1
    assert [line.strip().partition(":")[0] for line in refused.stderr.splitlines()[1:]] == [
        "row 2, column kind",
        "row 2, column level",
        "row 3, column count",
        "row 4, column part",
        "row 4, column points",
    ]


async def test_units_and_people_are_managed_by_command(run: Run, tmp_path: Path) -> None:
    mark = uuid4().hex[:8]
    units, people = tmp_path / "units.csv", tmp_path / "people.csv"
    units.write_text(f"code,name,kind,parent,valid_from\nP-{mark},Tỉnh Mẫu,tỉnh,,2020-01-01\n", encoding="utf-8")
    people.write_text(
        f"user_name,display_name,role,unit,password\nan.{mark},Nguyễn Thị An,author,P-{mark},a sound of rain\n",
        encoding="utf-8",
    )
    assert "1 units added" in (await run("unit", "import", str(units))).stdout
    assert "1 people added, 0 known before, 1 roles granted" in (await run("person", "import", str(people))).stdout
    assert (await run("person", "grant", f"an.{mark}", "reviewer", f"P-{mark}")).exit_code == 0
    assert (await run("person", "revoke", f"an.{mark}", "author", f"P-{mark}")).exit_code == 0
    listed = {person["user_name"]: person for person in json.loads((await run("person", "list", "--json")).stdout)}
    assert [grant["role"] for grant in listed[f"an.{mark}"]["grants"]] == ["reviewer"]
    weak = await run("person", "set-password", f"an.{mark}", "--password-stdin", given="short\n")
    assert (weak.exit_code, weak.stdout) == (1, "")
    done = await run("person", "set-password", f"an.{mark}", "--password-stdin", given="another sound of rain\n")
    assert done.exit_code == 0
    assert f"P-{mark}" in (await run("unit", "list")).stdout
    missing = await run("unit", "import", str(tmp_path / "absent.csv"))
    assert missing.exit_code == 1
    assert "absent.csv" in missing.stderr
