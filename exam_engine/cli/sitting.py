"""`exam-engine sitting`: plan, open, watch, extend, tell, close, reconcile."""

from datetime import datetime
from typing import Annotated, Any
from uuid import uuid4

import msgspec
import typer

from exam_engine.assembly import service as assembly
from exam_engine.cli import console
from exam_engine.cli.safe_browser import seb
from exam_engine.cli.sitting_day import check, simulate_day
from exam_engine.cli.sitting_desk import (
    AsOption,
    CandidateOption,
    DryRunOption,
    JsonOption,
    RoomOption,
    SittingArgument,
    YesOption,
    desk_of,
    note_dry,
    scope_of,
)
from exam_engine.cli.sitting_duties import assign, duties, import_duties, withdraw_duty
from exam_engine.cli.sitting_offline import release_code, restore
from exam_engine.cli.sitting_seats import (
    absent,
    accept_late,
    acts,
    admit,
    end,
    late,
    lock,
    malpractice,
    move,
    pause,
    postpone,
    refuse,
    reopen,
    resume,
    undo,
    unlock,
)
from exam_engine.cli.sitting_statement import difference_line, statement
from exam_engine.delivery import service
from exam_engine.delivery.draining import drain, waiting
from exam_engine.delivery.hot_path import open_delivery
from exam_engine.delivery.model import SittingSettings
from exam_engine.delivery.register import Register
from exam_engine.delivery.service import Extended, Extension, Message, Reconciliation, Scope, SittingPlan
from exam_engine.delivery.signing import SigningKey
from exam_engine.delivery.store import SittingContext
from exam_engine.enrolment import service as enrolment
from exam_engine.identity import service as identity
from exam_engine.identity.model import UnitId, actor_of
from exam_engine.identity.permissions import Permission
from exam_engine.infra.database import transaction
from exam_engine.infra.redis_client import ScriptRunner, require_durable
from exam_engine.invigilation import service as invigilation
from exam_engine.invigilation.model import Board

app = typer.Typer(help="Sittings: plan, open, watch, extend, close.", no_args_is_help=True)
app.command()(seb)

TimeFormats = ["%Y-%m-%dT%H:%M:%S%z", "%Y-%m-%dT%H:%M%z", "%Y-%m-%d %H:%M%z"]


class SittingLine(msgspec.Struct, frozen=True, kw_only=True):
    """A sitting for printing."""

    code: str
    name: str
    exam: str
    subject: str
    state: str
    starts_at: datetime
    ends_at: datetime
    minutes: int

    @classmethod
    def of(cls, context: SittingContext) -> "SittingLine":
        """Show a sitting."""
        sitting = context.sitting
        return cls(
            code=sitting.code,
            name=sitting.name,
            exam=context.exam_code,
            subject=context.subject_code,
            state=sitting.state.value,
            starts_at=sitting.starts_at,
            ends_at=sitting.ends_at,
            minutes=sitting.duration_seconds // 60,
        )


@app.command()
def plan(
    code: SittingArgument,
    exam: Annotated[str, typer.Option(help="Code of the exam.")],
    subject: Annotated[str, typer.Option(help="Code of the subject.")],
    form: Annotated[str, typer.Option(help="Code of the sealed form.")],
    start: Annotated[datetime, typer.Option(help="When it starts, with its zone.", formats=TimeFormats)],
    end: Annotated[datetime, typer.Option(help="When it ends for everybody.", formats=TimeFormats)],
    as_user: AsOption,
    minutes: Annotated[int | None, typer.Option(min=1, help="Time of a candidate; the subject's if left out.")] = None,
    name: Annotated[str | None, typer.Option(help="Name people read; the subject's if left out.")] = None,
    late_minutes: Annotated[int, typer.Option(min=0, help="Latest start after the beginning.")] = 15,
    columns: Annotated[int, typer.Option(min=0, max=100, help="Seats in a row of the room, if known.")] = 0,
    shards: Annotated[int, typer.Option(min=1, max=64, help="Redis slots to spread over.")] = 1,
    seed: Annotated[int | None, typer.Option(min=0, help="Decides who gets which paper; new if left out.")] = None,
    dry_run: DryRunOption = False,
    as_json: JsonOption = False,
) -> None:
    """Plan a sitting of a sealed form.

    Example: exam-engine sitting plan CA-1 --exam thi-thu-tn-2027 --subject TOAN --form F1 --start
    2027-06-10T07:30+0700 --end 2027-06-10T09:15+0700 --as board --dry-run
    """

    async def act() -> SittingLine:
        async with console.engine() as engine, transaction(engine.sessions) as session:
            now = engine.clock()
            found = await enrolment.require_exam(session, exam)
            of_exam = await enrolment.require_subject(session, found.id, subject)
            person = await identity.load_person_named(session, as_user, on=engine.local_day(now))
            unit = UnitId(found.unit_id)
            await identity.require(session, person.id, Permission.MANAGE_SITTINGS, unit, on=engine.local_day(now))
            planned = SittingPlan(
                exam_subject_id=of_exam.id,
                form_id=(await assembly.load_form_coded(session, form)).id,
                code=code,
                name=name or of_exam.name,
                starts_at=start,
                ends_at=end,
                duration_seconds=60 * (minutes or of_exam.minutes),
                late_limit_seconds=60 * late_minutes,
                shards=shards,
                seed=seed,
                settings=SittingSettings(columns=columns),
            )
            sitting = await service.plan_sitting(session, planned, actor=actor_of(person), now=now)
            line = SittingLine.of(await service.load_sitting(session, sitting.id))
            if dry_run:
                await session.rollback()
            return line

    console.emit(console.run(act()), as_json=as_json)
    note_dry(dry_run)


