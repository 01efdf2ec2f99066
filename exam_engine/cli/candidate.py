"""Candidates on the command line: import, list, number, seat, print cards, reissue codes."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from exam_engine.cli import accommodations
from exam_engine.cli.console import act, emit, emit_table, refuse, run
from exam_engine.cli.imports import ColumnMap, SheetName, read_given_table, show_report

app = typer.Typer(help="Candidates: import, number, seat, print cards.", no_args_is_help=True)
app.command()(accommodations.accommodate)
app.command()(accommodations.accommodations)
app.command()(accommodations.import_accommodations)
app.command()(accommodations.time_factor)

AsJson = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only check and say what would change.")]
ExamCode = Annotated[str, typer.Argument(help="Code of the exam.")]


@app.command(name="import")
def import_candidates(
    file: Annotated[Path, typer.Argument(help="CSV or XLSX; columns: docs/formats/candidates.md.")],
    *,
    exam: Annotated[str, typer.Option(help="Code of the exam.")],
    sheet: SheetName = None,
    column_map: ColumnMap = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Create and update candidates from a file; a mistake anywhere refuses the whole file.

    Example: exam-engine candidate import ds-thi-sinh.xlsx --exam vao-10-2027 --map "Mã HS=candidate_number" --dry-run
    """
    from exam_engine.enrolment import service

    table, mapping = read_given_table(file, sheet, column_map)

    async def work() -> object:
        async with act(is_dry_run=dry_run) as command:
            found = await service.require_exam(command.session, exam)
            report = await service.import_candidates(
                command.session,
                found,
                table,
                mapping=mapping,
                is_dry_run=dry_run,
                actor=command.actor,
                now=command.now,
            )
            await accommodations.reach_after_import(command, found, report)
            return report

    show_report(run(work()), as_json=as_json)


