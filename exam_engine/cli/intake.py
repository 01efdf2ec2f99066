"""The steps of an intake on the command line: programmes and aspirations in, runs, their release, decisions out."""

from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

import msgspec
import typer

from exam_engine.admission.allocation import Rules
from exam_engine.admission.errors import IntakeRulesUnknown, RunUnknown
from exam_engine.admission.intake_rules import IntakeRules, known_intake_rules, load_intake_rules
from exam_engine.admission.model import AllocationRun, OutcomeQuery, RunVerification
from exam_engine.admission.result_files import outcome_lines, points
from exam_engine.cli.allocation_options import Criteria, Offset, Percent, Then, parse_rules
from exam_engine.cli.console import REFUSED, CommandAct, act, emit, emit_table, refuse, require_ending, run
from exam_engine.cli.imports import ColumnMap, SheetName, read_given_table, show_report
from exam_engine.enrolment.model import Exam, ImportReport
from exam_engine.identity.model import UnitId, actor_of
from exam_engine.identity.permissions import Permission
from exam_engine.infra.sheets import csv_bytes, workbook_bytes

app = typer.Typer()

AsJson = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only check and say what would be done.")]
ExamOption = Annotated[str, typer.Option("--exam", help="Code of the exam.")]
ExamCode = Annotated[str, typer.Argument(help="Code of the exam.")]
RunNumber = Annotated[int | None, typer.Option("--run", help="Number of the run; the newest if not given.")]
AsUser = Annotated[str | None, typer.Option("--as", help="User name of who does it; else the command line itself.")]