@app.command("list")
def list_sittings(as_json: JsonOption = False) -> None:
    """List all sittings by their start.

    Example: exam-engine sitting list --json
    """

    async def act() -> list[SittingLine]:
        async with console.engine() as engine, transaction(engine.sessions) as session:
            return [SittingLine.of(context) for context in await service.load_sittings(session)]

    lines = console.run(act())
    if as_json:
        console.emit(lines, as_json=True)
        return
    console.emit_table(
        ("code", "exam", "subject", "state", "starts", "minutes"),
        [(line.code, line.exam, line.subject, line.state, line.starts_at.isoformat(), line.minutes) for line in lines],
    )


@app.command("open")
def open_sitting(
    sitting: SittingArgument, as_user: AsOption, dry_run: DryRunOption = False, as_json: JsonOption = False
) -> None:
    """Open the waiting room: every seat gets its paper code. Again: take in who was added since.

    Example: exam-engine sitting open CA-1 --as board
    """

    async def act() -> SittingLine:
        async with desk_of(sitting, as_user, Permission.MANAGE_SITTINGS) as (desk, context):
            if dry_run:
                await service.check_opening(desk.session, context.sitting)
            else:
                await service.open_sitting(desk, context.sitting.id)
            return SittingLine.of(await service.load_sitting(desk.session, context.sitting.id))

    console.emit(console.run(act()), as_json=as_json)
    note_dry(dry_run)


@app.command("close")
def close_sitting(
    sitting: SittingArgument,
    as_user: AsOption,
    yes: YesOption = False,
    dry_run: DryRunOption = False,
    as_json: JsonOption = False,
) -> None:
    """End a sitting for everybody, wait until every answer is stored, and print the reconciliation.

    Example: exam-engine sitting close CA-1 --as board --yes
    """
    if not dry_run:
        console.confirm(f"Sitting {sitting} ends for everybody now, whoever still writes.", is_sure=yes)

    async def act() -> Reconciliation:
        async with desk_of(sitting, as_user, Permission.MANAGE_SITTINGS) as (desk, context):
            if not dry_run:
                await service.close_sitting(desk, context.sitting.id)
        return await _reconcile(sitting, needs_drain=not dry_run)

    _emit_reconciliation(console.run(act()), as_json=as_json)
    note_dry(dry_run)


@app.command()
def extend(
    sitting: SittingArgument,
    minutes: Annotated[int, typer.Argument(min=1, max=240, help="Minutes to give.")],
    reason: Annotated[str, typer.Option(help="Why; it stands in the audit record.")],
    as_user: AsOption,
    room: RoomOption = None,
    candidate: CandidateOption = None,
    dry_run: DryRunOption = False,
    as_json: JsonOption = False,
) -> None:
    """Give extra time to one candidate, a room, or (neither named) everybody.

    Example: exam-engine sitting extend CA-1 10 --room P01 --reason "power cut" --as board
    """
    permission = Permission.INVIGILATE if candidate else Permission.EXTEND_SITTINGS

    async def act() -> Extended | Scope:
        async with desk_of(sitting, as_user, permission) as (desk, context):
            scope = await scope_of(desk, context.sitting, room, candidate)
            if dry_run:
                return scope
            extension = Extension(seconds=60 * minutes, reason=reason, request=uuid4().hex, scope=scope)
            return await service.extend(desk, context.sitting.id, extension)

    console.emit(console.run(act()), as_json=as_json)
    note_dry(dry_run)


