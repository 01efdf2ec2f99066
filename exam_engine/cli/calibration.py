"""`exam-engine calibration`: ask for a run and watch it, read it, accept or hold item parameters."""

import asyncio
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import typer

from exam_engine.cli.console import act, emit, emit_table, note, refuse, run
from exam_engine.cli.result_inputs import acting

if TYPE_CHECKING:
    from exam_engine.calibration.choices import RunSettings
    from exam_engine.calibration.model import CalibrationItem, CalibrationRun
    from exam_engine.cli.console import CommandAct
    from exam_engine.enrolment.model import ExamSubject
    from exam_engine.identity.model import Person

app = typer.Typer(help="Calibration runs and the item parameters they give.", no_args_is_help=True)

AsJson = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only check and say what would be done.")]
AsPerson = Annotated[str | None, typer.Option("--as", help="User name of the person who does it.")]
ExamCode = Annotated[str, typer.Argument(help="Code of the exam.")]
SubjectCode = Annotated[str, typer.Argument(help="Code of the subject.")]
RunNumber = Annotated[int | None, typer.Option("--run", help="Number of the run; the newest if left out.")]
Items = Annotated[list[str] | None, typer.Option("--item", help="Name of an item; may be repeated.")]
Reason = Annotated[str, typer.Option(help="Why; it is kept.")]
POLL_SECONDS = 0.4


