"""Results on the command line: score runs, graduation runs, releases, distributions."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import typer

from exam_engine.cli.console import act, emit, emit_table, note, refuse, run
from exam_engine.cli.irt_scores import irt_command
from exam_engine.cli.result_inputs import acting, chosen_release, given_id, given_moment, points, said

if TYPE_CHECKING:
    from exam_engine.results.look_up import SubjectDistribution
    from exam_engine.results.model import GraduationRun, PublishedResult, Release, RunSummary, ScoreRun
    from scoring.rescoring import Rescoring

app = typer.Typer(help="Score runs, releases, result slips.", no_args_is_help=True)
app.command(name="irt")(irt_command)

AsJson = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only check and say what would come out.")]
AsPerson = Annotated[str | None, typer.Option("--as", help="User name of the person who does it.")]
ExamCode = Annotated[str, typer.Argument(help="Code of the exam.")]
ReleaseNumber = Annotated[int | None, typer.Option("--release", help="Number of the release; the newest if left out.")]


@app.command()
def score(
    sitting: Annotated[str, typer.Argument(help="Code of a closed sitting.")],
    *,
    reason: Annotated[str, typer.Option(help="Why this run is made; it is kept with it.")] = "first scoring",
    as_person: AsPerson = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Score every started attempt of a sitting as a new run; earlier runs stay.

    Example: exam-engine results score toan-2027 --reason "key of slot 7 changed" --as board
    """

    async def work() -> "ScoreRun":
        from exam_engine.delivery import service as delivery
        from exam_engine.results import service

        async with act(is_dry_run=dry_run) as command:
            found = await delivery.load_sitting(command.session, sitting)
            actor = await acting(command, as_person, "run_scores", found.exam_unit_id)
            return await service.score_sitting(
                command.session, found.sitting.id, actor=actor, now=command.now, reason=reason
            )

    done = run(work())
    verb = "would score" if dry_run else "scored"
    text = f"run {done.number} {verb} {done.n_scored} attempts; {done.n_changed} totals differ from the run before"
    emit(
        {
            "id": str(done.id),
            "number": done.number,
            "key_version": done.key_version,
            "n_scored": done.n_scored,
            "n_changed": done.n_changed,
            "input_hash": done.input_hash,
        },
        as_json=as_json,
        text=text,
    )


@app.command(name="runs")
def list_runs(exam: ExamCode, *, as_json: AsJson = False) -> None:
    """List the score runs of an exam, newest first.

    Example: exam-engine results runs thi-thu-tn-2027
    """

    async def work() -> "list[RunSummary]":
        from exam_engine.enrolment import service as enrolment
        from exam_engine.results import service

        async with act() as command:
            found = await enrolment.require_exam(command.session, exam)
            return await service.load_runs(command.session, found.id)

    runs = run(work())
    if as_json:
        emit(runs, as_json=True)
        return
    headers = ["subject", "sitting", "run", "key", "scored", "changed", "mean", "by", "reason", "id"]
    emit_table(
        headers,
        [
            (r.subject_code, r.sitting_code, r.number, r.key_version, r.n_scored, r.n_changed, r.mean, r.created_by,
             r.reason, r.id)
            for r in runs
        ],
    )  # fmt: skip


@app.command()
def compare(
    run_id: Annotated[str, typer.Argument(metavar="RUN", help="Id of a score run (see `results runs`).")],
    *,
    before: Annotated[str | None, typer.Option(help="Id of another run; the one before it if left out.")] = None,
    as_json: AsJson = False,
) -> None:
    """List who scores otherwise than in the run before, with the cause in each slot.

    Example: exam-engine results compare 0b6c7a4e-6f0d-4e0c-9b5e-0f6f0a4f2b11 --json
    """

    async def work() -> "Rescoring":
        from exam_engine.results import service

        async with act() as command:
            other = None if before is None else given_id(before)
            return await service.compare_runs(command.session, given_id(run_id), other)

    report = run(work())
    if as_json:
        emit(report, as_json=True)
        return
    rows = []
    for change in report.changes:
        slots = ", ".join(f"{slot.slot}: {slot.before} -> {slot.after} ({slot.cause})" for slot in change.slots)
        rows.append((change.candidate, points(change.before), points(change.after), slots))
    emit_table(["candidate", "before", "after", "slots"], rows)


