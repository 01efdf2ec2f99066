"""`exam-engine sample`: load the sample province, show its sign-ins, write its files."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from exam_engine.cli import console
from exam_engine.cli.console import stages

if TYPE_CHECKING:
    from exam_engine.cli.rehearsal.statement import DayStatement

app = typer.Typer(help="Load the sample province.", no_args_is_help=True)

JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]
SeedOption = Annotated[int, typer.Option(min=0, help="The same seed gives the same candidates.")]


@app.command()
def load(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what is missing.")] = False,
    sign_ins_file: Annotated[
        Path | None, typer.Option("--sign-ins", help="Also write who can sign in to this file, as JSON.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Load units, people, banks, forms, exams and sittings that are not there yet; what is there stays as it is.

    Example: exam-engine sample load
    """
    from exam_engine.sample.loader import Step, load_sample
    from exam_engine.sample.sign_ins import sign_ins

    def tell(step: Step) -> None:
        if step.is_new:
            console.note(f"  {step.name}{': ' if step.detail else ''}{step.detail}")

    async def work() -> list[Step]:
        async with console.engine() as engine:
            steps = list(await load_sample(engine, tell, is_dry_run=dry_run))
            if sign_ins_file is not None and not dry_run:
                _keep_private(sign_ins_file, msgspec.json.encode(await sign_ins(engine)))
            return steps

    steps = console.run(work())
    count = sum(step.is_new for step in steps)
    if dry_run:
        text = f"{count} of {len(steps)} parts of the sample province are missing"
    elif count:
        text = f"the sample province is loaded: {count} of {len(steps)} parts are new"
    else:
        text = "the sample province is loaded already; nothing was changed"
    console.emit(steps, as_json=as_json, text=text)


@app.command("sit")
def sit(as_json: JsonOption = False) -> None:
    """Let the sample's candidates sit both exams on the running engine, score, release and admit; once.

    Example: exam-engine sample sit
    """
    from exam_engine.cli.rehearsal.bot import RehearsalRefused
    from exam_engine.cli.rehearsal.statement import text_of

    try:
        statement = console.run(_sit())
    except RehearsalRefused as error:
        console.refuse(str(error))
    if statement is None:
        console.emit({}, as_json=as_json, text="the sample exams were sat already; nothing was changed")
        return
    console.emit(statement, as_json=as_json, text=text_of)
    if not statement.is_whole:
        raise typer.Exit(1)


async def _sit() -> "DayStatement | None":
    from exam_engine.cli.rehearsal.bot import Habits
    from exam_engine.cli.rehearsal.day import Day, ExamOfDay
    from exam_engine.delivery import service as delivery
    from exam_engine.infra.database import transaction
    from exam_engine.sample import population

    graduates, applicants = population.mock_graduation(), population.grade_10_intake()
    async with console.engine() as engine:
        async with transaction(engine.sessions) as session:
            contexts = await delivery.load_sittings(session)
        waiting = {context.exam_code for context in contexts if context.sitting.state != "closed"}
        exams = [
            exam
            for exam in (
                ExamOfDay(graduates.exam, graduates.abilities),
                ExamOfDay(applicants.exam, applicants.abilities, admits=True),
            )
            if exam.code in waiting
        ]
        if not exams:
            return None
        habits = Habits(batch=200, at_once=12, reload_probability=0.0, drop_probability=0.0)
        with stages() as tell:
            day = Day(engine, engine.settings.base_url, graduates.seed, habits, tell)
            return await day.run(exams, looks_up=False)


@app.command("sign-ins")
def show_sign_ins(
    each: Annotated[int, typer.Option(min=1, max=500, help="How many candidates of each exam.")] = 1,
    as_json: JsonOption = False,
) -> None:
    """Show who can sign in: staff with demo passwords, and the first candidates with the codes of their cards.

    Example: exam-engine sample sign-ins --each 3
    """
    from exam_engine.sample.sign_ins import SignIns, sign_ins

    async def work() -> SignIns:
        async with console.engine() as engine:
            return await sign_ins(engine, each)

    found = console.run(work())
    if as_json:
        console.emit(found, as_json=True)
        return
    console.emit_table(
        ("user name", "password", "role", "name"),
        [(one.user_name, one.password, one.role, one.display_name) for one in found.staff],
    )
    console.emit("")
    console.emit_table(
        ("exam", "candidate number", "sit code", "look-up code", "name"),
        [(c.exam, c.candidate_number, c.sit_code, c.look_up_code, c.full_name) for c in found.candidates],
    )


@app.command()
def write(
    folder: Annotated[Path, typer.Argument(help="Folder to write into; it is made if need be.")],
    graduates: Annotated[int, typer.Option(min=1, max=200_000, help="Candidates of the mock graduation.")] = 200,
    applicants: Annotated[int, typer.Option(min=1, max=200_000, help="Applicants of the grade-10 intake.")] = 100,
    seed: SeedOption = 2027,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say which files would be written.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Write the invented candidates, marks and aspirations as the CSV files a school would hand in.

    Example: exam-engine sample write ./mau --graduates 1000 --seed 7
    """
    from exam_engine.sample.files import population_files, write_population
    from exam_engine.sample.population import grade_10_intake, mock_graduation

    populations = (mock_graduation(graduates, seed), grade_10_intake(applicants, seed))
    if dry_run:
        paths = [folder / population.exam / name for population in populations for name in population_files(population)]
    else:
        paths = [path for population in populations for path in write_population(population, folder)]
    names = [str(path) for path in paths]
    console.emit({"files": names, "written": not dry_run}, as_json=as_json, text="\n".join(names))


def _keep_private(file: Path, content: bytes) -> None:
    """Write a file only its owner may read, wholly or not at all."""
    unfinished = file.with_name(f"{file.name}.unfinished")
    unfinished.touch(mode=0o600)
    unfinished.write_bytes(content)
    unfinished.replace(file)