@app.command(name="run")
def run_calibration(
    exam: ExamCode,
    subject: SubjectCode,
    *,
    model: Annotated[str, typer.Option(help="auto (what the sample can carry), rasch, 2pl or 3pl.")] = "auto",
    sitting: Annotated[
        list[str] | None, typer.Option("--sitting", help="Code of a sitting; every closed one if left out.")
    ] = None,
    omitted: Annotated[str, typer.Option(help="A blank with later answers counts as wrong or missing.")] = "wrong",
    not_reached: Annotated[str, typer.Option(help="Blanks at the end count as wrong or missing.")] = "missing",
    anchors: Annotated[str, typer.Option(help="none, fixed or linked: the scale of earlier accepted items.")] = "none",
    anchor: Annotated[
        list[str] | None, typer.Option("--anchor", help="Name of an anchor item; all accepted ones if left out.")
    ] = None,
    groups: Annotated[str, typer.Option(help="Compare groups by: school, or an attribute such as gender.")] = "",
    wait: Annotated[bool, typer.Option("--wait/--no-wait", help="Watch the run to its end.")] = True,
    as_person: AsPerson = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Ask for a calibration of a subject; the job worker of the engine does it.

    Example: exam-engine calibration run thi-thu-tn-2027 TOAN --model auto --as psychometrician
    """

    async def work() -> "CalibrationRun":
        from exam_engine.calibration import service

        async with act(is_dry_run=dry_run) as command:
            found, actor = await _subject(command, exam, subject, as_person, "calibrate_items")
            sittings = [
                s for s in await service.load_sittings(command.session, found.id) if s.code in set(sitting or ())
            ]
            missing = set(sitting or ()) - {s.code for s in sittings}
            if missing:
                refuse(f"{exam} {subject} has no sitting {', '.join(sorted(missing))}")
            settings = _settings(
                {
                    "sitting_ids": [s.id for s in sittings],
                    "family": model,
                    "omitted": omitted,
                    "not_reached": not_reached,
                    "anchors": anchors,
                    "anchor_items": anchor or [],
                    "groups_by": groups,
                }
            )
            return await service.request_run(command.session, found.id, settings, actor=actor, now=command.now)

    asked = run(work())
    if dry_run:
        emit(_summary(asked), as_json=as_json, text=f"run {asked.number} would be asked for: {asked.settings.family}")
        return
    if not wait:
        emit(_summary(asked), as_json=as_json, text=f"run {asked.number} is asked for")
        return
    ended = run(_watch(asked.id))
    emit(_summary(ended), as_json=as_json, text=_said(ended))
    if ended.state != "complete":
        raise typer.Exit(1)


@app.command(name="list")
def list_runs(exam: ExamCode, subject: SubjectCode, *, as_json: AsJson = False) -> None:
    """List the calibration runs of a subject, newest first.

    Example: exam-engine calibration list thi-thu-tn-2027 TOAN
    """

    async def work() -> "list[CalibrationRun]":
        from exam_engine.calibration import service

        async with act() as command:
            found, _ = await _subject(command, exam, subject, None, "read_statistics")
            return await service.load_runs(command.session, exam_subject_id=found.id)

    runs = run(work())
    if as_json:
        emit([_summary(each) for each in runs], as_json=True)
        return
    rows = [
        (
            each.number,
            each.state,
            f"{each.progress.share:.0%}",
            each.outcome.family if each.outcome else each.settings.family,
            each.outcome.n_candidates if each.outcome else "",
            each.outcome.n_items if each.outcome else "",
            f"{each.outcome.log_likelihood:.2f}" if each.outcome else "",
            each.created_by,
            f"{each.created_at:%Y-%m-%d %H:%M}",
        )
        for each in runs
    ]
    emit_table(["run", "state", "done", "model", "candidates", "items", "log-likelihood", "by", "asked at"], rows)


@app.command()
def show(exam: ExamCode, subject: SubjectCode, *, number: RunNumber = None, as_json: AsJson = False) -> None:
    """Show a run and its items, the most troubled first.

    Example: exam-engine calibration show thi-thu-tn-2027 TOAN --run 2
    """

    async def work() -> "tuple[CalibrationRun, list[CalibrationItem]]":
        from exam_engine.calibration import service

        async with act() as command:
            found, _ = await _subject(command, exam, subject, None, "read_statistics")
            chosen = await service.load_run_numbered(command.session, found.id, number)
            return chosen, await service.load_items(command.session, chosen.id)

    chosen, items = run(work())
    if as_json:
        emit({**_summary(chosen), "outcome": chosen.outcome, "items": items}, as_json=True)
        return
    note(_said(chosen))
    if chosen.outcome is not None:
        for remark in chosen.outcome.remarks:
            note(f"  ! {remark.message.format(**remark.facts)}")
        for left_out in chosen.outcome.excluded:
            note(f"  - {left_out.item}: {left_out.message.format(**left_out.facts)}")
    emit_table(
        ["item", "model", "a", "b", "SE b", "c", "S-X2 p", "infit", "facility", "r_pb", "decision", "trouble"],
        [_row(item) for item in items],
    )


@app.command()
def accept(
    exam: ExamCode,
    subject: SubjectCode,
    *,
    items: Items = None,
    good: Annotated[bool, typer.Option("--good", help="All open items that nothing speaks against.")] = False,
    number: RunNumber = None,
    as_person: AsPerson = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Accept parameters: they become the newest version of their items.

    Example: exam-engine calibration accept thi-thu-tn-2027 TOAN --good --as psychometrician
    """
    if bool(items) == good:
        raise typer.BadParameter("name items with --item, or say --good")
    done = _decide(exam, subject, number, as_person, dry_run, "accept", None if good else items or [], "")
    emit(done, as_json=as_json, text=_told(done, "accepted", dry_run=dry_run))


@app.command()
def hold(
    exam: ExamCode,
    subject: SubjectCode,
    *,
    items: Items = None,
    reason: Reason,
    number: RunNumber = None,
    as_person: AsPerson = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Hold items: their parameters stay unused, with the reason.

    Example: exam-engine calibration hold thi-thu-tn-2027 TOAN --item HS-002 --reason "check the key"
    """
    done = _decide(exam, subject, number, as_person, dry_run, "hold", _needed(items), reason)
    emit(done, as_json=as_json, text=_told(done, "held", dry_run=dry_run))


@app.command()
def reopen(
    exam: ExamCode,
    subject: SubjectCode,
    *,
    items: Items = None,
    reason: Reason,
    number: RunNumber = None,
    as_person: AsPerson = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Take decisions back; of accepted items what held before holds again, as a new version.

    Example: exam-engine calibration reopen thi-thu-tn-2027 TOAN --item HS-001 --reason "the key was changed"
    """
    done = _decide(exam, subject, number, as_person, dry_run, "reopen", _needed(items), reason)
    emit(done, as_json=as_json, text=_told(done, "reopened", dry_run=dry_run))


@app.command()
def cancel(
    exam: ExamCode,
    subject: SubjectCode,
    *,
    number: RunNumber = None,
    as_person: AsPerson = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Stop a run that waits or runs; nothing half-done of it is kept.

    Example: exam-engine calibration cancel thi-thu-tn-2027 TOAN --run 3 --as psychometrician
    """

    async def work() -> "CalibrationRun":
        from exam_engine.calibration import service

        async with act(is_dry_run=dry_run) as command:
            found, actor = await _subject(command, exam, subject, as_person, "calibrate_items")
            chosen = await service.load_run_numbered(command.session, found.id, number)
            return await service.cancel_run(command.session, chosen.id, actor=actor, now=command.now)

    stopped = run(work())
    emit(_summary(stopped), as_json=as_json, text=f"run {stopped.number} is told to stop")


def _decide(
    exam: str,
    subject: str,
    number: int | None,
    as_person: str | None,
    dry_run: bool,
    verb: str,
    items: list[str] | None,
    reason: str,
) -> list[dict[str, Any]]:
    async def work() -> "list[CalibrationItem]":
        from exam_engine.calibration import service

        async with act(is_dry_run=dry_run) as command:
            found, name = await _subject(command, exam, subject, as_person, "calibrate_items")
            chosen = await service.load_run_numbered(command.session, found.id, number)
            who: Person | str = name if as_person is None else await _person(command, as_person)
            if verb == "accept":
                return await service.accept_items(command.session, chosen.id, items, actor=who, now=command.now)
            change = service.hold_items if verb == "hold" else service.reopen_items
            return await change(command.session, chosen.id, items or [], reason=reason, actor=who, now=command.now)

    return [
        {"item": item.report.name, "decision": item.decision.value, "a": item.report.parameters.a,
         "b": list(item.report.parameters.b), "c": item.report.parameters.c}
        for item in run(work())
    ]  # fmt: skip


async def _subject(
    command: "CommandAct", exam: str, subject: str, as_person: str | None, permission: str
) -> "tuple[ExamSubject, str]":
    from exam_engine.enrolment import service as enrolment

    found = await enrolment.require_exam(command.session, exam)
    actor = await acting(command, as_person, permission, found.unit_id)
    return await enrolment.require_subject(command.session, found.id, subject), actor


async def _person(command: "CommandAct", user_name: str) -> "Person":
    from exam_engine.identity import service as identity

    return await identity.load_person_named(command.session, user_name, on=command.today)


async def _watch(run_id: UUID) -> "CalibrationRun":
    """Show stage, cycle and log-likelihood on standard error until the run is over."""
    from exam_engine.calibration import service
    from exam_engine.cli.console import engine
    from exam_engine.infra.database import transaction

    last = ""
    async with engine() as opened:
        while True:
            async with transaction(opened.sessions) as session:
                found = await service.load_run(session, run_id)
            step = found.progress
            value = "" if step.log_likelihood is None else f", log-likelihood {step.log_likelihood:.4f}"
            line = f"{step.share:4.0%}  {step.stage}: cycle {step.cycle}{value}"
            if line != last:
                note(line)
                last = line
            if found.is_over:
                return found
            await asyncio.sleep(POLL_SECONDS)


def _settings(values: dict[str, Any]) -> "RunSettings":
    import msgspec

    from exam_engine.calibration.choices import RunSettings

    try:
        return msgspec.convert(values, RunSettings)
    except msgspec.ValidationError as error:
        raise typer.BadParameter(str(error)) from None


def _needed(items: list[str] | None) -> list[str]:
    if not items:
        raise typer.BadParameter("name at least one item with --item")
    return items


def _summary(found: "CalibrationRun") -> dict[str, Any]:
    return {
        "id": found.id,
        "exam": found.exam_code,
        "subject": found.subject_code,
        "number": found.number,
        "state": found.state,
        "progress": found.progress,
        "settings": found.settings,
        "refusal": found.refusal,
        "converged": found.outcome.converged if found.outcome else None,
        "log_likelihood": found.outcome.log_likelihood if found.outcome else None,
        "n_candidates": found.outcome.n_candidates if found.outcome else None,
        "n_items": found.outcome.n_items if found.outcome else None,
    }


def _said(found: "CalibrationRun") -> str:
    if found.refusal is not None:
        return f"run {found.number} is refused: {found.refusal.said}"
    if found.outcome is None:
        return f"run {found.number} is {found.state}: {found.progress.stage}, {found.progress.share:.0%}"
    outcome = found.outcome
    word = "converged" if outcome.converged else "did NOT converge"
    return (
        f"run {found.number}: {outcome.family} of {outcome.n_items} items, {outcome.n_candidates} candidates; {word} "
        f"after {outcome.n_iterations} steps, log-likelihood {outcome.log_likelihood:.4f}, largest gradient "
        f"{outcome.gradient_norm:.2g}; {len(outcome.excluded)} items left out"
    )


def _told(done: list[dict[str, Any]], verb: str, *, dry_run: bool) -> str:
    names = ", ".join(each["item"] for each in done[:20])
    would = "would be " if dry_run else ""
    return f"{len(done)} items {would}{verb}{': ' + names if done else ''}"


def _row(item: "CalibrationItem") -> tuple[object, ...]:
    report = item.report
    p, errors = report.parameters, report.errors
    trouble = report.troubles[0] if report.troubles else None
    more = f" (+{len(report.troubles) - 1})" if len(report.troubles) > 1 else ""
    return (
        report.name,
        p.model,
        f"{p.a:.3f}",
        " ".join(f"{b:.2f}" for b in p.b if b is not None),
        " ".join(f"{se:.2f}" for se in (errors.b if errors else ()) if se is not None),
        f"{p.c:.3f}" if p.c else "",
        "" if report.fit.p is None else f"{report.fit.p:.3f}",
        "" if report.fit.infit is None else f"{report.fit.infit:.2f}",
        "" if report.classical.facility is None else f"{report.classical.facility:.2f}",
        "" if report.classical.r_pb is None else f"{report.classical.r_pb:.2f}",
        item.decision.value,
        "" if trouble is None else f"{trouble.severity.value}: {trouble.message.format(**trouble.facts)}{more}",
    )
