"""The sample province goes through the product's own imports; a second load changes nothing."""

from collections.abc import AsyncIterator
from uuid import uuid4

import msgspec
import pytest_asyncio
from sqlalchemy import make_url, text
from sqlalchemy.ext.asyncio import AsyncEngine

from exam_engine.admission import service as admission
from exam_engine.assembly import service as assembly
from exam_engine.audit import service as audit
from exam_engine.authoring import service as authoring
from exam_engine.delivery import service as delivery
from exam_engine.delivery.model import SittingState
from exam_engine.enrolment import service as enrolment
from exam_engine.enrolment.candidate_lists import CandidateQuery
from exam_engine.enrolment.codes import look_up_code_matches, sit_code_matches
from exam_engine.identity import service as identity
from exam_engine.identity.permissions import Role
from exam_engine.infra.database import transaction
from exam_engine.infra.migrations.runner import upgrade
from exam_engine.infra.settings import Secret, Settings
from exam_engine.sample.loader import Step, load_sample
from exam_engine.sample.plan import load_plan
from exam_engine.sample.sign_ins import candidate_sign_ins, staff_sign_ins
from exam_engine.wiring import Engine, open_engine


class Loaded(msgspec.Struct, frozen=True):
    engine: Engine
    first: tuple[Step, ...]


@pytest_asyncio.fixture(scope="module")
async def loaded(settings: Settings, engine: AsyncEngine) -> AsyncIterator[Loaded]:
    """The sample in a database of its own, so that its codes meet no other test's."""
    name = f"sample_{uuid4().hex[:12]}"
    async with engine.connect() as connection:
        plain = await connection.execution_options(isolation_level="AUTOCOMMIT")
        await plain.execute(text(f"create database {name}"))
    assert settings.database_url is not None
    address = make_url(settings.database_url.reveal()).set(database=name).render_as_string(hide_password=False)
    own = msgspec.structs.replace(settings, database_url=Secret(address))
    await upgrade(own)
    async with open_engine(own) as opened:
        yield Loaded(opened, tuple(await load_sample(opened)))


async def test_every_part_is_loaded_the_first_time_and_none_the_second(loaded: Loaded) -> None:
    assert all(step.is_new for step in loaded.first)
    again = await load_sample(loaded.engine)
    assert [step.name for step in again] == [step.name for step in loaded.first]
    assert not any(step.is_new for step in again)


async def test_a_dry_run_names_what_is_missing_and_makes_nothing(loaded: Loaded) -> None:
    assert not any(step.is_new for step in await load_sample(loaded.engine, is_dry_run=True))


async def test_somebody_of_the_sample_holds_each_role_and_can_sign_in(loaded: Loaded) -> None:
    engine = loaded.engine
    now = engine.clock()
    assert {one.role for one in staff_sign_ins()} == {role.value for role in Role}
    async with transaction(engine.sessions) as session:
        for one in staff_sign_ins()[:3]:
            signed_in = await identity.sign_in(session, one.user_name, one.password, now, on=now.date())
            assert signed_in.person is not None
            assert Role(one.role) in signed_in.person.roles


async def test_every_item_is_active(loaded: Loaded) -> None:
    async with transaction(loaded.engine.sessions) as session:
        for plan, count in zip(load_plan().banks, (87, 90, 8), strict=True):
            bank = await authoring.bank_by_code(session, plan.code)
            assert len(await authoring.active_versions(session, bank.id)) == count


async def test_forms_are_sealed_and_their_seals_hold(loaded: Loaded) -> None:
    async with transaction(loaded.engine.sessions) as session:
        for plan in load_plan().forms:
            form = await assembly.load_form_coded(session, plan.code)
            assert await assembly.seal_holds(session, form.id)
            assert len(await assembly.load_paper_codes(session, form.id)) == plan.paper_codes


async def test_the_exams_hold_their_candidates_seats_and_marks(loaded: Loaded) -> None:
    async with transaction(loaded.engine.sessions) as session:
        for code, count, has_marks in (
            ("thi-thu-tn-2027", 200, True),
            ("vao-10-2027", 100, True),
            ("lam-quen-2027", 24, False),
        ):
            exam = await enrolment.require_exam(session, code)
            page = await enrolment.list_candidates(session, exam.id, CandidateQuery())
            assert page.total == count
            online = next(s for s in await enrolment.load_subjects(session, exam.id) if s.mode == "online")
            seated = await enrolment.load_subject_candidates(session, online.id)
            assert len(seated) == count
            assert all(one.room_code and one.seat_number for one in seated)
            assert bool(await enrolment.load_marks(session, exam.id)) == has_marks


async def test_the_practice_and_the_mock_sitting_are_open_and_the_intake_is_planned(loaded: Loaded) -> None:
    async with transaction(loaded.engine.sessions) as session:
        states = {plan.code: (await delivery.load_sitting(session, plan.code)).sitting for plan in load_plan().sittings}
    assert states["lam-quen-2027"].state is SittingState.OPEN
    assert states["thi-thu-tn-2027-toan"].state is SittingState.OPEN
    assert states["vao-10-2027-anh"].state is SittingState.PLANNED


async def test_programmes_have_fewer_places_than_there_are_applicants(loaded: Loaded) -> None:
    async with transaction(loaded.engine.sessions) as session:
        exam = await enrolment.require_exam(session, "vao-10-2027")
        offered = await admission.load_programmes(session, exam.id)
    assert len(offered) == 4
    assert 70 <= sum(programme.quota for programme in offered) <= 80


async def test_the_codes_shown_are_those_on_the_cards(loaded: Loaded) -> None:
    secret = loaded.engine.master_secret
    shown = await candidate_sign_ins(loaded.engine, each=2)
    assert len(shown) == 6
    for one in shown:
        assert sit_code_matches(secret, one.exam, one.candidate_number, 1, one.sit_code)
        assert look_up_code_matches(secret, one.exam, one.candidate_number, 1, one.look_up_code)
        assert one.sit_code != one.look_up_code


async def test_everything_stands_in_an_unbroken_audit_log(loaded: Loaded) -> None:
    async with transaction(loaded.engine.sessions) as session:
        verified = await audit.verify(session)
    assert verified.is_intact