@app.command()
def programmes(
    file: Annotated[Path, typer.Argument(help="CSV or XLSX: code, name, school, quota, floor, stage.")],
    *,
    exam: ExamOption,
    sheet: SheetName = None,
    column_map: ColumnMap = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Take programmes with their quotas from a file; a mistake anywhere refuses the whole file.

    Example: exam-engine admission programmes programmes.csv --exam vao-10-2027 --dry-run
    """
    from exam_engine.admission import service
    from exam_engine.enrolment import service as enrolment

    table, mapping = read_given_table(file, sheet, column_map)

    async def work() -> ImportReport:
        async with act(is_dry_run=dry_run) as command:
            found = await enrolment.require_exam(command.session, exam)
            return await service.import_programmes(
                command.session,
                found,
                table,
                mapping=mapping,
                is_dry_run=dry_run,
                actor=command.actor,
                now=command.now,
            )

    show_report(run(work()), as_json=as_json)


@app.command()
def aspirations(
    file: Annotated[Path, typer.Argument(help="CSV or XLSX: candidate_number, rank, programme.")],
    *,
    exam: ExamOption,
    sheet: SheetName = None,
    column_map: ColumnMap = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Take ranked aspirations from a file, in place of those the same candidates had.

    Example: exam-engine admission aspirations aspirations.csv --exam vao-10-2027 --map "NV=rank"
    """
    from exam_engine.admission import service
    from exam_engine.enrolment import service as enrolment

    table, mapping = read_given_table(file, sheet, column_map)

    async def work() -> ImportReport:
        async with act(is_dry_run=dry_run) as command:
            found = await enrolment.require_exam(command.session, exam)
            return await service.import_aspirations(
                command.session,
                found,
                table,
                mapping=mapping,
                is_dry_run=dry_run,
                actor=command.actor,
                now=command.now,
            )

    show_report(run(work()), as_json=as_json)


@app.command()
def compute(
    exam: ExamCode,
    *,
    rules: Annotated[str, typer.Option(help="Name of the intake rules: how papers make a score.")] = "intake_2025",
    ties: Annotated[str | None, typer.Option(help="Tie rule in place of the one in the rules.")] = None,
    criteria: Criteria = "",
    then: Then = "reject_all",
    offset: Offset = "",
    percent: Percent = "",
    as_user: AsUser = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Compute an allocation from the marks that count now; it stays unseen until somebody else releases it.

    Example: exam-engine admission compute vao-10-2027 --ties admit_all --offset 0,1,2
    """
    from exam_engine.admission import service
    from exam_engine.enrolment import service as enrolment

    given: Rules | None = None
    if ties is not None or criteria or offset or percent:
        given = parse_rules(ties or _load_rules(rules).allocation.ties, criteria, then, offset, percent)

    async def work() -> tuple[AllocationRun, list[tuple[object, ...]]]:
        async with act(is_dry_run=dry_run) as command:
            found = await enrolment.require_exam(command.session, exam)
            actor = await _actor(command, found, as_user, Permission.MANAGE_ADMISSION)
            made = await service.run_allocation(
                command.session, found, rules_name=rules, allocation_rules=given, actor=actor, now=command.now
            )
            results = await service.load_programme_results(command.session, made.id)
            return made, [(p.code, p.quota, p.admitted, points(p.cut_off), p.name) for p in results]

    made, lines = run(work())
    if as_json:
        emit(made, as_json=True)
        return
    emit_table(("programme", "quota", "admitted", "cut_off", "name"), lines)
    verb = "would be computed" if dry_run else "computed"
    typer.echo(f"run {made.number} {verb}: {made.n_admitted} of {made.n_applicants} applicants placed", err=True)


@app.command()
def runs(exam: ExamCode, *, as_json: AsJson = False) -> None:
    """List the allocation runs of an exam, the newest first.

    Example: exam-engine admission runs vao-10-2027
    """
    from exam_engine.admission import service
    from exam_engine.enrolment import service as enrolment

    async def work() -> list[AllocationRun]:
        async with act() as command:
            found = await enrolment.require_exam(command.session, exam)
            return list(await service.load_runs(command.session, found.id))

    found = run(work())
    if as_json:
        emit(found, as_json=True)
        return
    titles = ("run", "state", "placed", "applicants", "rules", "ties", "created", "by", "release")
    emit_table(
        titles,
        [
            (
                r.number,
                r.state,
                r.n_admitted,
                r.n_applicants,
                r.rules.intake.id,
                r.rules.allocation.ties,
                r.created_at.isoformat(timespec="seconds"),
                r.created_by,
                r.release_at.isoformat(timespec="seconds") if r.release_at else None,
            )
            for r in found
        ],
    )


@app.command()
def release(
    exam: ExamCode,
    *,
    number: RunNumber = None,
    at: Annotated[datetime | None, typer.Option(help="When it becomes public, local time; now if not given.")] = None,
    as_user: AsUser = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Let a run become public at a moment; not by who computed it.

    Example: exam-engine admission release vao-10-2027 --run 2 --at "2027-07-01 08:00:00" --as board
    """
    from exam_engine.admission import service
    from exam_engine.enrolment import service as enrolment

    async def work() -> AllocationRun:
        async with act(is_dry_run=dry_run) as command:
            found = await enrolment.require_exam(command.session, exam)
            actor = await _actor(command, found, as_user, Permission.RELEASE_ADMISSION)
            chosen = await _run(command, found, number)
            moment = at.replace(tzinfo=ZoneInfo(command.engine.settings.time_zone)) if at else command.now
            return await service.release_run(
                command.session, chosen.id, release_at=moment, actor=actor, now=command.now
            )

    done = run(work())
    moment = done.release_at.isoformat(timespec="seconds") if done.release_at else ""
    emit(done, as_json=as_json, text=f"run {done.number} becomes public at {moment}")


@app.command()
def withdraw(
    exam: ExamCode,
    *,
    number: RunNumber = None,
    reason: Annotated[str, typer.Option(help="Why, for the audit record.")],
    as_user: AsUser = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Take a run back; an earlier released one shows again.

    Example: exam-engine admission withdraw vao-10-2027 --run 2 --reason "appeals"
    """
    from exam_engine.admission import service
    from exam_engine.enrolment import service as enrolment

    async def work() -> AllocationRun:
        async with act(is_dry_run=dry_run) as command:
            found = await enrolment.require_exam(command.session, exam)
            actor = await _actor(command, found, as_user, Permission.RELEASE_ADMISSION)
            chosen = await _run(command, found, number)
            return await service.withdraw_run(command.session, chosen.id, reason=reason, actor=actor, now=command.now)

    done = run(work())
    emit(done, as_json=as_json, text=f"run {done.number} is withdrawn")


@app.command()
def export(
    exam: ExamCode,
    *,
    out: Annotated[Path, typer.Option(help="CSV or XLSX to write: a line for each applicant, with the reasons.")],
    number: RunNumber = None,
    language: Annotated[Literal["vi", "en"], typer.Option(help="Language of the reasons.")] = "vi",
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Write the decisions of a run as a table.

    Example: exam-engine admission export vao-10-2027 --run 2 --out decisions.xlsx
    """
    from exam_engine.admission import service
    from exam_engine.enrolment import service as enrolment

    require_ending(out, (".csv", ".xlsx"), "--out")

    async def work() -> tuple[bytes, int]:
        async with act() as command:
            found = await enrolment.require_exam(command.session, exam)
            chosen = await _run(command, found, number)
            everybody = OutcomeQuery(limit=chosen.n_applicants + 1)
            page = await service.load_outcomes(command.session, chosen.id, everybody)
            lines = outcome_lines(page.outcomes, language)
            return (workbook_bytes({"decisions": lines}) if out.suffix == ".xlsx" else csv_bytes(*lines)), page.total

    content, count = run(work())
    if not dry_run:
        try:
            out.write_bytes(content)
        except OSError as error:
            refuse(f"{out}: {error.strerror}")
    emit({"file": str(out), "applicants": count}, as_json=as_json, text=f"{out}: {count} applicants")


@app.command()
def verify(exam: ExamCode, *, number: RunNumber = None, as_json: AsJson = False) -> None:
    """Compute a run again from its stored inputs; exit code 1 if anything comes out otherwise.

    Example: exam-engine admission verify vao-10-2027 --run 2
    """
    from exam_engine.admission import service
    from exam_engine.enrolment import service as enrolment

    async def work() -> RunVerification:
        async with act() as command:
            found = await enrolment.require_exam(command.session, exam)
            chosen = await _run(command, found, number)
            return await service.verify_run(command.session, chosen.id)

    result = run(work())
    same = f"run {result.number}: the same again"
    emit(result, as_json=as_json, text=same if result.is_same else f"differs: {', '.join(result.differing)}")
    if not result.is_same:
        raise typer.Exit(REFUSED)


@app.command()
def rules(
    name: Annotated[str | None, typer.Argument(help="Name of the rules to show; all names if not given.")] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """List the intake rules, or show one of them with its source.

    Example: exam-engine admission rules intake_2025
    """
    if name is None:
        found = [load_intake_rules(known) for known in known_intake_rules()]
        if as_json:
            emit([r.id for r in found], as_json=True)
            return
        emit_table(("name", "from", "to", "title"), [(r.id, r.first_year, r.last_year, r.title) for r in found])
        return
    wanted = _load_rules(name)
    emit(msgspec.to_builtins(wanted), as_json=as_json)


def _load_rules(name: str) -> IntakeRules:
    try:
        return load_intake_rules(name)
    except IntakeRulesUnknown as error:
        refuse(error)


async def _run(command: CommandAct, exam: Exam, number: int | None) -> AllocationRun:
    from exam_engine.admission import service

    found = await service.load_runs(command.session, exam.id)
    for candidate in found:
        if number is None or candidate.number == number:
            return candidate
    raise RunUnknown(number or 1)


async def _actor(command: CommandAct, exam: Exam, user_name: str | None, permission: Permission) -> str:
    from exam_engine.identity import service as identity

    if user_name is None:
        return command.actor
    today = command.today
    person = await identity.load_person_named(command.session, user_name, on=today)
    await identity.require(command.session, person.id, permission, UnitId(exam.unit_id), on=today)
    return actor_of(person)
