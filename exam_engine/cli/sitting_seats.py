"""`exam-engine sitting pause|admit|lock|…`: what is done to seats while a sitting is open, and taking it back."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any
from uuid import uuid4

import typer

from exam_engine.cli import console
from exam_engine.cli.sitting_desk import (
    AsOption,
    CandidateOption,
    DryRunOption,
    JsonOption,
    RoomOption,
    SittingArgument,
    desk_of,
    note_dry,
    room_id_of,
    scope_of,
)
from exam_engine.delivery import service
from exam_engine.delivery.model import Sitting
from exam_engine.delivery.service import (
    Acted,
    ActKind,
    Desk,
    Foreseen,
    LateAcceptance,
    LateAccepted,
    LateView,
    Move,
    Moved,
    Postponed,
    Postponement,
    Scope,
    SeatAct,
)
from exam_engine.delivery.store import StoredAct
from exam_engine.identity.permissions import Permission
from exam_engine.invigilation import service as invigilation

ReasonOption = Annotated[str, typer.Option(help="Why; it stands in the audit record.")]
NumbersOption = Annotated[list[str], typer.Option("--candidate", help="Number of a candidate; may be given again.")]
NumberOption = Annotated[str, typer.Option("--candidate", help="Number of the candidate.")]


def pause(
    sitting: SittingArgument,
    reason: ReasonOption,
    as_user: AsOption,
    room: RoomOption = None,
    candidate: CandidateOption = None,
    dry_run: DryRunOption = False,
    as_json: JsonOption = False,
) -> None:
    """Let the clock stand for one candidate, a room, or (neither named) everybody; the items are hidden.

    Example: exam-engine sitting pause CA-1 --room P01 --reason "mất điện" --as invigilator
    """
    _many(ActKind.PAUSE, sitting, room, candidate, reason, as_user, dry_run=dry_run, as_json=as_json)


def resume(
    sitting: SittingArgument,
    reason: ReasonOption,
    as_user: AsOption,
    room: RoomOption = None,
    candidate: CandidateOption = None,
    dry_run: DryRunOption = False,
    as_json: JsonOption = False,
) -> None:
    """Let the clock run on; every deadline moves by exactly the time it stood.

    Example: exam-engine sitting resume CA-1 --room P01 --reason "có điện lại" --as invigilator
    """
    _many(ActKind.RESUME, sitting, room, candidate, reason, as_user, dry_run=dry_run, as_json=as_json)


def _on_named_seats(kind: ActKind, told: str, example_reason: str) -> Callable[..., None]:
    """Make the command of an act that wants its seats by name: all of them take the same words."""

    def command(
        sitting: SittingArgument,
        candidate: NumbersOption,
        reason: ReasonOption,
        as_user: AsOption,
        dry_run: DryRunOption = False,
        as_json: JsonOption = False,
    ) -> None:
        _named(kind, sitting, candidate, reason, as_user, dry_run=dry_run, as_json=as_json)

    command.__name__ = kind.value
    command.__doc__ = (
        f"{told}\n\nExample: exam-engine sitting {kind.value} CA-1 --candidate 31000017"
        f' --reason "{example_reason}" --as invigilator'
    )
    return command


lock = _on_named_seats(
    ActKind.LOCK, "Take no more answers from seats; time runs on, and what they send is kept as evidence.", "biên bản 3"
)
unlock = _on_named_seats(ActKind.UNLOCK, "Take answers again.", "đã làm rõ")
end = _on_named_seats(ActKind.END, "End papers by the invigilator; all that was saved counts.", "ốm")
absent = _on_named_seats(ActKind.ABSENT, "Mark candidates absent who have not started.", "vắng")
malpractice = _on_named_seats(
    ActKind.MALPRACTICE, "Close papers for malpractice; the answers stay stored.", "biên bản 4"
)
reopen = _on_named_seats(
    ActKind.REOPEN, "Undo an end, an absence or a malpractice; the time in between is given back.", "bấm nhầm"
)


def admit(
    sitting: SittingArgument,
    candidate: NumberOption,
    as_user: AsOption,
    credit: Annotated[bool, typer.Option(help="Give back the time since the old seat's last sign of life.")] = True,
    reason: ReasonOption = "",
    dry_run: DryRunOption = False,
    as_json: JsonOption = False,
) -> None:
    """Give the paper to the second seat that waits for it; the old seat writes no more.

    Example: exam-engine sitting admit CA-1 --candidate 31000017 --reason "máy hỏng" --as invigilator
    """
    options = {"is_credited": credit}
    _named(ActKind.ADMIT, sitting, [candidate], reason, as_user, dry_run=dry_run, as_json=as_json, **options)


def refuse(
    sitting: SittingArgument,
    candidate: NumberOption,
    reason: ReasonOption,
    as_user: AsOption,
    dry_run: DryRunOption = False,
    as_json: JsonOption = False,
) -> None:
    """Turn the second seat away; the one that writes goes on.

    Example: exam-engine sitting refuse CA-1 --candidate 31000017 --reason "mở hai máy" --as invigilator
    """
    _named(ActKind.REFUSE, sitting, [candidate], reason, as_user, dry_run=dry_run, as_json=as_json)


def move(
    sitting: SittingArgument,
    candidate: NumberOption,
    room: Annotated[str, typer.Option(help="Code of the room of the exam to which the candidate moves.")],
    reason: ReasonOption,
    as_user: AsOption,
    seat: Annotated[int | None, typer.Option(min=1, max=10_000, help="Seat there; left out: the first free.")] = None,
    dry_run: DryRunOption = False,
    as_json: JsonOption = False,
) -> None:
    """Let a candidate sit in another place while the sitting is open; answers, paper and time stay. `undo` moves back.

    Example: exam-engine sitting move CA-1 --candidate 31000017 --room P02 --seat 5 --reason "máy hỏng" --as invigilator
    """

    async def work() -> Moved:
        async with desk_of(sitting, as_user, Permission.INVIGILATE) as (desk, context):
            there = await invigilation.load_room(desk.session, context.sitting.id, room)
            moving = Move(
                attempt_id=await service.attempt_of_number(desk.session, context.sitting, candidate),
                room_id=there.id,
                seat_number=seat,
                request=uuid4().hex,
                reason=reason,
            )
            moved = await service.move_seat(desk, context.sitting.id, moving)
            if dry_run:
                await desk.session.rollback()
            return moved

    moved = console.run(work())
    console.emit(moved, as_json=as_json, text=f"{candidate}: {moved.place_before} -> {moved.to}")
    if not dry_run:
        console.note(f"back again: exam-engine sitting undo {sitting} {moved.request} --reason … --as {as_user}")
    note_dry(dry_run)


def undo(
    sitting: SittingArgument,
    act: Annotated[str, typer.Argument(help="The act, as `sitting acts` lists it.")],
    reason: ReasonOption,
    as_user: AsOption,
    dry_run: DryRunOption = False,
    as_json: JsonOption = False,
) -> None:
    """Take an act back for exactly those it changed.

    Example: exam-engine sitting undo CA-1 5f0c… --reason "bấm nhầm" --as invigilator
    """

    async def work() -> Acted | StoredAct:
        async with desk_of(sitting, as_user, Permission.INVIGILATE) as (desk, context):
            if dry_run:
                return await service.require_act(desk.session, context.sitting.id, act)
            return await service.undo(desk, context.sitting.id, act, uuid4().hex, reason)

    console.emit(console.run(work()), as_json=as_json)
    note_dry(dry_run)


def acts(sitting: SittingArgument, as_user: AsOption, as_json: JsonOption = False) -> None:
    """List what was done to seats, the newest first.

    Example: exam-engine sitting acts CA-1 --as invigilator
    """

    async def work() -> list[StoredAct]:
        async with desk_of(sitting, as_user, Permission.WATCH_ROOMS) as (desk, context):
            return await service.load_acts(desk.session, context.sitting.id)

    found = console.run(work())
    if as_json:
        console.emit(found, as_json=True)
        return
    console.emit_table(
        ("at", "act", "seats", "by", "reason", "undone", "number"),
        [
            (
                act.at.astimezone().strftime("%H:%M:%S"),
                act.kind,
                len(act.attempts),
                act.actor.removeprefix("person:"),
                act.reason,
                "yes" if act.undone_by else "",
                act.request,
            )
            for act in found
        ],
    )


def postpone(
    sitting: SittingArgument,
    minutes: Annotated[int, typer.Argument(min=1, max=720, help="Minutes by which it begins and ends later.")],
    reason: ReasonOption,
    as_user: AsOption,
    room: RoomOption = None,
    dry_run: DryRunOption = False,
    as_json: JsonOption = False,
) -> None:
    """Let a sitting, or one room of it, begin and end later; nobody there may have started.

    Example: exam-engine sitting postpone CA-1 30 --reason "mưa bão" --as board
    """

    async def work() -> Postponed | Foreseen:
        async with desk_of(sitting, as_user, Permission.MANAGE_SITTINGS) as (desk, context):
            postponement = Postponement(
                seconds=60 * minutes,
                request=uuid4().hex,
                reason=reason,
                room_code=room or "",
                room_id=await room_id_of(desk.session, context.sitting, room),
            )
            if dry_run:
                return await service.foresee(desk, context.sitting.id, postponement)
            return await service.postpone(desk, context.sitting.id, postponement)

    console.emit(console.run(work()), as_json=as_json)
    note_dry(dry_run)


def late(sitting: SittingArgument, as_user: AsOption, as_json: JsonOption = False) -> None:
    """List answers that were refused and are kept as evidence; never what stands in them.

    Example: exam-engine sitting late CA-1 --as invigilator
    """

    async def work() -> LateView:
        async with desk_of(sitting, as_user, Permission.WATCH_ROOMS) as (desk, context):
            return await service.load_late(desk, context.sitting.id)

    found = console.run(work())
    if as_json:
        console.emit(found, as_json=True)
        return
    decisions = {decision.id: decision for decision in found.decisions}
    console.emit_table(
        ("candidate", "slot", "count", "refused because", "decision"),
        [
            (
                answer.candidate_number,
                answer.slot,
                answer.sequence,
                answer.refusal,
                ""
                if answer.decision_id is None
                else ("counts" if decisions[answer.decision_id].accepted_by else "waits for a second person"),
            )
            for answer in found.answers
        ],
    )


def accept_late(
    sitting: SittingArgument,
    candidate: NumberOption,
    reason: ReasonOption,
    as_user: AsOption,
    dry_run: DryRunOption = False,
    as_json: JsonOption = False,
) -> None:
    """Let late answers count that extra time covers: the first person proposes, a second one agrees.

    Example: exam-engine sitting accept-late CA-1 --candidate 31000017 --reason "mạng chậm" --as board
    """

    async def work() -> LateAccepted | Scope:
        async with desk_of(sitting, as_user, Permission.EXTEND_SITTINGS) as (desk, context):
            attempt_id = await service.attempt_of_number(desk.session, context.sitting, candidate)
            if dry_run:
                return Scope(attempt_id=attempt_id)
            acceptance = LateAcceptance(attempt_id=attempt_id, reason=reason)
            return await service.accept_late(desk, context.sitting.id, acceptance)

    console.emit(console.run(work()), as_json=as_json)
    note_dry(dry_run)


def _many(
    kind: ActKind,
    sitting: str,
    room: str | None,
    candidate: str | None,
    reason: str,
    as_user: str,
    *,
    dry_run: bool,
    as_json: bool,
) -> None:
    permission = Permission.INVIGILATE if room or candidate else Permission.EXTEND_SITTINGS

    async def scope(desk: Desk, found: Sitting) -> Scope:
        return await scope_of(desk, found, room, candidate)

    _perform(kind, sitting, scope, permission, reason, as_user, dry_run=dry_run, as_json=as_json)


def _named(
    kind: ActKind,
    sitting: str,
    candidates: list[str],
    reason: str,
    as_user: str,
    *,
    dry_run: bool,
    as_json: bool,
    **options: Any,
) -> None:
    async def scope(desk: Desk, found: Sitting) -> Scope:
        attempts = [await service.attempt_of_number(desk.session, found, one) for one in candidates]
        return Scope(attempts=tuple(attempts))

    _perform(kind, sitting, scope, Permission.INVIGILATE, reason, as_user, dry_run=dry_run, as_json=as_json, **options)


def _perform(
    kind: ActKind,
    sitting: str,
    scope: Callable[[Desk, Sitting], Awaitable[Scope]],
    permission: Permission,
    reason: str,
    as_user: str,
    *,
    dry_run: bool,
    as_json: bool,
    **options: Any,
) -> None:
    async def work() -> Acted:
        async with desk_of(sitting, as_user, permission) as (desk, context):
            on = await scope(desk, context.sitting)
            act = SeatAct(kind=kind, request=uuid4().hex, reason=reason, scope=on, **options)
            perform = service.preview if dry_run else service.act_on_seats
            return await perform(desk, context.sitting.id, act)

    console.emit(console.run(work()), as_json=as_json)
    note_dry(dry_run)