@app.command()
def message(
    sitting: SittingArgument,
    text: Annotated[str, typer.Argument(help="What the seats shall read.")],
    as_user: AsOption,
    room: RoomOption = None,
    candidate: CandidateOption = None,
    dry_run: DryRunOption = False,
    as_json: JsonOption = False,
) -> None:
    """Send words to one candidate, a room, or (neither named) everybody.

    Example: exam-engine sitting message CA-1 "Còn 15 phút" --room P01 --as invigilator
    """

    async def act() -> dict[str, Any]:
        async with desk_of(sitting, as_user, Permission.INVIGILATE) as (desk, context):
            scope = await scope_of(desk, context.sitting, room, candidate)
            words = Message(text=text, request=uuid4().hex, scope=scope)
            number = None if dry_run else await service.send_message(desk, context.sitting.id, words)
            return {"notice": number, "room_id": scope.room_id, "attempt_id": scope.attempt_id}

    console.emit(console.run(act()), as_json=as_json)
    note_dry(dry_run)


@app.command()
def board(sitting: SittingArgument, room: RoomOption = None, as_json: JsonOption = False) -> None:
    """Show a sitting, or one room, as it is now.

    Example: exam-engine sitting board CA-1 --room P01
    """

    async def act() -> Board:
        async with (
            console.engine() as engine,
            open_delivery(
                clock=engine.clock,
                sessions=engine.sessions,
                redis=engine.redis,
                master_secret=engine.master_secret,
            ) as delivery,
        ):
            async with engine.sessions() as session:
                found = (await service.load_sitting(session, sitting)).sitting
                there = None if room is None else await invigilation.load_room(session, found.id, room)
            if there is None:
                return await invigilation.board(delivery, found.id)
            return await invigilation.board(delivery, found.id, there.id, room_code=there.code)

    shown = console.run(act())
    if as_json:
        console.emit(shown, as_json=True)
        return
    if not shown.seats:
        console.note(f"nobody sits in room {room}" if room else "nobody sits in this sitting yet")
        return
    console.emit_table(
        ("seat", "number", "name", "state", "connected", "answered", "left", "flags"),
        [
            (
                seat.seat,
                seat.candidate_number,
                seat.name,
                seat.close_reason or seat.state,
                "yes" if seat.is_connected else "no",
                f"{seat.answered}/{seat.total}",
                _minutes_left(seat.deadline_ms, shown.server_time_ms),
                " ".join(flag.kind for flag in seat.flags),
            )
            for seat in shown.seats
        ],
    )


@app.command()
def reconcile(sitting: SittingArgument, as_json: JsonOption = False) -> None:
    """Compare every answer in Redis with PostgreSQL, and after the close with what was signed; 1 if one differs.

    Example: exam-engine sitting reconcile CA-1 --json
    """
    found = console.run(_reconcile(sitting, needs_drain=True))
    _emit_reconciliation(found, as_json=as_json)
    if not found.is_equal:
        raise typer.Exit(console.REFUSED)


for act_on_seats in (
    *(pause, resume, admit, refuse, lock, unlock, end, absent, malpractice, reopen, undo, postpone),
    *(move, acts, late, accept_late),
    *(duties, assign, withdraw_duty, import_duties),
):
    app.command()(act_on_seats)
app.command("release-code")(release_code)
app.command()(restore)
app.command("statement")(statement)
app.command("check")(check)
app.command("simulate-day")(simulate_day)


async def _reconcile(code: str, *, needs_drain: bool) -> Reconciliation:
    async with console.engine() as engine:
        register = Register(ScriptRunner(engine.redis, await require_durable(engine.redis)))
        async with engine.sessions() as session:
            sitting = (await service.load_sitting(session, code)).sitting
        if needs_drain and await waiting(engine.redis, sitting):
            await drain(engine.redis, sitting)
        async with engine.sessions() as session:
            found = await service.reconcile(session, register, sitting.id, SigningKey(engine.master_secret))
        await register.close()
        return found


def _emit_reconciliation(found: Reconciliation, *, as_json: bool) -> None:
    lines = [
        f"attempts: {found.attempts} ({', '.join(f'{state} {n}' for state, n in sorted(found.states.items()))})",
        f"answers in Redis: {found.responses_in_redis}",
        f"answers stored: {found.responses_stored}",
        "equal: yes" if found.is_equal else f"equal: no, {found.differences} differences",
    ]
    lines += [
        f"  {gap.candidate_number}, {'state' if gap.slot is None else f'slot {gap.slot}'}: "
        f"{gap.in_redis} in Redis, {gap.stored} stored"
        for gap in found.gaps
    ]
    if found.statements:
        lines.append(f"statements: {found.statements}, unchanged: {'no' if found.changed else 'yes'}")
        lines += [f"  {difference_line(one)}" for one in found.changed]
    console.emit(found, as_json=as_json, text="\n".join(lines))


def _minutes_left(deadline_ms: int | None, now_ms: int) -> str:
    return "" if deadline_ms is None else f"{max(deadline_ms - now_ms, 0) // 60_000} min"
