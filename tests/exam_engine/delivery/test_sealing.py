"""Sealed papers: who may fetch them, what opens them, starts without a network and files handed over by hand."""

import gzip
import hashlib
from datetime import timedelta
from typing import Any
from uuid import uuid4

import msgspec
import pytest
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from exam_engine.assembly.model import CompiledForm, FormId
from exam_engine.delivery import hand_over, prefetching, service
from exam_engine.delivery.draining import waiting
from exam_engine.delivery.errors import (
    CodeNotReleased,
    HandOverInvalid,
    LateStart,
    SealedPaperUnknown,
    SittingNotStarted,
    SittingPlanInvalid,
    StartProofInvalid,
)
from exam_engine.delivery.hand_over import HandOverFile
from exam_engine.delivery.hot_path import Delivery
from exam_engine.delivery.model import AttemptState, SittingId
from exam_engine.delivery.offline_starts import StartClaim, start_proof
from exam_engine.delivery.sealing import (
    KEY_LABEL,
    PAPER_LABEL,
    START_LABEL,
    Figure,
    SittingSeals,
    seal_paper,
)
from exam_engine.delivery.service import Desk
from exam_engine.delivery.service.release import release_code
from exam_engine.delivery.wire import SaveBody, SaveResponse
from exam_engine.delivery.write_behind import Writer
from exam_engine.infra import sealing
from exam_engine.infra.clock import from_milliseconds, to_milliseconds
from exam_engine.infra.database import transaction
from tests.exam_engine.delivery.conftest import SECRET, HallMaker
from tests.exam_engine.delivery.halls import ACTOR, START, Hall, SetClock
from tests.exam_engine.delivery.sticks import held_values, stick_file, take_in

KEY = bytes(range(32))
MINUTE = 60_000
NOW = to_milliseconds(START)


def _desk(session: AsyncSession, delivery: Delivery, clock: SetClock) -> Desk:
    return Desk(session=session, register=delivery.register, actor=ACTOR, now=clock())


# The primitives


def test_what_is_sealed_twice_is_the_same_and_opens_only_under_its_key_and_label() -> None:
    sealed = sealing.seal(KEY, b"label", b"content")
    assert sealed == sealing.seal(KEY, b"label", b"content")
    assert sealing.unseal(KEY, b"label", sealed) == b"content"
    for key, label, content in (
        (bytes(32), b"label", sealed),
        (KEY, b"other", sealed),
        (KEY, b"label", sealed[:-1] + bytes([sealed[-1] ^ 1])),
        (KEY, b"label", b"short"),
    ):
        with pytest.raises(sealing.SealBroken):
            sealing.unseal(key, label, content)


def test_two_contents_never_share_a_nonce() -> None:
    nonces = {sealing.seal(KEY, b"label", bytes([number]))[:12] for number in range(256)}
    assert len(nonces) == 256


def test_a_box_opens_for_its_owner_alone() -> None:
    owner, stranger = sealing.box_private_key(KEY), sealing.box_private_key(bytes(32))
    box = sealing.seal_box(sealing.box_public_key(owner), b"label", b"answers")
    assert b"answers" not in box
    assert sealing.open_box(owner, b"label", box) == b"answers"
    for private, label, content in (
        (stranger, b"label", box),
        (owner, b"other", box),
        (owner, b"label", box[:-1] + bytes([box[-1] ^ 1])),
        (owner, b"label", b"\x04" + bytes(100)),
        (owner, b"label", b""),
    ):
        with pytest.raises(sealing.SealBroken):
            sealing.open_box(private, label, content)


# What seats fetch


async def test_a_waiting_candidate_fetches_a_paper_that_only_the_start_makes_readable(
    opened: HallMaker, delivery: Delivery, clock: SetClock
) -> None:
    hall = await opened()
    clock.forward(minutes=-10)
    listed = (await delivery.attempts_of(hall.candidate())).attempts[0]
    sealed = await prefetching.sealed_paper(delivery, hall.candidate(), listed.sealed_hash)
    assert hashlib.sha256(sealed).hexdigest() == listed.sealed_hash
    assert len(sealed) == listed.sealed_bytes
    assert b"stem" not in sealed
    clock.now = START
    envelope = await delivery.start(hall.candidate(), hall.attempt(), "device.tab")
    content = sealing.unseal(envelope.paper_key, PAPER_LABEL, sealed)
    head = int.from_bytes(content[:4], "big")
    index = msgspec.json.decode(content[4 : 4 + head])
    body = gzip.decompress(content[4 + head : 4 + head + index["form_bytes"]])
    assert hashlib.sha256(body).hexdigest() == envelope.form_hash
    started = (await delivery.attempts_of(hall.candidate())).attempts[0]
    assert started.sealed_hash == ""


