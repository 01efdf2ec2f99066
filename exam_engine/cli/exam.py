"""Exams and their subjects on the command line."""

from datetime import datetime
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import msgspec
import typer

from exam_engine.cli.console import act, emit, emit_table, refuse, run
from exam_engine.infra.errors import FileRefused, RowError

app = typer.Typer(help="Exams and their subjects.", no_args_is_help=True)

AsJson = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only check and say what would be done.")]
ExamCode = Annotated[str, typer.Argument(help="Code of the exam.")]


@app.command(name="import")
def import_exam(
    file: Annotated[Path, typer.Argument(help="JSON file: exam and subjects; docs/formats/candidates.md.")],
    *,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Create an exam with its subjects from a file.

    Example: exam-engine exam import vao-10-2027.json --dry-run
    """
    from exam_engine.enrolment import service
    from exam_engine.enrolment.model import ExamPlan

    try:
        plan = msgspec.json.decode(file.read_bytes(), type=ExamPlan)
    except OSError as error:
        refuse(f"{file}: {error.strerror}")
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        refuse(FileRefused(file.name, [RowError("file", str(error))]))

    async def work() -> str:
        async with act(is_dry_run=dry_run) as command:
            exam = await service.create_exam(command.session, plan, actor=command.actor, now=command.now)
            return exam.code

    code = run(work())
    verb = "would be created" if dry_run else "created"
    emit({"exam": code, "is_dry_run": dry_run}, as_json=as_json, text=f"exam {code} {verb}")


@app.command()
def create(
    code: ExamCode,
    name: Annotated[str, typer.Argument(help="Its name, as it stands on cards.")],
    *,
    unit: Annotated[str, typer.Option(help="Code of the unit that holds it.")],
    year: Annotated[int, typer.Option(help="Year of the exam.")],
    kind: Annotated[str, typer.Option(help="graduation, intake, assessment or practice.")] = "assessment",
    rule_set: Annotated[str | None, typer.Option(help="Graduation rule set, such as grad_2025.")] = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Create an exam; its subjects follow with `exam subject`.

    Example: exam-engine exam create kt-hk1 "Kiểm tra học kì 1" --unit THPT-A --year 2027
    """
    from exam_engine.enrolment import service
    from exam_engine.enrolment.model import ExamPlan

    given = {"code": code, "name": name, "unit": unit, "year": year, "kind": kind, "rule_set": rule_set}
    try:
        plan = msgspec.convert(given, ExamPlan)
    except msgspec.ValidationError as error:
        raise typer.BadParameter(str(error)) from None

    async def work() -> None:
        async with act(is_dry_run=dry_run) as command:
            await service.create_exam(command.session, plan, actor=command.actor, now=command.now)

    run(work())
    verb = "would be created" if dry_run else "created"
    emit({"exam": code, "is_dry_run": dry_run}, as_json=as_json, text=f"exam {code} {verb}")


@app.command()
def subject(
    exam_code: ExamCode,
    code: Annotated[str, typer.Argument(help="Code of the subject, such as TOAN.")],
    name: Annotated[str, typer.Argument(help="Its name.")],
    *,
    minutes: Annotated[int, typer.Option(help="Minutes of the paper.")],
    mode: Annotated[str, typer.Option(help="online or marks_file.")] = "online",
    maximum: Annotated[int, typer.Option(help="Full score in hundredths: 1000 is 10 points.")] = 1000,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Add a subject to an exam.

    Example: exam-engine exam subject kt-hk1 TOAN Toán --minutes 90
    """
    from exam_engine.enrolment import service
    from exam_engine.enrolment.model import SubjectPlan

    given = {"code": code, "name": name, "mode": mode, "minutes": minutes, "maximum": maximum}
    try:
        plan = msgspec.convert(given, SubjectPlan)
    except msgspec.ValidationError as error:
        raise typer.BadParameter(str(error)) from None

    async def work() -> None:
        async with act(is_dry_run=dry_run) as command:
            exam = await service.require_exam(command.session, exam_code)
            await service.add_subject(command.session, exam, plan, actor=command.actor, now=command.now)

    run(work())
    verb = "would be added" if dry_run else "added"
    emit({"exam": exam_code, "subject": code, "is_dry_run": dry_run}, as_json=as_json, text=f"subject {code} {verb}")


@app.command(name="list")
def list_exams(*, as_json: AsJson = False) -> None:
    """List exams, the newest year first.

    Example: exam-engine exam list --json
    """
    from exam_engine.enrolment import service

    async def work() -> list[dict[str, object]]:
        async with act() as command:
            return [
                {
                    "code": exam.code,
                    "name": exam.name,
                    "year": exam.year,
                    "kind": exam.kind,
                    "state": exam.state,
                    "subjects": [s.code for s in await service.load_subjects(command.session, exam.id)],
                }
                for exam in await service.load_exams(command.session)
            ]

    exams = run(work())
    if as_json:
        emit(exams, as_json=True)
        return
    rows = [[e["code"], e["year"], e["kind"], e["state"], " ".join(map(str, e["subjects"])), e["name"]] for e in exams]  # type: ignore[call-overload]
    emit_table(("code", "year", "kind", "state", "subjects", "name"), rows)


@app.command()
def state(
    exam_code: ExamCode,
    state: Annotated[str, typer.Argument(help="planned, open or closed.")],
    *,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Open or close an exam; its numbers stay as they are from then on.

    Example: exam-engine exam state vao-10-2027 open
    """
    from exam_engine.enrolment import service
    from exam_engine.enrolment.model import ExamState

    try:
        wanted = ExamState(state)
    except ValueError:
        raise typer.BadParameter("the state is planned, open or closed") from None

    async def work() -> None:
        async with act(is_dry_run=dry_run) as command:
            exam = await service.require_exam(command.session, exam_code)
            await service.set_state(command.session, exam, wanted, actor=command.actor, now=command.now)

    run(work())
    verb = "would be" if dry_run else "is"
    emit(
        {"exam": exam_code, "state": wanted, "is_dry_run": dry_run},
        as_json=as_json,
        text=f"{exam_code} {verb} {wanted}",
    )


@app.command()
def codes(
    exam_code: ExamCode,
    *,
    until: Annotated[datetime, typer.Option(help="Moment at which the codes on the cards end, local time.")],
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Say until when the codes on the candidates' cards hold.

    Example: exam-engine exam codes vao-10-2027 --until "2027-09-01 00:00:00"
    """
    from exam_engine.enrolment import service

    async def work() -> str:
        async with act(is_dry_run=dry_run) as command:
            exam = await service.require_exam(command.session, exam_code)
            moment = until.replace(tzinfo=ZoneInfo(command.engine.settings.time_zone))
            await service.set_codes_valid_until(command.session, exam, moment, actor=command.actor, now=command.now)
            return moment.isoformat()

    moment = run(work())
    emit(
        {"exam": exam_code, "until": moment, "is_dry_run": dry_run}, as_json=as_json, text=f"codes hold until {moment}"
    )
