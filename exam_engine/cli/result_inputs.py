"""What the commands on results share: who acts, which release is meant, and how things are written."""

from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID
from zoneinfo import ZoneInfo

from exam_engine.cli.console import refuse

if TYPE_CHECKING:
    from exam_engine.cli.console import CommandAct
    from exam_engine.results.model import Release


async def acting(command: "CommandAct", as_person: str | None, permission: str, unit_id: UUID) -> str:
    """Name the person of the command, who must hold the permission; without one, the command line itself."""
    if as_person is None:
        return command.actor
    from exam_engine.identity import service as identity
    from exam_engine.identity.model import UnitId, actor_of
    from exam_engine.identity.permissions import Permission

    today = command.today
    person = await identity.load_person_named(command.session, as_person, on=today)
    await identity.require(command.session, person.id, Permission(permission), UnitId(unit_id), on=today)
    return actor_of(person)


async def chosen_release(command: "CommandAct", exam: str, number: int | None) -> "Release":
    """Return the release of an exam by its number, or the newest."""
    from exam_engine.enrolment import service as enrolment
    from exam_engine.results import service
    from exam_engine.results.errors import ReleaseUnknown

    found = await enrolment.require_exam(command.session, exam)
    releases = await service.load_releases(command.session, found.id)
    chosen = next((release for release in releases if number in {None, release.number}), None)
    if chosen is None:
        raise ReleaseUnknown("of " + exam if number is None else f"{number} of {exam}")
    return chosen


def said(release: "Release") -> str:
    """Say where a release stands."""
    return f"release {release.number} is {release.state}: {release.n_published} results, public at {release.release_at}"


def points(hundredths: int | None) -> str:
    """Write hundredths as points; nothing is empty."""
    from scoring.values import to_decimal

    return "" if hundredths is None else str(to_decimal(hundredths))


def given_id(text: str) -> UUID:
    """Read an id, or end the command."""
    try:
        return UUID(text)
    except ValueError:
        refuse(f"{text!r} is not an id")


def given_moment(text: str, zone: str) -> datetime:
    """Read a moment; without an offset it is local time."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        refuse(f"{text!r} is not a moment like 2027-07-01T08:00")
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=ZoneInfo(zone))
