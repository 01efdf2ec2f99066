"""Loads the sample province through the use cases everybody else goes through: imports, assembly, seating, opening.

Every step is one transaction and is left out when what it makes is there already, so that a load that was broken off
can be taken up again, and a second one changes nothing, not even what people have edited since.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import date, datetime, timedelta
from functools import partial

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from exam_engine.admission import service as admission
from exam_engine.assembly import service as assembly
from exam_engine.assembly.errors import FormUnknown
from exam_engine.assembly.model import AssemblyOrder
from exam_engine.authoring import service as authoring
from exam_engine.authoring.errors import BankUnknown
from exam_engine.authoring.imports import ImportOrder, import_package
from exam_engine.delivery import service as delivery
from exam_engine.delivery.errors import SittingUnknown
from exam_engine.delivery.register import Register
from exam_engine.enrolment import service as enrolment
from exam_engine.enrolment.errors import ExamUnknown
from exam_engine.enrolment.model import ExamPlan, SeatingRules
from exam_engine.identity import imports as identity_imports
from exam_engine.identity import service as identity
from exam_engine.identity.errors import UnitUnknown
from exam_engine.identity.model import Person
from exam_engine.infra.database import transaction
from exam_engine.infra.files import Table, read_table
from exam_engine.infra.redis_client import ScriptRunner, require_durable
from exam_engine.sample import data_files, files, population
from exam_engine.sample.packages import bank_package
from exam_engine.sample.plan import SampleBank, SampleExam, SampleForm, SamplePlan, SampleSitting, load_plan
from exam_engine.wiring import Engine
from item_bank.forms.blueprint import parse_blueprint

ACTOR = "system:sample"
PROVINCE = "31"
Populations = Mapping[str, Callable[[], population.Population]]

POPULATIONS: Populations = {
    population.GRADUATION: population.mock_graduation,
    population.INTAKE: population.grade_10_intake,
    population.PRACTICE: population.practice,
}


class Step(msgspec.Struct, frozen=True):
    """One part of the sample: whether it was missing, and what was made of it."""

    name: str
    is_new: bool
    detail: str = ""


Tell = Callable[[Step], None]


async def load_sample(
    engine: Engine,
    tell: Tell = lambda _: None,
    *,
    is_dry_run: bool = False,
    populations: Populations = POPULATIONS,
) -> Sequence[Step]:
    """Load what is missing of the sample province, and say step by step what that was.

    `populations` gives the candidates of each exam by its code.

    Raises
    ------
    EngineError
        A step was refused; the steps before it stand, and a second call goes on from there.
    """
    steps: list[Step] = []
    for part in _parts(engine, load_plan(), populations):
        async with transaction(engine.sessions) as session:
            is_new = not await part.is_there(session)
            detail = await part.make(session, engine.clock()) if is_new and not is_dry_run else ""
        step = Step(part.name, is_new, detail)
        steps.append(step)
        tell(step)
    return tuple(steps)


class _Part(msgspec.Struct, frozen=True):
    name: str
    is_there: Callable[[AsyncSession], Awaitable[bool]]
    make: Callable[[AsyncSession, datetime], Awaitable[str]]  # says what it made


def _parts(engine: Engine, plan: SamplePlan, populations: Populations) -> Sequence[_Part]:
    return (
        _Part(
            "province",
            partial(_finds, identity.load_unit_coded, PROVINCE, UnitUnknown),
            partial(_load_province, engine),
        ),
        *(
            _Part(
                f"bank {bank.code}",
                partial(_finds, authoring.bank_by_code, bank.code, BankUnknown),
                partial(_load_bank, engine, bank),
            )
            for bank in plan.banks
        ),
        *(
            _Part(
                f"form {form.code}",
                partial(_finds, assembly.load_form_coded, form.code, FormUnknown),
                partial(_load_form, engine, form),
            )
            for form in plan.forms
        ),
        *(
            _Part(
                f"exam {exam.code}",
                partial(_finds, enrolment.require_exam, exam.code, ExamUnknown),
                partial(_load_exam, exam, populations[exam.code]),
            )
            for exam in plan.exams
        ),
        *(
            _Part(
                f"sitting {sitting.code}",
                partial(_finds, delivery.load_sitting, sitting.code, SittingUnknown),
                partial(_load_sitting, engine, sitting),
            )
            for sitting in plan.sittings
        ),
    )


async def _finds(
    load: Callable[[AsyncSession, str], Awaitable[object]], code: str, unknown: type[Exception], session: AsyncSession
) -> bool:
    try:
        await load(session, code)
    except unknown:
        return False
    return True


async def _load_province(engine: Engine, session: AsyncSession, now: datetime) -> str:
    units = await identity_imports.import_units(session, _table("units.csv"), actor=ACTOR, now=now)
    people = await identity_imports.import_people(
        session, _table("people.csv"), today=engine.local_day(now), actor=ACTOR, now=now
    )
    return f"{units.added} units, {people.added} people"


async def _load_bank(engine: Engine, plan: SampleBank, session: AsyncSession, now: datetime) -> str:
    unit = await identity.load_unit_coded(session, PROVINCE)
    new = authoring.NewBank(
        code=plan.code,
        name=plan.name,
        subject_code=plan.subject_code,
        grade=plan.grade,
        unit_id=unit.id,
        language=plan.language,
    )
    bank = await authoring.create_bank(session, new, actor=ACTOR, now=now)
    author = await _person(session, "author", engine.local_day(now))
    order = ImportOrder(
        bank=bank,
        package=bank_package(plan.code, plan.language),
        author=author,
        submitter=author,
        approver=await _person(session, "reviewer", engine.local_day(now)),
    )
    report = await import_package(session, order, now=now)
    return f"{len(report.created)} items, {report.stimuli} stimuli, {report.figures} figures"


async def _load_form(engine: Engine, plan: SampleForm, session: AsyncSession, now: datetime) -> str:
    developer = await _person(session, "developer", engine.local_day(now))
    bank = await authoring.bank_by_code(session, plan.bank)
    blueprint = await assembly.save_blueprint(
        session,
        bank_id=bank.id,
        code=plan.blueprint,
        name=plan.blueprint_name,
        spec=parse_blueprint(data_files.read_bytes(f"blueprints/{plan.blueprint}.json")),
        actor=developer,
        now=now,
    )
    order = AssemblyOrder(
        blueprint_id=blueprint.id, code=plan.code, seed=plan.seed, paper_codes=plan.paper_codes, prefer_unused=False
    )
    form = await assembly.assemble(session, order, actor=developer, now=now)
    await assembly.seal(session, form.id, actor=await _person(session, "board", engine.local_day(now)), now=now)
    return f"{blueprint.spec.count} items, {plan.paper_codes} paper codes, sealed"


async def _load_exam(
    plan: SampleExam, people_of: Callable[[], population.Population], session: AsyncSession, now: datetime
) -> str:
    described = data_files.read_json(f"exams/{plan.code}.json", ExamPlan)
    exam = await enrolment.create_exam(session, described, actor=ACTOR, now=now)
    people = files.population_files(people_of())
    candidates = await enrolment.import_candidates(
        session, exam, _given("candidates.csv", people["candidates.csv"]), actor=ACTOR, now=now
    )
    if "marks.csv" in people:
        marks = _given("marks.csv", people["marks.csv"])
        await enrolment.import_marks(session, exam, marks, actor=ACTOR, now=now)
    site = await identity.load_unit_coded(session, plan.site)
    rules = SeatingRules(site_unit_id=site.id, room_prefix=plan.room_prefix)
    seating = await enrolment.assign_rooms(session, exam, rules, actor=ACTOR, now=now)
    made = f"{candidates.created} candidates in {seating.rooms} rooms"
    if plan.programmes is None:
        return made
    programmes = _given("programmes.csv", data_files.read_bytes(plan.programmes))
    offered = await admission.import_programmes(session, exam, programmes, actor=ACTOR, now=now)
    wishes = await admission.import_aspirations(
        session, exam, _given("aspirations.csv", people["aspirations.csv"]), actor=ACTOR, now=now
    )
    return f"{made}, {offered.created} programmes, wishes of {wishes.created} applicants"


async def _load_sitting(engine: Engine, plan: SampleSitting, session: AsyncSession, now: datetime) -> str:
    exam = await enrolment.require_exam(session, plan.exam)
    subject = await enrolment.require_subject(session, exam.id, plan.subject)
    form = await assembly.load_form_coded(session, plan.form)
    days = timedelta(days=plan.days)
    planned = delivery.SittingPlan(
        exam_subject_id=subject.id,
        form_id=form.id,
        code=plan.code,
        name=plan.name,
        starts_at=now,
        ends_at=now + days,
        duration_seconds=subject.minutes * 60,
        late_limit_seconds=int(days.total_seconds()) - subject.minutes * 60,
        seed=plan.seed,
    )
    sitting = await delivery.plan_sitting(session, planned, actor=ACTOR, now=now)
    if not plan.is_open:
        return "planned: the board opens it"
    register = Register(ScriptRunner(engine.redis, await require_durable(engine.redis)))
    try:
        desk = delivery.Desk(session=session, register=register, actor=ACTOR, now=now)
        await delivery.open_sitting(desk, sitting.id)
    finally:
        await register.close()
    return f"open for {plan.days} days"


async def _person(session: AsyncSession, user_name: str, today: date) -> Person:
    return await identity.load_person_named(session, user_name, on=today)


def _table(name: str) -> Table:
    return _given(name, data_files.read_bytes(name))


def _given(name: str, content: bytes) -> Table:
    return read_table(content, name)
