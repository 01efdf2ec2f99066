"""Signing in: one answer for every failure, waiting after several, hashes renewed, old sessions ended."""

import statistics
from datetime import UTC, datetime, timedelta
from time import perf_counter
from uuid import uuid4

import msgspec
import pytest
from argon2 import PasswordHasher
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from exam_engine.audit import AuditQuery
from exam_engine.audit import service as audit
from exam_engine.identity import model, passwords, service
from exam_engine.identity.errors import PasswordWeak, PersonExists, SignInLocked, SignInRefused, UserNameInvalid
from exam_engine.identity.model import Failures
from exam_engine.identity.permissions import Role
from exam_engine.identity.tables import PersonRow, SignInFailureRow
from exam_engine.infra.database import transaction
from tests.exam_engine.identity.people import NOW, TODAY, person, saved, unit

PASSWORD = "a sound of rain"


async def test_the_right_password_gives_the_person_with_the_grants_of_the_day(session: AsyncSession) -> None:
    province = unit()
    await saved(session, province)
    made = await person(session, (Role.BOARD, province), password=PASSWORD)
    outcome = await service.sign_in(session, f"  {made.user_name.upper()} ", PASSWORD, NOW, on=TODAY)
    signed_in = outcome.require_person()
    assert signed_in.id == made.id
    assert [(grant.role, grant.unit_code) for grant in signed_in.grants] == [(Role.BOARD, province.code)]


@pytest.mark.parametrize("case", ["wrong password", "unknown name", "no password set", "shut out", "no name at all"])
async def test_every_failure_gets_the_same_answer(session: AsyncSession, case: str) -> None:
    made = await person(session, password=None if case == "no password set" else PASSWORD)
    if case == "shut out":
        await service.set_active(session, made, is_active=False, actor="system:test", now=NOW)
    name = {"unknown name": f"nobody-{uuid4().hex}", "no name at all": "\x00; drop"}.get(case, made.user_name)
    outcome = await service.sign_in(session, name, "wrong" if case == "wrong password" else PASSWORD, NOW, on=TODAY)
    with pytest.raises(SignInRefused) as refused:
        outcome.require_person()
    assert not vars(refused.value)


async def test_an_unknown_name_takes_as_long_as_a_known_one() -> None:
    stored = await passwords.hash_password(PASSWORD)

    async def seconds(stored_hash: str | None, password: str) -> float:
        times = []
        for _ in range(9):
            start = perf_counter()
            assert not (await passwords.check_password(password, stored_hash)).is_right
            times.append(perf_counter() - start)
        return statistics.median(times)

    known, unknown = await seconds(stored, "wrong"), await seconds(None, "wrong")
    # Both hash once: tens of milliseconds. A shortcut would take microseconds.
    assert 0.2 < unknown / known < 5
    assert 0.2 < await seconds(stored, "x" * 5000) / known < 5


async def test_the_password_of_nobody_opens_nothing() -> None:
    assert not (await passwords.check_password("nobody", None)).is_right


async def test_a_password_is_the_same_however_the_keyboard_composes_its_letters() -> None:
    stored = await passwords.hash_password("m\u1ead t\u1ed1i \u0111\u1ed9ng")
    assert (await passwords.check_password("ma\u0323\u0302 t\u00f4\u0301i \u0111\u00f4\u0323ng", stored)).is_right


async def test_failures_in_a_row_lock_a_name_known_or_not_for_longer_each_time(session: AsyncSession) -> None:
    made = await person(session, password=PASSWORD)
    for name in (made.user_name, f"nobody-{uuid4().hex}"):
        for _ in range(model.FREE_FAILURES + 1):
            with pytest.raises(SignInRefused):
                (await service.sign_in(session, name, "wrong", NOW, on=TODAY)).require_person()
        with pytest.raises(SignInLocked) as locked:
            (await service.sign_in(session, name, PASSWORD, NOW, on=TODAY)).require_person()
        assert locked.value.retry_after_seconds == 30
    after = NOW + timedelta(seconds=30)
    assert (await service.sign_in(session, made.user_name, PASSWORD, after, on=TODAY)).require_person().id == made.id
    with pytest.raises(SignInRefused):
        (await service.sign_in(session, made.user_name, "wrong", after, on=TODAY)).require_person()


def test_each_failure_doubles_the_wait_up_to_a_quarter_of_an_hour_and_a_quiet_day_forgets_them() -> None:
    failures, waits, now = Failures(), [], NOW
    for _ in range(12):
        failures = model.count_failure(failures, now)
        refusal = model.locked_for(failures, now)
        waits.append(0 if refusal is None else refusal.retry_after_seconds)
        now += timedelta(hours=1)
    assert waits == [0, 0, 0, 0, 30, 60, 120, 240, 480, 900, 900, 900]
    assert model.count_failure(failures, now + timedelta(days=1)).count == 1


