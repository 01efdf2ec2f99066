"""A day looked at before it happens: every contradiction is named, and its clock runs through in seconds."""

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import msgspec
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker
from typer.testing import CliRunner, Result

from exam_engine.assembly.model import FormId
from exam_engine.cli.sitting import app
from exam_engine.delivery.freezing import Thaw, engine_version
from exam_engine.delivery.model import AttemptSeat, Sitting, SittingId, SittingSettings, SittingState
from exam_engine.delivery.register import Register
from exam_engine.delivery.signs import ProcessSign, Role
from exam_engine.infra.clock import system_clock
from exam_engine.infra.database import transaction
from exam_engine.infra.migrations.standing import newest_revision
from exam_engine.infra.settings import Settings, environment_of
from exam_engine.overviews.exam_day.findings import Severity
from exam_engine.overviews.exam_day.machines import MachineFacts, lint_machines
from exam_engine.overviews.exam_day.plan import PlannedPaper, PlannedRoom, PlannedSitting, lint_plan
from exam_engine.overviews.exam_day.simulation import Habits, Pause, simulate_day
from tests.exam_engine.delivery.conftest import HallMaker
from tests.exam_engine.delivery.halls import START, Hall, open_hall

ROOMS = {uuid: f"P{position:02d}" for position, uuid in enumerate((UUID(int=1), UUID(int=2)), 1)}
BEFORE = START - timedelta(days=1)
MINUTE = timedelta(minutes=1)


def _sitting(**changes: Any) -> Sitting:
    planned = {
        "id": SittingId(uuid4()),
        "exam_subject_id": uuid4(),
        "form_id": FormId(uuid4()),
        "form_hash": "",
        "code": "CA-1",
        "name": "Ca 1",
        "opens_at": START - 30 * MINUTE,
        "starts_at": START,
        "ends_at": START + 75 * MINUTE,
        "duration_seconds": 3600,
        "late_limit_seconds": 900,
        "grace_seconds": 10,
        "state": SittingState.PLANNED,
        "shards": 1,
        "seed": 1,
    }
    return Sitting(**(planned | changes))


def _room(room_id: UUID, code: str, **changes: Any) -> PlannedRoom:
    facts = {"id": room_id, "code": code, "capacity": 24, "site": "site", "invigilators": frozenset({"an", "binh"})}
    return PlannedRoom(**(facts | changes))


SEATS = [
    AttemptSeat(
        candidate_id=UUID(int=100 + position),
        room_id=UUID(int=1 + position % 2),
        seat_number=position // 2 + 1,
        room_code=ROOMS[UUID(int=1 + position % 2)],
    )
    for position in range(40)
]
PAPER = PlannedPaper(
    code="F1", subject_code="TOAN", minutes=60, paper_codes=4, is_sealed=True, seal_holds=True, hash="ab"
)


def _planned(sitting: Sitting | None = None, **changes: Any) -> PlannedSitting:
    facts = {
        "sitting": sitting or _sitting(),
        "exam_code": "thi",
        "subject_code": "TOAN",
        "subject_minutes": 60,
        "codes_valid_until": None,
        "paper": PAPER,
        "rooms": {room_id: _room(room_id, code) for room_id, code in ROOMS.items()},
        "seats": SEATS,
    }
    return PlannedSitting(**(facts | changes))


def _paper(**changes: Any) -> PlannedPaper:
    return msgspec.structs.replace(PAPER, **changes)


def _codes(day: list[PlannedSitting], now: datetime = BEFORE) -> dict[str, str]:
    return {finding.code: finding.severity.value for finding in lint_plan(day, now)}


def test_a_sound_plan_has_no_findings() -> None:
    assert lint_plan([_planned()], BEFORE) == []