async def test_nobody_fetches_the_sealed_paper_of_a_sitting_they_do_not_sit(
    opened: HallMaker, delivery: Delivery, clock: SetClock
) -> None:
    mine, other = await opened(), await opened()
    listed = (await delivery.attempts_of(other.candidate())).attempts[0]
    with pytest.raises(SealedPaperUnknown):
        await prefetching.sealed_paper(delivery, mine.candidate(), listed.sealed_hash)


def test_figures_travel_with_the_paper_as_far_as_they_fit() -> None:
    seals = SittingSeals(SECRET, SittingId(uuid4()), "f" * 64)
    compiled = CompiledForm(FormId(uuid4()), "f" * 64, b"{}", b"", gzip.compress(b"{}"))
    small, huge = Figure("/media/a.svg", "image/svg+xml", b"<svg/>"), Figure("/media/b.png", "image/png", bytes(2**25))
    paper = seal_paper(seals, compiled, [huge, small])
    content = sealing.unseal(seals.paper_key, PAPER_LABEL, paper.content)
    head = int.from_bytes(content[:4], "big")
    index = msgspec.json.decode(content[4 : 4 + head])
    assert [part["path"] for part in index["media"]] == ["/media/a.svg"]
    assert content.endswith(b"<svg/>")


async def test_the_release_code_of_the_room_opens_a_start_without_a_network(
    opened: HallMaker, delivery: Delivery, clock: SetClock, sessions: async_sessionmaker[AsyncSession]
) -> None:
    hall = await opened()
    clock.forward(minutes=-10)
    fetched = await prefetching.sealed_start(delivery, hall.candidate(), hall.attempt())
    roll = await delivery.roll(hall.sitting.id)
    room = roll.seats[hall.attempt()].room_code or ""
    async with transaction(sessions) as session:
        with pytest.raises(CodeNotReleased):
            await release_code(_desk(session, delivery, clock), hall.sitting.id, room, SECRET)
    clock.now = START
    async with transaction(sessions) as session:
        desk = _desk(session, delivery, clock)
        told = await release_code(desk, hall.sitting.id, room, SECRET)
        with pytest.raises(SittingPlanInvalid):
            await release_code(desk, hall.sitting.id, "no such room", SECRET)
    stretched = hashlib.pbkdf2_hmac("sha256", told.code.replace("-", "").encode(), fetched.salt, fetched.rounds, 32)
    key = sealing.unseal(stretched, KEY_LABEL, fetched.wrapped_key)
    start = msgspec.json.decode(sealing.unseal(key, START_LABEL, fetched.start), type=prefetching.StartContent)
    assert start.seat_key == roll.seals.seat_key(hall.attempt())
    assert start.ordering == roll.paper.codes[roll.seats[hall.attempt()].paper_code_id].ordering


async def test_each_room_has_a_code_of_its_own_and_each_seat_a_key(opened: HallMaker, delivery: Delivery) -> None:
    hall = await opened()
    roll = await delivery.roll(hall.sitting.id)
    assert roll.seals.release_code("P01") != roll.seals.release_code("P02")
    attempts = [seat.attempt_id for seat in hall.seats]
    assert len({roll.seals.seat_key(attempt) for attempt in attempts}) == len(attempts)


# Starts told afterwards


async def _claim(delivery: Delivery, hall: Hall, at_ms: int) -> StartClaim:
    roll = await delivery.roll(hall.sitting.id)
    return StartClaim(at_ms, start_proof(roll.seals, hall.attempt(), at_ms))