async def test_failures_are_counted_when_the_edge_commits_as_it_should(
    sessions: async_sessionmaker[AsyncSession],
) -> None:
    name = f"nobody-{uuid4().hex}"
    async with transaction(sessions) as session:
        outcome = await service.sign_in(session, name, "wrong", NOW, on=TODAY)
    with pytest.raises(SignInRefused):
        outcome.require_person()
    async with transaction(sessions) as session:
        row = await session.get(SignInFailureRow, model.hash_of_name(name))
        assert row is not None
        assert row.failures == 1


async def test_old_failures_of_others_are_swept_away(session: AsyncSession) -> None:
    old = f"nobody-{uuid4().hex}"
    await service.sign_in(session, old, "wrong", datetime(2020, 1, 1, tzinfo=UTC), on=TODAY)
    await service.sign_in(session, f"nobody-{uuid4().hex}", "wrong", NOW, on=TODAY)
    kept = await session.scalars(select(SignInFailureRow.name_hash))
    assert model.hash_of_name(old) not in set(kept)


async def test_a_lock_is_on_the_record_without_the_typed_name(session: AsyncSession) -> None:
    typed_by_mistake = f"my-secret-{uuid4().hex}"
    for _ in range(model.FREE_FAILURES + 1):
        await service.sign_in(session, typed_by_mistake, "wrong", NOW, on=TODAY)
    (entry,) = await audit.load_entries(session, AuditQuery(action="person.lock", limit=1))
    assert entry.subject == f"user_name_hash:{model.hash_of_name(typed_by_mistake).hex()[:16]}"
    whole = (await session.execute(text("select string_agg(e::text, ' ') from audit_entry e"))).scalar_one()
    assert typed_by_mistake not in whole


async def test_a_hash_of_older_parameters_is_renewed_at_the_next_sign_in(session: AsyncSession) -> None:
    made = await person(session, password=PASSWORD)
    row = await session.get_one(PersonRow, made.id)
    row.password_hash = PasswordHasher(time_cost=1, memory_cost=8192, parallelism=1).hash(PASSWORD)
    await session.flush()
    (await service.sign_in(session, made.user_name, PASSWORD, NOW, on=TODAY)).require_person()
    await session.refresh(row)
    assert row.password_hash.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    (await service.sign_in(session, made.user_name, PASSWORD, NOW, on=TODAY)).require_person()


async def test_a_changed_password_ends_older_sessions_and_needs_the_current_one(session: AsyncSession) -> None:
    made = await person(session, password=PASSWORD)
    with pytest.raises(SignInRefused):
        await service.change_password(session, made, "wrong", "a new sound of rain", now=NOW)
    await service.change_password(session, made, PASSWORD, "a new sound of rain", now=NOW)
    loaded = await service.load_person(session, made.id, on=TODAY)
    assert loaded.credential_version == made.credential_version + 1
    with pytest.raises(SignInRefused):
        (await service.sign_in(session, made.user_name, PASSWORD, NOW, on=TODAY)).require_person()
    (await service.sign_in(session, made.user_name, "a new sound of rain", NOW, on=TODAY)).require_person()


@pytest.mark.parametrize(
    "password",
    [
        pytest.param("short", id="too short"),
        pytest.param("x" * 257, id="too long"),
        pytest.param("aaaaaaaaaa", id="one letter"),
        pytest.param("Matkhau123", id="a common one"),
        pytest.param("nguyen.van.an", id="the user name"),
    ],
)
def test_a_password_that_is_easily_guessed_is_refused(password: str) -> None:
    with pytest.raises(PasswordWeak):
        model.require_strong(password, "nguyen.van.an")


async def test_a_user_name_stands_once_and_has_plain_letters(session: AsyncSession) -> None:
    made = await person(session)
    with pytest.raises(PersonExists):
        await service.create_person(session, made.user_name.upper(), "Other", actor="system:test", now=NOW)
    for wrong in ("", "a", "nguyễn", "a b", "-a", "a" * 65):
        with pytest.raises(UserNameInvalid):
            await service.create_person(session, wrong, "Other", actor="system:test", now=NOW)


async def test_no_password_or_hash_is_part_of_a_person(session: AsyncSession) -> None:
    made = await person(session, password=PASSWORD)
    loaded = await service.load_person_named(session, made.user_name, on=TODAY)
    assert "hash" not in " ".join(loaded.__struct_fields__)
    assert PASSWORD.encode() not in msgspec.json.encode(loaded)
