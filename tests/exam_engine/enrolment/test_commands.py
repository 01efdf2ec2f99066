"""The commands `exam`, `candidate` and `marks`, on a real database, as a person types them."""

import asyncio
import json
from datetime import date
from pathlib import Path
from uuid import uuid4

import pytest
from typer.testing import CliRunner, Result

from exam_engine.cli.main import app
from exam_engine.identity import store as identity_store
from exam_engine.identity.model import OrgUnit, UnitId
from exam_engine.infra.database import create_engine, session_maker, transaction
from exam_engine.infra.settings import Settings, environment_of


class Shell:
    """Runs commands against the test's servers."""

    def __init__(self, settings: Settings, unit: str) -> None:
        self.environment = environment_of(settings)
        self.unit = unit
        self.exam = f"thi-{unit.lower()}"

    def __call__(self, *arguments: str) -> Result:
        return CliRunner().invoke(app, list(arguments), env=self.environment)

    def json(self, *arguments: str) -> dict[str, object]:
        result = self(*arguments, "--json")
        assert result.exit_code == 0, result.stderr
        answer: dict[str, object] = json.loads(result.stdout)
        return answer


@pytest.fixture
def shell(settings: Settings) -> Shell:
    code = f"C{uuid4().hex[:8]}"

    async def make_unit() -> None:
        engine = create_engine(settings)
        async with transaction(session_maker(engine)) as session:
            day = date(2025, 7, 1)
            unit = OrgUnit(id=UnitId(uuid4()), code=code, name="Sở thử", kind="x", parent_id=None, valid_from=day)
            await identity_store.save_units(session, [unit])
        await engine.dispose()

    asyncio.run(make_unit())
    return Shell(settings, code)


def test_an_exam_day_is_prepared_by_commands(shell: Shell, tmp_path: Path) -> None:
    plan = tmp_path / "exam.json"
    subjects = [
        {"code": "TOAN", "name": "Toán", "mode": "online", "minutes": 90},
        {"code": "VAN", "name": "Ngữ văn", "mode": "marks_file", "minutes": 120, "maximum": 1000},
    ]
    given = {"code": shell.exam, "name": "Thi thử", "unit": shell.unit, "year": 2027, "kind": "graduation"}
    plan.write_text(json.dumps({**given, "subjects": subjects}), "utf-8")
    assert shell.json("exam", "import", str(plan), "--dry-run")["is_dry_run"] is True
    assert shell.json("exam", "import", str(plan))["exam"] == shell.exam

    people = tmp_path / "ds.csv"
    people.write_text("Họ và tên,Ngày sinh\nTrần Bình,1/2/2009\nLê An,3/4/2009\n", "utf-8")
    assert shell.json("candidate", "import", str(people), "--exam", shell.exam, "--dry-run")["created"] == 2
    assert shell.json("candidate", "import", str(people), "--exam", shell.exam)["created"] == 2
    assert shell.json("candidate", "import", str(people), "--exam", shell.exam)["unchanged"] == 2
    assert shell.json("candidate", "number", shell.exam, "--prefix", "31")["first"] == "31000001"
    assert shell.json("candidate", "seat", shell.exam)["seats"] == 2
    listed = shell("candidate", "list", shell.exam, "--text", "le an")
    assert listed.stdout.splitlines()[1].split()[:3] == ["31000001", "Lê", "An"]

    marks = tmp_path / "marks.csv"
    marks.write_text('SBD,VAN\n31000001,"7,5"\n31000002,V\n', "utf-8")
    assert shell.json("marks", "import", str(marks), "--exam", shell.exam)["created"] == 2

    cards = tmp_path / "cards.pdf"
    assert shell.json("candidate", "cards", shell.exam, "--out", str(cards))["cards"] == 2
    assert cards.read_bytes().startswith(b"%PDF")
    assert shell.json("candidate", "reissue", shell.exam, "31000001", "--reason", "mất thẻ")["code_version"] == 2


def test_a_broken_file_names_every_place_and_changes_nothing(shell: Shell, tmp_path: Path) -> None:
    made = shell("exam", "create", shell.exam, "Kiểm tra", "--unit", shell.unit, "--year", "2027")
    assert made.exit_code == 0, made.stderr
    people = tmp_path / "ds.csv"
    people.write_text("SBD,Họ và tên\n08000001,An\n08000001,Bình\n08,Cúc\n", "utf-8")
    refused = shell("candidate", "import", str(people), "--exam", shell.exam)
    assert refused.exit_code == 1
    assert "row 3, column SBD: the number 08000001 already stands in row 2" in refused.stderr
    assert "row 4, column SBD" in refused.stderr
    assert shell.json("candidate", "list", shell.exam)["total"] == 0


@pytest.mark.parametrize(
    "arguments",
    [
        ("exam", "import", "nowhere.json"),
        ("candidate", "import", "nowhere.csv", "--exam", "x"),
        ("candidate", "list", "no-such-exam"),
        ("candidate", "number", "no-such-exam", "--prefix", "31"),
        ("exam", "state", "no-such-exam", "open"),
    ],
)
def test_what_is_not_there_is_refused_with_a_sentence(shell: Shell, arguments: tuple[str, ...]) -> None:
    refused = shell(*arguments)
    assert refused.exit_code == 1
    assert "refused" in refused.stderr