async def test_a_start_without_a_network_counts_from_its_moment(
    opened: HallMaker, delivery: Delivery, clock: SetClock
) -> None:
    hall = await opened()
    clock.now = START + timedelta(minutes=30)
    claimed = NOW + 2 * MINUTE
    envelope = await delivery.start(hall.candidate(), hall.attempt(), "d.t", await _claim(delivery, hall, claimed))
    assert envelope.started_at_ms == claimed
    assert envelope.deadline_ms <= claimed + 1000 * hall.sitting.duration_seconds
    again = await delivery.start(hall.candidate(), hall.attempt(), "d.t", await _claim(delivery, hall, claimed))
    assert (again.started_at_ms, again.lease) == (claimed, envelope.lease)


async def test_a_claimed_start_is_never_before_the_sitting_nor_in_the_future(
    opened: HallMaker, delivery: Delivery, clock: SetClock
) -> None:
    hall = await opened()
    clock.forward(minutes=-1)
    with pytest.raises(SittingNotStarted):
        await delivery.start(hall.candidate(), hall.attempt(), "d.t", await _claim(delivery, hall, NOW + MINUTE))
    clock.now = START + timedelta(minutes=3)
    early = await delivery.start(
        hall.candidate(), hall.attempt(), "d.t", await _claim(delivery, hall, NOW - 60 * MINUTE)
    )
    assert early.started_at_ms == NOW


async def test_a_claimed_start_after_the_latest_moment_is_too_late(
    opened: HallMaker, delivery: Delivery, clock: SetClock
) -> None:
    hall = await opened()
    late_ms = NOW + 1000 * hall.sitting.late_limit_seconds + 1
    clock.now = START + timedelta(minutes=40)
    with pytest.raises(LateStart):
        await delivery.start(hall.candidate(), hall.attempt(), "d.t", await _claim(delivery, hall, late_ms))


async def test_a_claim_without_the_seats_key_is_refused(opened: HallMaker, delivery: Delivery, clock: SetClock) -> None:
    hall = await opened()
    clock.now = START + timedelta(minutes=3)
    roll = await delivery.roll(hall.sitting.id)
    others = StartClaim(NOW, start_proof(roll.seals, hall.attempt(1), NOW))
    for claim in (others, StartClaim(NOW, ""), StartClaim(NOW + 1, others.proof)):
        with pytest.raises(StartProofInvalid):
            await delivery.start(hall.candidate(), hall.attempt(), "d.t", claim)
    assert (await _state(delivery, hall)) is AttemptState.READY


# Hand-over files


async def test_a_hand_over_file_brings_what_the_server_lacks_and_no_more(
    opened: HallMaker, delivery: Delivery, clock: SetClock, sessions: async_sessionmaker[AsyncSession]
) -> None:
    hall = await opened()
    clock.now = START
    await delivery.start(hall.candidate(), hall.attempt(), "d.t")
    newer = SaveBody(1, [SaveResponse(2, 100_001, "D", NOW)])
    await delivery.save(hall.candidate(), hall.attempt(), newer)
    content = await stick_file(delivery, hall)
    restored = await take_in(delivery, sessions, hall, clock, content)
    assert (restored.taken, restored.known, restored.late) == (1, 1, 0)
    assert await held_values(delivery, hall) == {1: "B", 2: "D"}
    again = await take_in(delivery, sessions, hall, clock, content)
    assert (again.taken, again.known) == (0, 2)


async def test_a_seat_that_never_had_a_network_is_started_by_its_file(
    opened: HallMaker, delivery: Delivery, clock: SetClock, sessions: async_sessionmaker[AsyncSession]
) -> None:
    hall = await opened()
    clock.now = START + timedelta(minutes=20)
    content = await stick_file(delivery, hall, started_ms=NOW + MINUTE)
    restored = await take_in(delivery, sessions, hall, clock, content)
    assert (restored.has_started, restored.taken) == (True, 2)
    envelope = await delivery.start(hall.candidate(), hall.attempt(), "d.t")
    assert envelope.started_at_ms == NOW + MINUTE


async def test_a_file_that_comes_after_the_end_changes_no_answer_and_is_kept_as_evidence(
    opened: HallMaker,
    delivery: Delivery,
    clock: SetClock,
    sessions: async_sessionmaker[AsyncSession],
    writer: Writer,
    pool: Any,
) -> None:
    hall = await opened()
    clock.now = START
    envelope = await delivery.start(hall.candidate(), hall.attempt(), "d.t")
    clock.now = from_milliseconds(envelope.deadline_ms + 1000 * hall.sitting.grace_seconds + 1)
    restored = await take_in(delivery, sessions, hall, clock, await stick_file(delivery, hall))
    assert (restored.taken, restored.late) == (0, 2)
    assert await held_values(delivery, hall) == {}
    while await waiting(delivery.register.redis, hall.sitting):
        await writer.turn(block_ms=1)
    rows = await pool.fetch("select * from late_response where attempt_id = $1 order by slot", hall.attempt())
    assert [(row["slot"], row["value"], row["refusal"]) for row in rows] == [
        (1, '"B"', "time-over"),
        (2, '"C"', "time-over"),
    ]