@app.command()
def graduate(
    exam: ExamCode,
    *,
    rules: Annotated[str | None, typer.Option(help="Name of a rule set; the exam's own if left out.")] = None,
    as_person: AsPerson = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Compute the graduation scores of an exam as a new run.

    Example: exam-engine results graduate thi-thu-tn-2027 --as board
    """

    async def work() -> "GraduationRun":
        from exam_engine.enrolment import service as enrolment
        from exam_engine.results import service

        async with act(is_dry_run=dry_run) as command:
            found = await enrolment.require_exam(command.session, exam)
            actor = await acting(command, as_person, "run_scores", found.unit_id)
            return await service.compute_graduation(
                command.session, found.id, actor=actor, now=command.now, rule_set=rules
            )

    done = run(work())
    text = (
        f"graduation run {done.number} by {done.rule_set}: {done.n_complete} complete records, {done.n_passed} passed"
    )
    emit(done, as_json=as_json, text=text)


@app.command()
def prepare(
    exam: ExamCode,
    *,
    at: Annotated[
        str | None, typer.Option(help="When it becomes public: 2027-07-01T08:00 (local time); else the exam's moment.")
    ] = None,
    as_person: AsPerson = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Freeze the results of an exam for publication; somebody else approves them.

    Example: exam-engine results prepare thi-thu-tn-2027 --at 2027-07-01T08:00 --as board
    """

    async def work() -> "Release":
        from exam_engine.enrolment import service as enrolment
        from exam_engine.results import service

        async with act(is_dry_run=dry_run) as command:
            found = await enrolment.require_exam(command.session, exam)
            actor = await acting(command, as_person, "release_results", found.unit_id)
            moment = None if at is None else given_moment(at, command.engine.settings.time_zone)
            return await service.prepare_release(
                command.session, found.id, actor=actor, now=command.now, release_at=moment
            )

    done = run(work())
    emit(done, as_json=as_json, text=said(done))


@app.command()
def approve(
    exam: ExamCode,
    *,
    release: ReleaseNumber = None,
    as_person: AsPerson = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Let a prepared release become public at its moment; who prepared it may not.

    Example: exam-engine results approve thi-thu-tn-2027 --as board2
    """

    async def work() -> "Release":
        from exam_engine.enrolment import service as enrolment
        from exam_engine.results import service

        async with act(is_dry_run=dry_run) as command:
            unit_id = (await enrolment.require_exam(command.session, exam)).unit_id
            actor = await acting(command, as_person, "release_results", unit_id)
            found = await chosen_release(command, exam, release)
            return await service.approve_release(command.session, found.id, actor=actor, now=command.now)

    done = run(work())
    emit(done, as_json=as_json, text=said(done))


@app.command()
def withdraw(
    exam: ExamCode,
    *,
    reason: Annotated[str, typer.Option(help="Why; it is kept in the audit record.")],
    release: ReleaseNumber = None,
    as_person: AsPerson = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Take a release back; an earlier approved one shows again.

    Example: exam-engine results withdraw thi-thu-tn-2027 --reason "wrong key in slot 7" --as board
    """

    async def work() -> "Release":
        from exam_engine.enrolment import service as enrolment
        from exam_engine.results import service

        async with act(is_dry_run=dry_run) as command:
            unit_id = (await enrolment.require_exam(command.session, exam)).unit_id
            actor = await acting(command, as_person, "release_results", unit_id)
            found = await chosen_release(command, exam, release)
            return await service.withdraw_release(
                command.session, found.id, actor=actor, reason=reason, now=command.now
            )

    done = run(work())
    emit(done, as_json=as_json, text=said(done))


@app.command()
def violation(
    exam: ExamCode,
    number: Annotated[str, typer.Argument(help="Candidate number.")],
    *,
    kind: Annotated[str, typer.Option(help="reprimand, warning, marked_script, zero, suspension or cancellation.")],
    decision: Annotated[str, typer.Option(help="The decision that says so.")],
    subject: Annotated[str | None, typer.Option(help="Code of the subject; left out: all results.")] = None,
    as_person: AsPerson = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Record a decided violation; the raw mark stays, runs and releases made afterwards show the effect.

    Example: exam-engine results violation thi-thu-tn-2027 31000001 --kind reprimand --subject LI --decision "QĐ 12"
    """

    async def work() -> UUID:
        from exam_engine.enrolment import service as enrolment
        from exam_engine.results import service
        from scoring.violations import Violation

        async with act(is_dry_run=dry_run) as command:
            found = await enrolment.require_exam(command.session, exam)
            actor = await acting(command, as_person, "run_scores", found.unit_id)
            return await service.record_violation(
                command.session,
                found.id,
                number,
                Violation(kind, subject),
                decision=decision,
                actor=actor,
                now=command.now,
            )

    recorded = run(work())
    emit({"id": str(recorded)}, as_json=as_json, text=f"{kind} of candidate {number} recorded")


@app.command()
def show(
    exam: ExamCode,
    number: Annotated[str | None, typer.Argument(help="A candidate number; everybody if left out.")] = None,
    *,
    release: ReleaseNumber = None,
    as_json: AsJson = False,
) -> None:
    """Show what a release holds, public or not.

    Example: exam-engine results show thi-thu-tn-2027 31000001 --json
    """

    async def work() -> "list[PublishedResult]":
        from exam_engine.results import service

        async with act() as command:
            found = await chosen_release(command, exam, release)
            _, results = await service.load_release(command.session, found.id)
            return [result for result in results if number in {None, result.candidate_number}]

    results = run(work())
    if number is not None and not results:
        refuse(f"the release holds nothing for candidate {number}")
    if as_json:
        import msgspec

        emit([msgspec.to_builtins(result, str_keys=True) for result in results], as_json=True)
        return
    rows = []
    for result in results:
        marks = " ".join(
            f"{subject.code}={subject.state.value if subject.score is None else points(subject.score)}"
            for subject in result.subjects
        )
        graduation = "" if result.graduation is None else points(result.graduation.score)
        rows.append((result.candidate_number, marks, graduation))
    emit_table(["candidate", "marks", "graduation"], rows)


@app.command()
def distribution(
    exam: ExamCode,
    subject: Annotated[str, typer.Argument(help="Code of the subject.")],
    *,
    svg: Annotated[Path | None, typer.Option(help="Write the chart to this file.")] = None,
    as_json: AsJson = False,
) -> None:
    """Show the public score distribution of a subject, or draw it.

    Example: exam-engine results distribution thi-thu-tn-2027 TOAN --svg toan.svg
    """

    async def work() -> "SubjectDistribution":
        from exam_engine.results.look_up import load_distributions

        async with act() as command:
            (found,) = await load_distributions(command.session, exam, now=command.now, subject_code=subject)
            return found

    found = run(work())
    if svg is not None:
        from exam_engine.infra.i18n import translator
        from exam_engine.results.chart import chart

        picture = chart(
            found.distribution,
            subject=found.subject_name,
            chart_id="distribution",
            language="vi",
            translate=translator("vi"),
        )
        try:
            svg.write_text(picture, encoding="utf-8")
        except OSError as error:
            refuse(f"{svg}: {error.strerror}")
    if as_json or svg is not None:
        emit(found, as_json=as_json, text=f"{svg} written")
        return
    shown = found.distribution
    rows = [(points(cell.low), "hidden" if cell.count is None else cell.count) for cell in shown.cells]
    emit_table(["from", "candidates"], rows)
    note(f"{shown.n} candidates, mean {shown.mean}, median {shown.median}, deviation {shown.standard_deviation}")