@app.command(name="list")
def list_candidates(
    exam: ExamCode,
    *,
    text: Annotated[str, typer.Option(help="Number, or words of the name; words with marks match marks.")] = "",
    by_name: Annotated[bool, typer.Option("--by-name", help="In the order of a class list.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=500, help="How many to show.")] = 50,
    as_json: AsJson = False,
) -> None:
    """List or search candidates.

    Example: exam-engine candidate list vao-10-2027 --text "nguyen hà" --by-name
    """
    from exam_engine.enrolment import service
    from exam_engine.enrolment.birth_dates import show_birth_date
    from exam_engine.enrolment.candidate_lists import CandidateOrder, CandidatePage, CandidateQuery

    order = CandidateOrder.NAME if by_name else CandidateOrder.NUMBER

    async def work() -> CandidatePage:
        async with act() as command:
            found = await service.require_exam(command.session, exam)
            query = CandidateQuery(text=text, order=order, limit=limit)
            return await service.list_candidates(command.session, found.id, query)

    page = run(work())
    if as_json:
        emit(page, as_json=True)
        return
    emit_table(
        ("number", "name", "born", "subjects"),
        [(c.number, c.full_name, show_birth_date(c.date_of_birth), " ".join(c.subjects)) for c in page.candidates],
    )
    typer.echo(f"{len(page.candidates)} of {page.total}", err=True)


@app.command()
def number(
    exam: ExamCode,
    *,
    prefix: Annotated[str, typer.Option(help="Digits in front: of the council or province, by the exam's year.")],
    digits: Annotated[int, typer.Option(help="Digits of a number.", min=4, max=12)] = 8,
    anew: Annotated[bool, typer.Option("--anew", help="Number everybody again; only before seats are given.")] = False,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Give numbers to the candidates who have none, in the alphabetical order of names.

    Example: exam-engine candidate number thi-thu-tn-2027 --prefix 31
    """
    from exam_engine.enrolment import service
    from exam_engine.enrolment.model import NumberingReport

    async def work() -> NumberingReport:
        async with act(is_dry_run=dry_run) as command:
            found = await service.require_exam(command.session, exam)
            return await service.assign_numbers(
                command.session,
                found,
                prefix,
                digits=digits,
                is_anew=anew,
                actor=command.actor,
                now=command.now,
            )

    report = run(work())
    verb = "would be given" if dry_run else "given"
    emit(report, as_json=as_json, text=f"{report.given} numbers {verb}: {report.first or '-'} to {report.last or '-'}")


@app.command()
def seat(
    exam: ExamCode,
    *,
    subject: Annotated[list[str] | None, typer.Option(help="Subject code; may be repeated. None: all on line.")] = None,
    capacity: Annotated[int, typer.Option(help="Seats of a room.", min=1)] = 24,
    last_room: Annotated[int, typer.Option(help="Seats the last room may take.", min=1)] = 28,
    anew: Annotated[bool, typer.Option("--anew", help="Replace the seats given before.")] = False,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Give rooms and seats in the order of numbers.

    Example: exam-engine candidate seat thi-thu-tn-2027 --subject TOAN --capacity 24
    """
    from exam_engine.enrolment import service
    from exam_engine.enrolment.model import SeatingReport, SeatingRules

    rules = SeatingRules(
        subject_codes=tuple(subject or ()), capacity=capacity, last_room_capacity=last_room, is_anew=anew
    )

    async def work() -> SeatingReport:
        async with act(is_dry_run=dry_run) as command:
            found = await service.require_exam(command.session, exam)
            return await service.assign_rooms(command.session, found, rules, actor=command.actor, now=command.now)

    report = run(work())
    verb = "would be given" if dry_run else "given"
    emit(report, as_json=as_json, text=f"{report.seats} seats {verb} in {report.rooms} rooms")


@app.command()
def cards(
    exam: ExamCode,
    *,
    out: Annotated[Path, typer.Option(help="PDF to write.")],
    only: Annotated[list[str] | None, typer.Option("--number", help="Candidate number; may be repeated.")] = None,
    language: Annotated[Literal["vi", "en"], typer.Option(help="Language of the cards.")] = "vi",
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Print the candidates' cards with their codes, room by room.

    Example: exam-engine candidate cards thi-thu-tn-2027 --out cards.pdf
    """
    from exam_engine.enrolment import service
    from exam_engine.enrolment.documents import candidate_cards

    async def work() -> tuple[bytes, int]:
        async with act(is_dry_run=dry_run) as command:
            found = await service.require_exam(command.session, exam)
            engine = command.engine
            made = await service.candidates_for_cards(
                command.session,
                found,
                secret=engine.master_secret,
                base_url=engine.settings.base_url,
                numbers=None if only is None else set(only),
                actor=command.actor,
                now=command.now,
            )
            return candidate_cards(made, language), len(made)

    content, count = run(work())
    if not dry_run:
        try:
            out.write_bytes(content)
        except OSError as error:
            refuse(f"{out}: {error.strerror}")
    result = {"file": str(out), "cards": count, "bytes": len(content), "is_dry_run": dry_run}
    emit(result, as_json=as_json, text=f"{out}: {count} cards")


@app.command()
def reissue(
    exam: ExamCode,
    candidate_number: Annotated[str, typer.Argument(help="Candidate number.")],
    *,
    reason: Annotated[str, typer.Option(help="Why, for the audit record.")],
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Make the codes of a lost card worthless; print the card again afterwards.

    Example: exam-engine candidate reissue vao-10-2027 31000017 --reason "mất thẻ"
    """
    from exam_engine.enrolment import service

    async def work() -> int:
        async with act(is_dry_run=dry_run) as command:
            found = await service.require_exam(command.session, exam)
            candidate = await service.require_candidate(command.session, found.id, candidate_number)
            renewed = await service.reissue_codes(
                command.session, found, candidate, reason=reason, actor=command.actor, now=command.now
            )
            return renewed.code_version

    version = run(work())
    result = {"number": candidate_number, "code_version": version, "is_dry_run": dry_run}
    emit(result, as_json=as_json, text=f"{candidate_number}: codes of version {version}")


@app.command()
def photos(
    source: Annotated[Path, typer.Argument(help="Folder or ZIP of JPEG, PNG or WebP, named by candidate number.")],
    *,
    exam: Annotated[str, typer.Option(help="Code of the exam.")],
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Store candidates' photos for the name check; one mistake refuses them all.

    Example: exam-engine candidate photos anh-the.zip --exam thi-thu-tn-2027 --dry-run
    """
    from exam_engine.cli.console import progress
    from exam_engine.enrolment import service
    from exam_engine.enrolment.photo_files import read_photo_files

    if not source.exists():
        refuse(f"{source}: no such file or folder")

    async def work() -> service.PhotoReport:
        with progress("photos") as step:
            async with act(is_dry_run=dry_run) as command:
                found = await service.require_exam(command.session, exam)
                return await service.import_photos(
                    command.session,
                    found,
                    read_photo_files(source),
                    source.name,
                    is_dry_run=dry_run,
                    actor=command.actor,
                    now=command.now,
                    progress=step,
                )

    report = run(work())
    verb = "would be stored" if dry_run else "stored"
    text = f"{report.photos} photos {verb}; {report.without} candidates have none"
    emit(report, as_json=as_json, text=text)
