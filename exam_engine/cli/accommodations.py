"""`exam-engine candidate accommodate|…`: more time for a candidate, before a sitting and while it runs."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer

from exam_engine.cli.console import CommandAct, act, emit, emit_table, run
from exam_engine.cli.imports import SheetName, read_given_table, show_report
from exam_engine.delivery import service as sittings
from exam_engine.delivery.register import Register
from exam_engine.delivery.service import Desk, Reached
from exam_engine.enrolment import service
from exam_engine.enrolment.accommodations import AccommodationLine, TypedAccommodation
from exam_engine.enrolment.errors import AccommodationUnknown
from exam_engine.enrolment.model import Exam, ImportReport
from exam_engine.enrolment.time_factors import show_time_factor
from exam_engine.infra.redis_client import ScriptRunner, require_durable

AsJson = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only check and say what would change.")]
ExamCode = Annotated[str, typer.Argument(help="Code of the exam.")]
Number = Annotated[str, typer.Argument(help="Candidate number.")]
Reason = Annotated[str, typer.Option(help="Why, for the audit record.")]


def accommodate(
    exam: ExamCode,
    candidate_number: Number,
    *,
    reason: Reason,
    subject: Annotated[str, typer.Option(help="Code of one subject; left out: all subjects.")] = "",
    factor: Annotated[str, typer.Option(help="From 1 to 3, such as 1.25.")] = "",
    minutes: Annotated[int, typer.Option(min=0, max=240, help="Minutes on top.")] = 0,
    note: Annotated[str, typer.Option(help="What else is arranged.")] = "",
    withdraw: Annotated[bool, typer.Option("--withdraw", help="Take the accommodation in this subject back.")] = False,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Grant a candidate more time, in place of what was granted in the same subject; open sittings get the difference.

    Example: exam-engine candidate accommodate vao-10-2027 31000017 --factor 1.25 --minutes 10 --reason "QĐ 12"
    """
    typed = TypedAccommodation(number=candidate_number, subject=subject, factor=factor, minutes=str(minutes), note=note)

    async def work() -> Reached:
        async with act(is_dry_run=dry_run) as command:
            found = await service.require_exam(command.session, exam)
            if withdraw:
                lines = await service.load_accommodations(command.session, found.id)
                id_ = _line(lines, candidate_number, subject)
                candidate = await service.withdraw_accommodation(
                    command.session, found, id_, reason=reason, actor=command.actor, now=command.now
                )
            else:
                candidate = await service.save_accommodation(
                    command.session, found, typed, reason=reason, actor=command.actor, now=command.now
                )
            if dry_run:
                return Reached()
            async with desk_of(command) as desk:
                return await sittings.reach_open_sittings(desk, found, {candidate.id}, reason)

    reached = run(work())
    result = {"number": candidate_number, "seats_reached": reached.changed, "is_dry_run": dry_run}
    emit(result, as_json=as_json, text=f"{candidate_number}: {'withdrawn' if withdraw else 'granted'}{_seats(reached)}")


def accommodations(exam: ExamCode, *, as_json: AsJson = False) -> None:
    """List the accommodations of an exam.

    Example: exam-engine candidate accommodations vao-10-2027
    """

    async def work() -> list[AccommodationLine]:
        async with act() as command:
            found = await service.require_exam(command.session, exam)
            return list(await service.load_accommodations(command.session, found.id))

    lines = run(work())
    if as_json:
        emit(lines, as_json=True)
        return
    emit_table(
        ("number", "name", "subject", "factor", "minutes", "note"),
        [
            (
                line.number,
                line.full_name,
                line.subject or "all",
                show_time_factor(line.granted.time_factor),
                line.granted.extra_minutes or None,
                line.granted.note,
            )
            for line in lines
        ],
    )


def import_accommodations(
    file: Annotated[Path, typer.Argument(help="CSV or XLSX: number, subject, time factor, extra minutes, note.")],
    *,
    exam: Annotated[str, typer.Option(help="Code of the exam.")],
    sheet: SheetName = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Take accommodations from a file; a mistake anywhere refuses the whole file.

    Example: exam-engine candidate import-accommodations che-do-ho-tro.xlsx --exam vao-10-2027 --dry-run
    """
    table, _ = read_given_table(file, sheet, None)

    async def work() -> ImportReport:
        async with act(is_dry_run=dry_run) as command:
            found = await service.require_exam(command.session, exam)
            done = await service.import_accommodations(
                command.session, found, table, is_dry_run=dry_run, actor=command.actor, now=command.now
            )
            if not dry_run:
                async with desk_of(command) as desk:
                    await sittings.reach_open_sittings(desk, found, done.candidates, table.file_name)
            return done.report

    show_report(run(work()), as_json=as_json)


def time_factor(
    exam: ExamCode,
    candidate_number: Number,
    factor: Annotated[str, typer.Argument(help="From 1 to 3, such as 1.25; 1 takes it back.")],
    *,
    reason: Reason,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Give a candidate a factor on everybody's time in all subjects; open sittings get the difference.

    Example: exam-engine candidate time-factor vao-10-2027 31000017 1.25 --reason "khiếm thị"
    """

    async def work() -> str:
        async with act(is_dry_run=dry_run) as command:
            found = await service.require_exam(command.session, exam)
            candidate = await service.require_candidate(command.session, found.id, candidate_number)
            changed = await service.set_time_factor(
                command.session, found, candidate, factor, reason=reason, actor=command.actor, now=command.now
            )
            if not dry_run:
                async with desk_of(command) as desk:
                    await sittings.reach_open_sittings(desk, found, {candidate.id}, reason)
            return show_time_factor(changed.time_factor)

    shown = run(work())
    result = {"number": candidate_number, "time_factor": shown, "is_dry_run": dry_run}
    emit(result, as_json=as_json, text=f"{candidate_number}: time × {shown}")


async def reach_after_import(command: CommandAct, exam: Exam, report: ImportReport) -> None:
    """Let factors that came with a file of candidates hold in sittings that are open; opens Redis only for that."""
    if report.is_dry_run or all(change.field != "time_factor" for change in report.changes):
        return
    async with desk_of(command) as desk:
        await sittings.reach_after_import(desk, exam, report)


@asynccontextmanager
async def desk_of(command: CommandAct) -> AsyncIterator[Desk]:
    """Open a desk for acts on seats within the command's transaction."""
    redis = command.engine.redis
    register = Register(ScriptRunner(redis, await require_durable(redis)))
    try:
        yield Desk(session=command.session, register=register, actor=command.actor, now=command.now)
    finally:
        await register.close()


def _line(lines: Sequence[AccommodationLine], number: str, subject: str) -> UUID:
    for line in lines:
        if line.number == number and (line.subject or "") == subject:
            return line.id
    raise AccommodationUnknown(f"{number} {subject}".strip())


def _seats(reached: Reached) -> str:
    return f"; {reached.changed} seats of open sittings changed" if reached.changed else ""