async def test_a_file_that_comes_when_redis_has_let_the_closed_sitting_go_is_kept_as_evidence_once(
    opened: HallMaker,
    delivery: Delivery,
    clock: SetClock,
    sessions: async_sessionmaker[AsyncSession],
    writer: Writer,
    pool: Any,
) -> None:
    hall = await opened()
    clock.now = START
    await delivery.start(hall.candidate(), hall.attempt(), "d.t")
    await delivery.save(hall.candidate(), hall.attempt(), SaveBody(1, [SaveResponse(2, 6, "C", NOW)]))
    clock.forward(hours=3)
    async with transaction(sessions) as session:
        await service.close_sitting(_desk(session, delivery, clock), hall.sitting.id)
    while await waiting(delivery.register.redis, hall.sitting):
        await writer.turn(block_ms=1)
    await delivery.rolls.refresh(clock())
    content = await stick_file(delivery, hall)
    await delivery.register.redis.flushdb()
    for _ in range(2):
        restored = await take_in(delivery, sessions, hall, clock, content)
        assert (restored.taken, restored.known, restored.late) == (0, 1, 1)
    rows = await pool.fetch("select * from late_response where attempt_id = $1", hall.attempt())
    assert [(row["slot"], row["value"], row["refusal"]) for row in rows] == [(1, '"B"', "attempt-closed")]


async def test_a_file_is_taken_in_by_a_redis_that_began_empty(
    opened: HallMaker, delivery: Delivery, clock: SetClock, sessions: async_sessionmaker[AsyncSession]
) -> None:
    hall = await opened()
    clock.now = START
    content = await stick_file(delivery, hall, started_ms=NOW)
    await delivery.register.redis.flushdb()
    restored = await take_in(delivery, sessions, hall, clock, content)
    assert (restored.has_started, restored.taken) == (True, 2)


async def test_a_file_that_was_edited_or_forged_is_refused_and_changes_nothing(
    opened: HallMaker, delivery: Delivery, clock: SetClock, sessions: async_sessionmaker[AsyncSession]
) -> None:
    hall, other = await opened(), await opened()
    clock.now = START
    await delivery.start(hall.candidate(), hall.attempt(), "d.t")
    good = await stick_file(delivery, hall)
    file = msgspec.json.decode(good, type=HandOverFile)
    box = bytearray(file.box)
    box[80] ^= 1
    for bad in (
        b"",
        b"{}",
        b"\xff\xfe",
        good[:-5],
        msgspec.json.encode(msgspec.structs.replace(file, box=bytes(box))),
        msgspec.json.encode(msgspec.structs.replace(file, attempt_id=hall.attempt(1))),
        await stick_file(delivery, hall, seat=1),
        await stick_file(delivery, other),
    ):
        with pytest.raises(HandOverInvalid):
            await take_in(delivery, sessions, hall, clock, bad)
    assert await held_values(delivery, hall) == {}


async def test_a_dry_run_of_a_file_only_counts(
    opened: HallMaker, delivery: Delivery, clock: SetClock, sessions: async_sessionmaker[AsyncSession]
) -> None:
    hall = await opened()
    clock.now = START
    await delivery.start(hall.candidate(), hall.attempt(), "d.t")
    content = await stick_file(delivery, hall)
    async with transaction(sessions) as session:
        desk = _desk(session, delivery, clock)
        file = hand_over.read_file(content)
        counted = await hand_over.restore_file(delivery, desk, hall.sitting.id, file, dry_run=True)
    assert counted.taken == 2
    assert await held_values(delivery, hall) == {}


async def _state(delivery: Delivery, hall: Hall) -> AttemptState:
    sat = await delivery.rolls.require(hall.candidate().candidate_id, hall.attempt())
    return (await delivery.look(sat)).facts.state
