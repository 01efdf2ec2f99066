"""Accommodations that change while sittings are open: seats get, or lose, exactly the difference.

What an attempt was granted stands in its own facts, so that doing it again after a commit that failed changes nothing.
"""

from collections.abc import Collection, Sequence
from uuid import UUID

import msgspec

from exam_engine.delivery import model, store
from exam_engine.delivery.model import AttemptId, Change, ChangeKind, Sitting, SittingState
from exam_engine.delivery.register import Held
from exam_engine.delivery.service.desk import Desk, Scope, change_attempts, record
from exam_engine.delivery.service.notices import post_notice
from exam_engine.delivery.store import Seat
from exam_engine.enrolment import service as enrolment
from exam_engine.enrolment.accommodations import TypedAccommodation
from exam_engine.enrolment.model import Candidate, Exam, ImportReport
from exam_engine.infra.files import Table
from exam_engine.infra.i18n import N_, translator

LESS_TIME = N_("Your extra time was corrected. The clock shows how much is left.")


class Reached(msgspec.Struct, frozen=True, kw_only=True):
    """What a change of accommodations came to in sittings that are open."""

    sittings: tuple[str, ...] = ()  # codes of those with a seat that changed
    changed: int = 0
    unchanged: int = 0  # handed in, closed by people, or granted the same


async def accommodate(desk: Desk, exam: Exam, typed: TypedAccommodation, reason: str) -> tuple[Candidate, Reached]:
    """Grant an accommodation, also to a seat that is being sat.

    Raises
    ------
    CandidateUnknown, SubjectUnknown, NotRegistered, TimeFactorInvalid, ExtraMinutesInvalid, AccommodationEmpty
    ActImpossible
        Less time than before would end a paper now.
    ServiceUnavailable
    """
    candidate = await enrolment.save_accommodation(
        desk.session, exam, typed, reason=reason, actor=desk.actor, now=desk.now
    )
    return candidate, await reach_open_sittings(desk, exam, {candidate.id}, reason)


async def withdraw_accommodation(
    desk: Desk, exam: Exam, accommodation_id: UUID, reason: str
) -> tuple[Candidate, Reached]:
    """Take an accommodation back, also from a seat that is being sat.

    Raises
    ------
    AccommodationUnknown, ActImpossible, ServiceUnavailable
    """
    candidate = await enrolment.withdraw_accommodation(
        desk.session, exam, accommodation_id, reason=reason, actor=desk.actor, now=desk.now
    )
    return candidate, await reach_open_sittings(desk, exam, {candidate.id}, reason)


async def import_accommodations(desk: Desk, exam: Exam, table: Table) -> tuple[ImportReport, Reached]:
    """Take accommodations from a table, also for seats that are being sat.

    Raises
    ------
    FileRefused, ActImpossible, ServiceUnavailable
    """
    done = await enrolment.import_accommodations(desk.session, exam, table, actor=desk.actor, now=desk.now)
    return done.report, await reach_open_sittings(desk, exam, done.candidates, table.file_name)


async def reach_open_sittings(desk: Desk, exam: Exam, candidates: Collection[UUID], reason: str) -> Reached:
    """Let what candidates are granted now hold in the sittings of their exam that are open.

    Raises
    ------
    ActImpossible, ServiceUnavailable
    """
    reached = Reached()
    if not candidates:
        return reached
    for context in await store.load_sittings(desk.session, state=SittingState.OPEN, exam_id=exam.id):
        found = await store.load_seats(desk.session, context.sitting.id)
        seats = [seat for seat in found if seat.candidate_id in candidates]
        if not seats:
            continue
        changes = await _reach(desk, context.sitting, seats, reason)
        reached = Reached(
            sittings=(*reached.sittings, *([context.sitting.code] if changes else ())),
            changed=reached.changed + len(changes),
            unchanged=reached.unchanged + len(seats) - len(changes),
        )
    return reached


async def reach_after_import(desk: Desk, exam: Exam, report: ImportReport) -> Reached:
    """Let factors that came with a file of candidates hold in the sittings that are open.

    Raises
    ------
    ActImpossible, ServiceUnavailable
    """
    numbers = {change.subject for change in report.changes if change.field == "time_factor"}
    if not numbers or report.is_dry_run:
        return Reached()
    found = await enrolment.load_candidates(desk.session, exam.id)
    candidates = {one.id for one in found if one.number in numbers}
    return await reach_open_sittings(desk, exam, candidates, report.file_name)


async def _reach(desk: Desk, sitting: Sitting, seats: Sequence[Seat], reason: str) -> dict[AttemptId, Change]:
    granted = await enrolment.accommodations_in(
        desk.session, sitting.exam_subject_id, [seat.candidate_id for seat in seats]
    )
    alike: dict[int, list[Seat]] = {}
    for seat in seats:
        one = granted[seat.candidate_id]
        alike.setdefault(model.granted_ms(sitting, one.time_factor, one.extra_minutes), []).append(seat)
    changes: dict[AttemptId, Change] = {}
    for granted_ms, group in alike.items():
        changes |= await _grant(desk, sitting, group, granted_ms, reason)
    return changes


async def _grant(
    desk: Desk, sitting: Sitting, seats: Sequence[Seat], granted_ms: int, reason: str
) -> dict[AttemptId, Change]:
    before: dict[int, int] = {}

    def decide(held: Held) -> Change | None:
        change = model.accommodate(held.facts, granted_ms, desk.now_ms)
        if change is not None:
            before[id(change)] = held.facts.accommodated_ms
        return change

    attempts = [seat.attempt_id for seat in seats]
    changes = await change_attempts(desk, sitting, attempts, decide, granted_seconds=granted_ms // 1000)
    for attempt_id, change in changes.items():
        seconds = (granted_ms - before[id(change)]) // 1000
        await _tell(desk, sitting, [seat for seat in seats if seat.attempt_id == attempt_id], change, seconds)
        await record(
            desk,
            "sitting.accommodate",
            sitting,
            attempt_id=attempt_id,
            seconds=seconds,
            reason=reason,
            is_reopened=change.kind is ChangeKind.REOPEN or None,
        )
    return changes


async def _tell(desk: Desk, sitting: Sitting, seats: Sequence[Seat], change: Change, seconds: int) -> None:
    scope = Scope(attempt_id=seats[0].attempt_id)
    request = f"accommodate:{seats[0].attempt_id}:{change.facts.revision}"
    if seconds > 0:
        await post_notice(desk, sitting, scope, seats, request, kind="time", extra_seconds=seconds)
    else:
        await post_notice(desk, sitting, scope, seats, request, kind="message", text=_in_both_languages())


def _in_both_languages() -> str:
    """Say it as notices are kept: once for everybody, so in both languages."""
    return f"{translator('vi')(LESS_TIME)} / {LESS_TIME}"
