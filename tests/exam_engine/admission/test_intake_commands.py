"""The steps of an intake by commands, and the documented forms."""

import asyncio
import json
import re
from datetime import UTC, date, datetime
from pathlib import Path
from uuid import uuid4

import pytest
from typer.testing import CliRunner, Result

from exam_engine.admission.allocation import Rules, allocate
from exam_engine.admission.instance_files import read_problems
from exam_engine.cli.main import app
from exam_engine.enrolment import service as enrolment
from exam_engine.enrolment.model import ExamKind, ExamPlan, SubjectMode, SubjectPlan
from exam_engine.identity import store as identity_store
from exam_engine.identity.model import OrgUnit, UnitId
from exam_engine.infra.database import create_engine, session_maker, transaction
from exam_engine.infra.files import read_table
from exam_engine.infra.settings import Settings, environment_of

DOCUMENT = Path(__file__).resolve().parents[3] / "docs" / "formats" / "admission.md"
NOW = datetime(2027, 6, 1, tzinfo=UTC)


@pytest.fixture
def exam_code(settings: Settings) -> str:
    code = f"N{uuid4().hex[:8]}"

    async def prepare() -> str:
        engine = create_engine(settings)
        async with transaction(session_maker(engine)) as session:
            day = date(2025, 7, 1)
            unit = OrgUnit(id=UnitId(uuid4()), code=code, name="Sở", kind="x", parent_id=None, valid_from=day)
            await identity_store.save_units(session, [unit])
            subjects = (SubjectPlan(code="TOAN", name="Toán", mode=SubjectMode.MARKS_FILE, minutes=120),)
            plan = ExamPlan(
                code=f"vao-10-{code}", name="Vào 10", unit=code, year=2027, kind=ExamKind.INTAKE, subjects=subjects
            )
            exam = await enrolment.create_exam(session, plan, actor="person:board", now=NOW)
            people = read_table("SBD,Họ và tên\n31000001,An\n31000002,Bình\n".encode(), "c.csv")
            await enrolment.import_candidates(session, exam, people, actor="person:board", now=NOW)
            marks = read_table(b"SBD,TOAN\n31000001,8\n31000002,7\n", "m.csv")
            await enrolment.import_marks(session, exam, marks, actor="person:board", now=NOW)
        await engine.dispose()
        return exam.code

    return asyncio.run(prepare())


def test_an_intake_is_run_by_commands(settings: Settings, exam_code: str, tmp_path: Path) -> None:
    def run(*arguments: str) -> Result:
        return CliRunner().invoke(app, ["admission", *arguments], env=environment_of(settings))

    programmes, aspirations = tmp_path / "programmes.csv", tmp_path / "aspirations.csv"
    programmes.write_text("Mã,Tên,Chỉ tiêu\nP,Trường Sông,1\n", "utf-8")
    aspirations.write_text("SBD,NV,Trường\n31000001,1,P\n31000002,1,P\n", "utf-8")
    for verb, path in (("programmes", programmes), ("aspirations", aspirations)):
        seen = run(verb, str(path), "--exam", exam_code, "--dry-run", "--json")
        assert json.loads(seen.stdout)["is_dry_run"] is True
        assert run(verb, str(path), "--exam", exam_code).exit_code == 0

    assert run("compute", exam_code, "--dry-run").exit_code == 0
    assert json.loads(run("runs", exam_code, "--json").stdout) == []
    computed = run("compute", exam_code, "--offset", "0,1", "--json")
    assert computed.exit_code == 0, computed.stderr
    made = json.loads(computed.stdout)
    assert (made["number"], made["n_admitted"], made["rules"]["allocation"]["offsets"]) == (1, 1, [0, 100])

    refused = run("release", exam_code)
    assert refused.exit_code == 1
    assert "somebody else releases it" in refused.stderr
    assert "there is no person nobody" in run("release", exam_code, "--as", "nobody").stderr
    assert run("verify", exam_code, "--run", "1").stdout.strip() == "run 1: the same again"
    out = tmp_path / "decisions.csv"
    assert run("export", exam_code, "--out", str(out), "--language", "en").exit_code == 0
    assert "31000002,Bình,7.00,,,not_admitted," in out.read_text("utf-8-sig")
    assert run("withdraw", exam_code, "--reason", "thử").stdout.strip() == "run 1 is withdrawn"
    assert "no allocation run 7" in run("verify", exam_code, "--run", "7").stderr


def test_rules_are_listed_with_their_source() -> None:
    listed = CliRunner().invoke(app, ["admission", "rules", "--json"])
    assert "intake_2025" in json.loads(listed.stdout)
    shown = CliRunner().invoke(app, ["admission", "rules", "intake_2025", "--json"])
    assert "TT 30/2024" in json.loads(shown.stdout)["source"]
    assert CliRunner().invoke(app, ["admission", "rules", "nonsense"]).exit_code == 1


def test_every_form_in_the_documentation_is_read_and_allocated() -> None:
    forms = re.findall(r"```json\n(.*?)```", DOCUMENT.read_text("utf-8"), flags=re.DOTALL)
    assert len(forms) == 3
    for form in forms:
        (problem,), _ = read_problems(form.encode(), "documented.json")
        assert any(allocate(problem.instance, Rules()).assignment().values())