PLANS = [
    pytest.param(_planned(_sitting(ends_at=START - MINUTE)), "end-before-start", "blocker", id="end before start"),
    pytest.param(_planned(_sitting(opens_at=START + MINUTE)), "opens-after-start", "blocker", id="opens late"),
    pytest.param(_planned(_sitting(ends_at=START + 50 * MINUTE)), "ends-too-early", "blocker", id="too short"),
    pytest.param(_planned(_sitting(ends_at=START + 60 * MINUTE)), "late-start-loses-time", "note", id="late loses"),
    pytest.param(_planned(_sitting(late_limit_seconds=3000)), "long-late-limit", "note", id="long late limit"),
    pytest.param(_planned(codes_valid_until=START), "codes-expire", "blocker", id="codes expire"),
    pytest.param(_planned(paper=_paper(subject_code="VAN")), "wrong-paper", "blocker", id="paper of another subject"),
    pytest.param(_planned(strangers=2), "paper-of-another-form", "blocker", id="paper codes of another form"),
    pytest.param(_planned(paper=_paper(is_sealed=False)), "form-not-sealed", "blocker", id="form not sealed"),
    pytest.param(_planned(paper=_paper(seal_holds=False)), "seal-broken", "blocker", id="seal broken"),
    pytest.param(_planned(_sitting(form_hash="cd")), "form-changed", "blocker", id="form changed"),
    pytest.param(_planned(subject_minutes=90), "duration-differs", "warning", id="subject says other minutes"),
    pytest.param(_planned(paper=_paper(minutes=50)), "paper-says-other-minutes", "warning", id="paper says other"),
    pytest.param(_planned(paper=_paper(paper_codes=1)), "one-paper-code", "warning", id="one paper code"),
    pytest.param(_planned(seats=[]), "nobody-seated", "blocker", id="nobody"),
    pytest.param(
        _planned(seats=[*SEATS, AttemptSeat(candidate_id=uuid4(), room_id=None, seat_number=None)]),
        "without-room",
        "blocker",
        id="one without a room",
    ),
    pytest.param(
        _planned(rooms={room_id: _room(room_id, code, capacity=10) for room_id, code in ROOMS.items()}),
        "room-too-full",
        "warning",
        id="room too full",
    ),
    pytest.param(
        _planned(seats=[*SEATS[1:], msgspec.structs.replace(SEATS[0], time_factor=125)]),
        "accommodations",
        "note",
        id="somebody with more time",
    ),
    pytest.param(
        _planned(rooms={room_id: _room(room_id, code, invigilators=frozenset()) for room_id, code in ROOMS.items()}),
        "no-invigilator",
        "blocker",
        id="nobody to invigilate",
    ),
    pytest.param(
        _planned(rooms={room: _room(room, code, invigilators=frozenset({"an"})) for room, code in ROOMS.items()}),
        "few-invigilators",
        "warning",
        id="one person for two rooms",
    ),
    pytest.param(_planned(thaws=[Thaw("grace_seconds", "10", "600")]), "changed-after-opening", "blocker", id="thaw"),
    pytest.param(_planned(thaws=[Thaw("engine", "0.1", "0.2")]), "version-changed", "warning", id="other version"),
]


@pytest.mark.parametrize(("planned", "code", "severity"), PLANS)
def test_every_contradiction_of_a_plan_is_named(planned: PlannedSitting, code: str, severity: str) -> None:
    assert _codes([planned]).get(code) == severity


def test_a_sitting_that_should_run_and_is_not_open_is_named() -> None:
    assert _codes([_planned()], START + MINUTE) == {"not-open": "blocker"}
    assert _codes([_planned()], START - MINUTE) == {"waiting-room-late": "warning"}


def _later(minutes: int, **changes: Any) -> PlannedSitting:
    shift = minutes * MINUTE
    times = {
        "opens_at": START + shift - 30 * MINUTE,
        "starts_at": START + shift,
        "ends_at": START + shift + 75 * MINUTE,
    }
    return _planned(_sitting(code="CA-2", **times), **changes)


def test_candidates_and_rooms_in_two_sittings_at_once_are_named_with_both() -> None:
    found = {finding.code: finding for finding in lint_plan([_planned(), _later(30)], BEFORE)}
    assert found["candidates-overlap"].place == found["rooms-overlap"].place == "CA-1 + CA-2"
    assert str(found["candidates-overlap"].message) == "40 candidates would sit both at the same time"
    assert str(found["rooms-overlap"].message) == "2 rooms are taken by both at the same time: P01, P02"
    assert {"candidates-overlap", "rooms-overlap"}.isdisjoint(_codes([_planned(), _later(75)]))


def test_rooms_of_two_exams_are_one_room_when_site_and_code_are_the_same() -> None:
    others = [msgspec.structs.replace(seat, candidate_id=uuid4(), room_id=UUID(int=9)) for seat in SEATS[:3]]
    same = {UUID(int=9): _room(UUID(int=9), "P01")}
    assert "rooms-overlap" in _codes([_planned(), _later(30, seats=others, rooms=same)])
    elsewhere = {UUID(int=9): _room(UUID(int=9), "P01", site="another")}
    assert "rooms-overlap" not in _codes([_planned(), _later(30, seats=others, rooms=elsewhere)])


def test_extra_time_of_one_candidate_keeps_a_room_taken() -> None:
    slow = [*SEATS[1:], msgspec.structs.replace(SEATS[0], time_factor=150)]
    others = [msgspec.structs.replace(seat, candidate_id=uuid4()) for seat in SEATS]
    found = {one.code: one for one in lint_plan([_planned(seats=slow), _later(80, seats=others)], BEFORE)}
    assert str(found["rooms-overlap"].message) == "1 rooms are taken by both at the same time: P01"


NOW = 1_800_000_000_000


def _sign(role: Role, **changes: Any) -> ProcessSign:
    facts = {"role": role, "host": "h1", "process": 7, "version": "1", "schema": "0011", "at_ms": NOW - 900}
    return ProcessSign(**(facts | changes))


SIGNS = [_sign(role) for role in Role]
WELL = MachineFacts(
    engine="1", schema="0011", stored_schema="0011", signs=SIGNS, writers={"w-1": (500, 20, 3)}, now_ms=NOW
)


def test_sound_machines_have_no_findings() -> None:
    assert lint_machines(WELL) == []


@pytest.mark.parametrize(
    ("change", "code", "severity", "place"),
    [
        pytest.param({"stored_schema": "0010"}, "schema-differs", "blocker", "postgresql", id="schema"),
        pytest.param(
            {"signs": [*SIGNS, _sign(Role.API, host="h2", version="2")]},
            "version-differs",
            "blocker",
            "api@h2:7",
            id="a host with another version",
        ),
        pytest.param({"not_durable": ["no file"]}, "redis-not-durable", "blocker", "redis", id="not durable"),
        pytest.param({"redis_memory_share": 0.9}, "redis-memory", "warning", "redis", id="memory"),
        pytest.param({"redis_ahead_ms": -300}, "clock-skew", "warning", "redis", id="clock of Redis"),
        pytest.param({"postgresql_ahead_ms": 5000}, "clock-skew", "blocker", "postgresql", id="clock of PostgreSQL"),
        pytest.param(
            {"signs": [*SIGNS, _sign(Role.API, host="h2", at_ms=NOW + 3000)]},
            "clock-skew",
            "blocker",
            "api@h2:7",
            id="clock of a host",
        ),
        pytest.param({"disk_free_bytes": 2**30}, "disk-low", "warning", "disk", id="disk low"),
        pytest.param({"disk_free_bytes": 2**20}, "disk-full", "blocker", "disk", id="disk full"),
        pytest.param(
            {"signs": [*SIGNS[:2], _sign(Role.TIMER, at_ms=NOW - 60_000)]},
            "process-missing",
            "blocker",
            "timer",
            id="the timer is silent",
        ),
        pytest.param({"writers": {"w-1": (500, 4000, 90)}}, "write-behind-lags", "warning", "w-1", id="lag"),
        pytest.param({"writers": {"w-1": (500, 90_000, 9)}}, "write-behind-lags", "blocker", "w-1", id="long lag"),
    ],
)
def test_whatever_is_wrong_with_the_machines_is_named(
    change: dict[str, Any], code: str, severity: str, place: str
) -> None:
    (finding,) = lint_machines(msgspec.structs.replace(WELL, **change))
    assert (finding.code, finding.severity.value, finding.place) == (code, severity, place)


def test_the_writer_of_another_day_is_not_asked_for_its_lag() -> None:
    assert lint_machines(msgspec.structs.replace(WELL, writers={"old": (86_400_000, 99_000, 5)})) == []


PUNCTUAL = Habits(absent=0.0, late=0.0)


def test_a_simulated_day_accounts_for_every_seat() -> None:
    day = simulate_day([_planned()], Habits(absent=0.2, late=0.2), seed=3)
    assert day.seats == 40
    assert day.absent + day.submitted + day.closed_by_time + day.refused_late == 40
    assert day.cut_short == 0
    assert simulate_day([_planned()], Habits(absent=0.2, late=0.2), seed=3) == day


def test_the_start_herd_is_as_steep_as_the_server_lets_it_be() -> None:
    many = [msgspec.structs.replace(SEATS[0], candidate_id=UUID(int=i)) for i in range(5000)]
    spread = simulate_day([_planned(seats=many)], PUNCTUAL)
    assert spread.peaks["starts"].per_second < 5000 / 10
    at_once = simulate_day([_planned(seats=many)], msgspec.structs.replace(PUNCTUAL, start_spread_seconds=1.0))
    assert at_once.peaks["starts"].per_second == 5000
    assert at_once.peaks["starts"].at == START
    assert at_once.peaks["seats_open"].per_second == 5000
    assert 5000 / 15 * 0.8 < at_once.peaks["saves"].per_second < 5000 / 15 * 1.4


def test_an_accommodation_moves_the_last_deadline_by_exactly_its_share() -> None:
    slow = [msgspec.structs.replace(seat, time_factor=125) for seat in SEATS[:1]] + SEATS[1:]
    timeline = {
        one.what: one.at
        for one in simulate_day(
            [_planned(seats=slow)], msgspec.structs.replace(PUNCTUAL, start_spread_seconds=0.0)
        ).timeline
    }
    assert timeline["first-deadline"] == START + 60 * MINUTE
    assert timeline["last-deadline"] == START + 75 * MINUTE


def test_a_pause_of_a_room_moves_its_deadlines_by_exactly_its_length() -> None:
    pause = Pause(sitting="CA-1", room="P01", at=START + 20 * MINUTE, seconds=300)
    habits = msgspec.structs.replace(PUNCTUAL, start_spread_seconds=0.0)
    day = simulate_day([_planned()], habits, [pause])
    timeline = {one.what: one.at for one in day.timeline}
    assert timeline["first-deadline"] == START + 60 * MINUTE
    assert timeline["last-deadline"] == START + 65 * MINUTE
    assert (day.cut_short, day.submitted + day.closed_by_time) == (0, 40)


def test_who_would_get_less_time_than_promised_is_counted() -> None:
    day = simulate_day([_planned(_sitting(ends_at=START + 50 * MINUTE))], PUNCTUAL)
    assert day.cut_short == 40


def test_a_postponed_room_starts_later() -> None:
    planned = _planned(_sitting(settings=SittingSettings(room_delays={"P02": 600})))
    day = simulate_day([planned], msgspec.structs.replace(PUNCTUAL, start_spread_seconds=0.0))
    assert {(one.what, one.seats) for one in day.timeline if one.at == START + 10 * MINUTE} == {("room-start", 20)}
    assert day.cut_short == 0


Command = Callable[..., Result]


@pytest.fixture
def command(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Command:
    for name, value in environment_of(settings).items():
        monkeypatch.setenv(name, value)
    return lambda *words: CliRunner().invoke(app, [str(word) for word in words])


async def _in_thread(command: Command, *words: object) -> Result:
    import asyncio

    return await asyncio.to_thread(command, *words)


async def test_the_shell_checks_a_day_on_real_servers(
    command: Command, plan: HallMaker, sessions: async_sessionmaker[AsyncSession], register: Register
) -> None:
    tomorrow = (system_clock() + timedelta(days=400)).replace(hour=1, minute=0, second=0, microsecond=0)
    hall: Hall = await plan(candidates=4, rooms=2, starts_at=tomorrow)
    told = await _in_thread(command, "check", hall.sitting.code, "--json")
    codes = {finding["code"] for finding in json.loads(told.stdout)["findings"]}
    assert told.exit_code == 1, "no worker runs beside this test"
    assert {"process-missing", "seal-broken", "few-invigilators"} <= codes
    shown = await _in_thread(command, "check", "--day", f"{tomorrow:%Y-%m-%d}")
    assert "no living process" in shown.stdout
    assert hall.sitting.code in shown.stdout
    assert (await _in_thread(command, "check")).exit_code == 2
    assert "no sitting" in (await _in_thread(command, "check", "--day", "1999-01-01")).stderr

    hall = await open_hall(sessions, register, hall, tomorrow)
    async with transaction(sessions) as session:
        frozen = (
            await session.execute(text("select frozen from sitting where id = :id"), {"id": hall.sitting.id})
        ).scalar_one()
        assert (frozen["engine"], frozen["schema"]) == (engine_version(), newest_revision())
        changed = text("update sitting set grace_seconds = 600 where id = :id")
        await session.execute(changed, {"id": hall.sitting.id})
        await session.execute(
            text("update paper_code set ordering = '[]' where form_id = :id and code = '1001'"), {"id": hall.form_id}
        )
    told = await _in_thread(command, "check", hall.sitting.code, "--json")
    thawed = [one["text"] for one in json.loads(told.stdout)["findings"] if one["code"] == "changed-after-opening"]
    assert thawed[0] == "grace_seconds was 10 when it opened and is 600"
    assert thawed[1].startswith("paper_code.1001 was ")


async def test_the_shell_simulates_a_day(command: Command, plan: HallMaker) -> None:
    start = (system_clock() + timedelta(days=401)).replace(hour=1, minute=0, second=0, microsecond=0)
    hall = await plan(candidates=30, rooms=2, starts_at=start)
    words = ("simulate-day", "--date", f"{start:%Y-%m-%d}", "--absent", "0", "--late", "0")
    told = await _in_thread(command, *words, "--pause", f"{hall.sitting.code}/P01@08:10+5", "--json")
    found = json.loads(told.stdout)
    assert found["day"]["seats"] == 30
    assert {"waiting-room", "start", "pause", "resume", "last-deadline", "end"} <= {
        one["what"] for one in found["day"]["timeline"]
    }
    shown = await _in_thread(command, *words)
    assert "seats writing, each quarter of an hour" in shown.stdout
    assert (await _in_thread(command, *words, "--pause", "nonsense")).exit_code == 2
    unknown = await _in_thread(command, *words, "--pause", "CA-9@08:10+5")
    assert (unknown.exit_code, "no sitting CA-9" in unknown.stderr) == (1, True)


def test_severities_are_ordered_from_the_worst() -> None:
    assert list(Severity) == ["blocker", "warning", "note"]
